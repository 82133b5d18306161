import gc
import hashlib

import h5py
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import zarr

from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import pattern_from_array, read_pattern
from pacbed.errors import ParameterError, PatternError

PLANE = [("ky", 0.25, "mrad", False), ("kx", 0.25, "mrad", False)]
RASTER = [("y", 1.0, "nm", True), ("x", 1.0, "nm", True)]


def write(file, image):
    """Store an image in a plain format, whatever the name says."""
    kind = file.name.lower().rsplit(".", 1)[1]
    if kind == "npy":
        np.save(file, image)
    elif kind == "npz":
        np.savez(file, image)
    elif kind == "h5":
        with h5py.File(file, "w") as store:
            store["entry/data"] = image
    elif kind == "png":
        iio.imwrite(file, image)
    elif kind == "zarr":
        zarr.create_array(str(file), data=image)
    else:
        tifffile.imwrite(file, image)
    return file


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.tif", "a.png", "a.h5", "A.TIFF", "a.zarr"])
def test_counts_survive_every_plain_format(tmp_path, image, name):
    pattern = read_pattern(write(tmp_path / name, image))
    np.testing.assert_array_equal(pattern.array, image)
    assert pattern.array.dtype == np.float32
    assert pattern.source == name
    assert len(pattern.sha256) == 64
    assert pattern.calibration == Calibration()


def test_the_hash_is_the_file_s(tmp_path, image):
    file = write(tmp_path / "a.tif", image)
    assert read_pattern(file).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_hash_of_one_frame_is_its_own(tmp_path, scan):
    np.save(tmp_path / "a.npy", scan)
    pattern = read_pattern(tmp_path / "a.npy", frame=(2, 1))
    assert pattern.sha256 == hashlib.sha256(scan[2, 1].tobytes()).hexdigest()
    np.save(tmp_path / "a.npy", scan[::-1])
    assert read_pattern(tmp_path / "a.npy", frame=(0, 1)).sha256 == pattern.sha256


def test_a_pattern_stored_with_x_first_is_turned(write_hspy, scan):
    file = write_hspy(scan[0, 0].T, PLANE[::-1], name="one.hspy")
    np.testing.assert_array_equal(read_pattern(file).array, scan[0, 0])
    file = write_hspy(scan.transpose(1, 0, 3, 2), [*RASTER[::-1], *PLANE[::-1]])
    for frame in ((1, 2), (7,)):
        np.testing.assert_array_equal(read_pattern(file, frame=frame).array, scan[1, 2])


@pytest.mark.parametrize("name", ["a.hspy", "a.hdf5", "renamed.tif"])
def test_a_file_of_hyperspy_brings_its_calibration_under_any_name(write_hspy, image, name):
    tem = {"beam_energy": 200.0, "convergence_angle": 13.6}
    pattern = read_pattern(write_hspy(image, PLANE, name=name, tem=tem))
    assert pattern.calibration == Calibration(pixel_mrad=0.25, energy_kev=200.0, convergence_mrad=13.6)
    np.testing.assert_array_equal(pattern.array, image)


def test_a_scan_of_one_position_is_a_pattern_and_keeps_its_calibration(write_hspy, image):
    pattern = read_pattern(write_hspy(image[None, None], [*RASTER, *PLANE]))
    assert pattern.calibration.pixel_mrad == 0.25
    np.testing.assert_array_equal(pattern.array, image)


def test_a_scan_names_the_command_that_takes_it(write_hspy, scan):
    with pytest.raises(PatternError) as caught:
        read_pattern(write_hspy(scan, [*RASTER, *PLANE]))
    assert "holds 15 patterns (3 x 5 x 32 x 40), accepted: one; --frame picks one" in str(caught.value)
    assert "pacbed map" in str(caught.value)


@pytest.mark.parametrize(("frame", "place"), [((7,), (1, 2)), ((1, 2), (1, 2)), ((14,), (2, 4)), ((0,), (0, 0))])
def test_one_frame_of_a_scan_by_number_or_place(write_hspy, scan, frame, place):
    file = write_hspy(np.moveaxis(scan, (2, 3), (0, 1)), [*PLANE, *RASTER])
    np.testing.assert_array_equal(read_pattern(file, frame=frame).array, scan[place])


@pytest.mark.parametrize("frame", [(15,), (3, 0), (0, 5), (0, 0, 0)])
def test_a_frame_that_is_not_there_is_refused(tmp_path, scan, frame):
    with pytest.raises(ParameterError, match=r"frame: got .*, accepted: whole numbers from 0 to 14 or 2,4"):
        read_pattern(write(tmp_path / "a.npy", scan), frame=frame)


