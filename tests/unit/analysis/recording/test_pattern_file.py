import gc

import h5py
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import pattern_from_array, read_pattern
from pacbed.errors import PatternError

IMAGE = np.random.default_rng(0).integers(0, 4000, (40, 48)).astype(np.uint16)


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.png", "a.h5", "A.TIFF"])
def test_counts_survive_every_plain_format(tmp_path, name):
    file = tmp_path / name
    if name.endswith("npy"):
        np.save(file, IMAGE)
    elif name.endswith("h5"):
        with h5py.File(file, "w") as store:
            store["entry/data"] = IMAGE
    elif name.endswith("png"):
        iio.imwrite(file, IMAGE)
    else:
        tifffile.imwrite(file, IMAGE)
    pattern = read_pattern(file)
    np.testing.assert_array_equal(pattern.array, IMAGE)
    assert pattern.array.dtype == np.float32
    assert pattern.source == name
    assert len(pattern.sha256) == 64
    assert pattern.calibration == Calibration()


def test_hyperspy_file_brings_its_calibration(tmp_path):
    from rsciio.hspy import file_writer

    axis = {"scale": 0.25, "offset": 0.0, "units": "mrad", "navigate": False, "_type": "UniformDataAxis"}
    signal = {
        "data": IMAGE.astype(np.float32),
        "axes": [
            {**axis, "name": name, "size": size, "index_in_array": i}
            for i, (name, size) in enumerate([("y", 40), ("x", 48)])
        ],
        "metadata": {
            "General": {"title": "pacbed"},
            "Signal": {"signal_type": ""},
            "Acquisition_instrument": {"TEM": {"beam_energy": 200.0, "convergence_angle": 13.6}},
        },
        "original_metadata": {},
        "package_info": {"package": "", "package_version": ""},
        "attributes": {"_lazy": False},
        "learning_results": {},
        "models": {},
        "tmp_parameters": {},
    }
    file_writer(str(tmp_path / "a.hspy"), signal)
    pattern = read_pattern(tmp_path / "a.hspy")
    assert pattern.calibration == Calibration(pixel_mrad=0.25, energy_kev=200.0, convergence_mrad=13.6)
    np.testing.assert_array_equal(pattern.array, IMAGE)


def test_grey_pictures_with_three_channels_are_read_and_coloured_ones_refused(tmp_path):
    grey = (IMAGE // 16).astype(np.uint8)
    iio.imwrite(tmp_path / "grey.png", np.stack([grey] * 3, axis=-1))
    np.testing.assert_array_equal(read_pattern(tmp_path / "grey.png").array, grey)
    iio.imwrite(tmp_path / "map.png", np.stack([grey, grey // 2, 255 - grey], axis=-1))
    with pytest.raises(PatternError, match="coloured"):
        read_pattern(tmp_path / "map.png")


def test_one_of_several_data_sets_is_chosen_by_path_or_number(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["first/data"] = IMAGE
        store["second/data"] = IMAGE + 1
    with pytest.raises(PatternError, match=r"dataset.*first/data, second/data"):
        read_pattern(tmp_path / "a.h5")
    assert read_pattern(tmp_path / "a.h5", dataset="/second/data").array[0, 0] == IMAGE[0, 0] + 1
    assert read_pattern(tmp_path / "a.h5", dataset="0").array[0, 0] == IMAGE[0, 0]
    with pytest.raises(PatternError, match="third"):
        read_pattern(tmp_path / "a.h5", dataset="third")


# Libraries leave damaged files open; Python closes and reports them later.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("content", [b"", b"no image", bytes(range(256)) * 20])
@pytest.mark.parametrize(
    "name", ["a.tif", "a.png", "a.jpg", "a.npy", "a.h5", "a.dm4", "a.hspy", "a.mrc", "a.emd", "a.xyz"]
)
def test_damaged_files_are_one_line_errors(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PatternError) as caught:
        read_pattern(tmp_path / name)
    gc.collect()
    assert "\n" not in str(caught.value)
    assert name in str(caught.value) or "MRC" in str(caught.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(PatternError, match=r"gone\.tif"):
        read_pattern(tmp_path / "gone.tif")


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.ones((3, 40, 40)), r"\(3, 40, 40\).*\(y, x\)"),
        (np.ones(100), r"\(100,\)"),
        (np.ones((8, 8)), "at least 32"),
        (np.ones((40, 40)), "every pixel"),
        (np.ones((40, 40), dtype=complex), "complex128"),
        (np.full((40, 40), np.nan), "100.0 %"),
        (np.zeros((40, 40), dtype=bool), "bool"),
    ],
)
def test_unusable_arrays_are_refused_with_what_is_accepted(array, text):
    with pytest.raises(PatternError, match=text):
        pattern_from_array(array)


def test_axes_of_length_one_are_dropped_and_saturation_is_counted():
    image = (IMAGE // 16).astype(np.uint8)
    image[:4] = 255
    pattern = pattern_from_array(image[None, :, :, None])
    assert pattern.array.shape == (40, 48)
    assert pattern.saturated_fraction == pytest.approx(0.1)


def test_few_missing_values_are_kept_for_repair():
    image = IMAGE.astype(float)
    image[3, 4] = np.nan
    assert np.isnan(pattern_from_array(image).array[3, 4])


@pytest.mark.parametrize("values", [1e20, -1e20, 3e38])
def test_values_that_are_no_counts_are_refused(values):
    image = np.random.default_rng(0).random((64, 64))
    image[3, 3] = values
    with pytest.raises(PatternError, match=r"accepted: counts up to 1e\+15"):
        pattern_from_array(image)
