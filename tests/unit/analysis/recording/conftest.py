import gc
import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

LAYOUTS = runpy.run_path(str(Path(__file__).parents[4] / "benchmarks" / "format_layouts.py"))
signal = LAYOUTS["signal"]
IMAGE = np.random.default_rng(0).integers(0, 4000, (40, 48)).astype(np.uint16)
SCAN = np.random.default_rng(1).integers(0, 4000, (3, 5, 32, 40)).astype(np.uint16)


@pytest.fixture(scope="module", autouse=True)
def left_open():
    """What foreign readers leave open where they stumble over damage is closed here, and not in a later test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def image():
    """One pattern of 40 x 48 pixels."""
    return IMAGE.copy()


@pytest.fixture
def scan():
    """Patterns of 32 x 40 pixels at 3 x 5 positions."""
    return SCAN.copy()


@pytest.fixture
def write_hspy(tmp_path):
    """Write a file of HyperSpy."""
    from rsciio.hspy import file_writer

    def write(data, axes, name="a.hspy", **about):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file_writer(str(tmp_path / name), signal(data, axes, **about))
        return tmp_path / name

    return write


@pytest.fixture
def as_signal():
    """Arrays as RosettaSciIO's writers take them."""
    return signal
