"""Writers of formats that no library here writes, shared with the benchmark of formats."""

import runpy
from pathlib import Path

import pytest

LAYOUTS = runpy.run_path(str(Path(__file__).parents[5] / "benchmarks" / "format_layouts.py"))


@pytest.fixture
def write_dm(tmp_path):
    """Write a file of DigitalMicrograph; steps are (scale, unit) of each axis, the fastest first."""

    def write(data, steps, version=4, tags=None, name=None):
        return LAYOUTS["write_dm"](tmp_path / (name or f"a.dm{version}"), data, steps, version, tags)

    return write


@pytest.fixture
def write_mib(tmp_path):
    """Write frames of a Merlin detector, and the header beside them if lines are given."""
    return lambda frames, per_line=None, total=None: LAYOUTS["write_mib"](tmp_path / "a.mib", frames, per_line, total)


@pytest.fixture
def write_mrc(tmp_path):
    """Write a stack of MRC, 16-bit integers."""
    return lambda frames: LAYOUTS["write_mrc"](tmp_path / "a.mrc", frames)


@pytest.fixture
def write_ser(tmp_path):
    """Write one image of TIA."""
    return lambda image, step=1e9: LAYOUTS["write_ser"](tmp_path / "a_1.ser", image, step)


@pytest.fixture
def write_velox(tmp_path):
    """Write an image of Velox."""
    return lambda image, step_per_m: LAYOUTS["write_velox"](tmp_path / "velox.emd", image, step_per_m)


@pytest.fixture
def layouts():
    """The writers that need no shorter name."""
    return LAYOUTS
