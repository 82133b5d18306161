import gc
import warnings

import numpy as np
import pytest

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


def signal(data, axes, tem=None, title="film"):
    """A signal as RosettaSciIO's writers take it; axes are (name, scale, unit, navigate)."""
    return {
        "data": data,
        "axes": [
            {
                "name": name,
                "size": size,
                "scale": scale,
                "offset": 0.0,
                "units": unit,
                "navigate": navigate,
                "index_in_array": number,
                "_type": "UniformDataAxis",
            }
            for number, (size, (name, scale, unit, navigate)) in enumerate(zip(data.shape, axes, strict=True))
        ],
        "metadata": {
            "General": {"title": title},
            "Signal": {"signal_type": ""},
            **({"Acquisition_instrument": {"TEM": tem}} if tem else {}),
        },
        "package_info": {"package": "hyperspy", "package_version": "2"},
        "attributes": {"_lazy": False},
        **{name: {} for name in ("original_metadata", "tmp_parameters", "learning_results", "models")},
    }


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