def test_a_frame_of_a_series_by_row_and_column_of_its_scan(tmp_path, scan):
    file = write(tmp_path / "a.npy", scan.reshape(15, 32, 40))
    np.testing.assert_array_equal(read_pattern(file, frame=(2, 1), scan_shape=(3, 5)).array, scan[2, 1])


@pytest.mark.parametrize(
    ("shape", "scan_shape"), [((15, 32, 40), (3, 6)), ((3, 5, 32, 40), (5, 3)), ((32, 40), (2, 2))]
)
def test_a_scan_shape_that_is_not_the_files_is_refused(tmp_path, scan, shape, scan_shape):
    file = write(tmp_path / "a.npy", scan.ravel()[: np.prod(shape)].reshape(shape))
    with pytest.raises(ParameterError, match=r"scan_shape: got .*, accepted: rows and columns of"):
        read_pattern(file, frame=(0,), scan_shape=scan_shape)


def test_two_frames_are_not_one_grey_picture(tmp_path, image):
    for file in (tmp_path / "a.npy", tmp_path / "a.tif"):
        write(file, np.stack([image, image // 2], axis=-1))
        with pytest.raises(PatternError, match="40 x 48 x 2"):
            read_pattern(file)
        np.testing.assert_array_equal(read_pattern(file, frame=(1,)).array, image // 2)


def test_one_of_several_data_sets_is_chosen_by_path_or_number(tmp_path, image):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["first/data"] = image
        store["second/data"] = image + 1
    with pytest.raises(PatternError, match=r"dataset: got none .* one of first/data \(40 x 48\), second/data"):
        read_pattern(tmp_path / "a.h5")
    assert read_pattern(tmp_path / "a.h5", dataset="/second/data").array[0, 0] == image[0, 0] + 1
    assert read_pattern(tmp_path / "a.h5", dataset="0").array[0, 0] == image[0, 0]
    with pytest.raises(PatternError, match="third"):
        read_pattern(tmp_path / "a.h5", dataset="third")


def test_a_coloured_picture_is_refused(tmp_path, image):
    grey = (image // 16).astype(np.uint8)
    iio.imwrite(tmp_path / "map.png", np.stack([grey, grey // 2, 255 - grey], axis=-1))
    with pytest.raises(PatternError, match="coloured"):
        read_pattern(tmp_path / "map.png")


# Libraries leave damaged files open; Python closes and reports them later.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("content", [b"", b"no image", bytes(range(256)) * 20])
@pytest.mark.parametrize(
    "name", ["a.tif", "a.png", "a.jpg", "a.npy", "a.h5", "a.dm4", "a.hspy", "a.mrc", "a.emd", "a.mib", "a.ser", "a.xyz"]
)
def test_damaged_files_are_one_line_errors(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PatternError) as caught:
        read_pattern(tmp_path / name)
    gc.collect()
    assert "\n" not in str(caught.value)
    assert name in str(caught.value) or "MRC" in str(caught.value)


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.npz", "a.h5", "a.png"])
def test_files_that_are_cut_off_are_one_line_errors(tmp_path, image, name, capsys):
    whole = write(tmp_path / name, image).read_bytes()
    for share in (0.1, 0.5, 0.9):
        (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(PatternError) as caught:
            read_pattern(tmp_path / name)
        assert "\n" not in str(caught.value) and name in str(caught.value)
    gc.collect()
    assert capsys.readouterr() == ("", "")


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


def test_axes_of_length_one_are_dropped(image):
    pattern = pattern_from_array(image[None, :, :, None])
    np.testing.assert_array_equal(pattern.array, image)


def test_values_beyond_single_precision_are_missing_ones(image):
    values = image.astype(float)
    values[3, 4] = 1e300
    assert np.isinf(pattern_from_array(values).array[3, 4])


def test_few_missing_values_are_kept_for_repair(image):
    values = image.astype(float)
    values[3, 4] = np.nan
    assert np.isnan(pattern_from_array(values).array[3, 4])


@pytest.mark.parametrize("values", [1e20, -1e20, 3e38])
def test_values_that_are_no_counts_are_refused(values):
    image = np.random.default_rng(0).random((64, 64))
    image[3, 3] = values
    with pytest.raises(PatternError, match=r"accepted: counts up to 1e\+15"):
        pattern_from_array(image)


def test_a_single_number_is_no_pattern(tmp_path):
    np.save(tmp_path / "a.npy", np.array(7.0))
    with pytest.raises(PatternError, match="accepted"):
        read_pattern(tmp_path / "a.npy")
