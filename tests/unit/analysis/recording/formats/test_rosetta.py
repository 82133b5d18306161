import warnings

import numpy as np
import pytest

from pacbed.analysis.recording.formats.rosetta import _axis, map_metadata, read_with
from pacbed.analysis.recording.metadata import read_calibration
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan

NAVIGATION = [("y", 1.0, "nm", True), ("x", 1.0, "nm", True)]
DIFFRACTION = [("dy", 0.4, "1/nm", False), ("dx", 0.4, "1/nm", False)]
GATAN = {"Microscope Info": {"Voltage": 80000.0}, "EELS": {"Convergence semi-angle (mrad)": 20.5}}


@pytest.mark.parametrize("version", [3, 4])
def test_digital_micrograph_image(write_dm, image, version):
    pattern = read_pattern(write_dm(image, [(0.1, "1/nm"), (0.1, "1/nm")], version, GATAN))
    np.testing.assert_array_equal(pattern.array, image)
    stated = pattern.calibration
    assert (stated.pixel_per_nm, stated.energy_kev, stated.convergence_mrad) == (pytest.approx(0.1), 80.0, 20.5)


@pytest.mark.parametrize("version", [3, 4])
def test_digital_micrograph_series(write_dm, scan, version):
    steps = [(0.1, "1/nm"), (0.1, "1/nm"), (0.5, "s")]
    with open_scan(write_dm(scan[0], steps, version)) as found:
        assert found.scan_shape == (1, 5)
        np.testing.assert_array_equal(found.mean(0, 3, 1), scan[0, 3])


@pytest.mark.parametrize("front", [False, True])
def test_digital_micrograph_scan_whichever_axes_come_first(write_dm, scan, front):
    plane, raster = [(0.1, "1/nm"), (0.1, "1/nm")], [(2.0, "nm"), (2.0, "nm")]
    data, steps = (np.moveaxis(scan, (2, 3), (0, 1)), raster + plane) if front else (scan, plane + raster)
    with open_scan(write_dm(np.ascontiguousarray(data), steps)) as found:
        assert found.scan_shape == (3, 5) and found.calibration.pixel_per_nm == pytest.approx(0.1)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_digital_micrograph_under_another_name(write_dm, image):
    np.testing.assert_array_equal(read_pattern(write_dm(image, [(1, ""), (1, "")], name="a.tif")).array, image)


def test_merlin_lines_from_the_header_or_the_user(write_mib, scan):
    frames = scan.reshape(15, 32, 40)
    with open_scan(write_mib(frames, per_line=5, total=15)) as found:
        assert found.scan_shape == (3, 5)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_merlin_without_a_header_is_a_series(write_mib, scan):
    file = write_mib(scan.reshape(15, 32, 40))
    with open_scan(file) as found:
        assert found.scan_shape == (1, 15)
    with open_scan(file, scan_shape=(3, 5)) as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
    np.testing.assert_array_equal(read_pattern(file, frame=(11,)).array, scan[2, 1])


def test_mrc_stack(write_mrc, scan):
    file = write_mrc(scan[0])
    with open_scan(file) as found:
        assert found.scan_shape == (1, 5) and found.calibration.pixel_mrad is None
        np.testing.assert_array_equal(found.mean(0, 4, 1), scan[0, 4])
    np.testing.assert_array_equal(read_pattern(file, frame=(2,)).array, scan[0, 2])


def test_tia_image(write_ser, image):
    np.testing.assert_array_equal(read_pattern(write_ser(image)).array, image)


def test_tia_scan(layouts, tmp_path):
    """RosettaSciIO calls the pixels lengths, and would make the scan the pattern."""
    scan = np.random.default_rng(2).integers(0, 4000, (33, 34, 32, 40)).astype(np.uint16)
    file = layouts["write_ser_scan"](tmp_path / "a_1.ser", scan)
    with open_scan(file) as found:
        assert found.scan_shape == (33, 34) and found.calibration.pixel_mrad is None
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
    np.testing.assert_array_equal(read_pattern(file, frame=(2, 1)).array, scan[2, 1])


def test_blockfile_scan(tmp_path, as_signal, scan):
    pytest.importorskip("skimage", reason="scikit-image reads blockfiles")
    from rsciio.blockfile import file_writer

    levels = (scan[..., :32] // 16).astype(np.uint8)
    with warnings.catch_warnings(action="ignore"):  # a blockfile knows centimetres only
        file_writer(str(tmp_path / "a.blo"), as_signal(levels, [*NAVIGATION, *DIFFRACTION]), show_progressbar=False)
    with open_scan(tmp_path / "a.blo") as found:
        assert found.scan_shape == (3, 5) and found.calibration.pixel_mrad is None
        np.testing.assert_array_equal(found.mean(1, 4, 1), levels[1, 4])


def test_names_that_a_module_makes_up_do_not_turn_a_pattern(tmp_path, as_signal, image):
    """RosettaSciIO calls the rows of a Semper file x."""
    from rsciio.semper import file_writer

    stored = image.astype(np.int16)
    assert stored.shape[0] != stored.shape[1]
    with warnings.catch_warnings(action="ignore"):
        file_writer(str(tmp_path / "a.unf"), as_signal(stored, DIFFRACTION))
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.unf").array, stored)


@pytest.mark.parametrize(("bent", "pixel"), [(0.0, 0.4), (0.02, None)])
def test_an_axis_listed_element_by_element(image, bent, pixel):
    """As HyperSpy stores data axes."""
    listed = [
        {"name": "k", "units": "mrad", "axis": 0.4 * np.arange(n) + bent * np.arange(n) ** 2, "index_in_array": number}
        for number, n in enumerate(image.shape)
    ]
    found = read_calibration([_axis(axis, own_flags=True) for axis in listed], {}, {})
    assert found.pixel_mrad == (None if pixel is None else pytest.approx(pixel))
    assert ("not uniform" in found.trouble) is (pixel is None)


def test_the_mapping_is_applied_to_the_metadata():
    original = {"Tags": {"Voltage": 200e3, "Date": "?", "Zero": 0}}
    mapping = {
        "Tags.Voltage": ("Acquisition_instrument.TEM.beam_energy", lambda volts: volts / 1e3),
        "Tags.Date": ("General.date", lambda text: None),
        "Tags.Zero": ("General.zero", None),
        "Tags.Missing.Deeper": ("General.missing", None),
    }
    metadata = {"General": {"title": "film"}}
    found = map_metadata(metadata, original, mapping)
    assert found == {
        "General": {"title": "film", "zero": 0},
        "Acquisition_instrument": {"TEM": {"beam_energy": 200.0}},
    }
    assert metadata == {"General": {"title": "film"}}, "the reader's own dictionary stays as it is"


def test_flags_that_a_module_only_assumes_are_left_out(write_dm, image):
    file = write_dm(image, [(0.1, "1/nm"), (0.1, "1/nm")])
    (own,) = read_with("digitalmicrograph", file)
    (assumed,) = read_with("digitalmicrograph", file, own_flags=False)
    assert [axis.scan for axis in own.axes] == [False, False]
    assert [axis.scan for axis in assumed.axes] == [None, None]
    assert own.title == "film" and read_calibration(own.axes, own.metadata, own.original).pixel_per_nm == pytest.approx(
        0.1
    )
