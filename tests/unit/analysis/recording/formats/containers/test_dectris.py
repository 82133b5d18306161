import h5py
import numpy as np
import pytest

from pacbed.analysis.recording.formats.containers.dectris import JoinedFrames, frame_sets
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError


@pytest.fixture
def master(layouts, tmp_path, scan):
    """A master and two files of frames, 11 and 4 of 15; a pixel of the detector is bad."""
    frames = scan.reshape(15, 32, 40).copy()
    frames[:, 3, 4] = 65535
    return layouts["write_master"](tmp_path / "film_master.h5", frames, first=11)


def test_frames_of_all_files_are_one_series(master, scan):
    with open_scan(master, scan_shape=(3, 5)) as found:
        assert found.scan_shape == (3, 5) and found.calibration.energy_kev == 200.0
        for row, column in np.ndindex(3, 5):
            pattern = found.mean(row, column, 1)
            assert np.isnan(pattern[3, 4])
            pattern[3, 4] = scan[row, column, 3, 4]
            np.testing.assert_array_equal(pattern, scan[row, column])
    with open_scan(master) as found:
        assert found.scan_shape == (1, 15)


def test_one_frame_without_its_bad_pixels(master, scan):
    pattern = read_pattern(master, frame=(12,))
    assert np.isnan(pattern.array[3, 4]) and pattern.saturated is None
    np.testing.assert_array_equal(pattern.array[4:], scan[2, 2, 4:])


def test_frames_elsewhere_are_not_followed(master, tmp_path):
    (tmp_path / "film_data_000002.h5").rename(tmp_path.parent / "elsewhere.h5")
    with h5py.File(master, "a") as store:
        del store["entry/data/data_000002"]
        store["entry/data/data_000002"] = h5py.ExternalLink("../elsewhere.h5", "/entry/data/data")
    with pytest.raises(PatternError, match="accepted: references to files of its own folder only"), open_scan(master):
        pass


def test_missing_frames_are_named(master, tmp_path):
    (tmp_path / "film_data_000002.h5").unlink()
    with (
        pytest.raises(PatternError, match=r"film_data_000002\.h5' in .*, accepted: files that"),
        open_scan(master),
    ):
        pass


def test_joined_frames_are_indexed_like_one_array(scan):
    whole = scan.reshape(15, 32, 40)
    joined = JoinedFrames([whole[:4], whole[4:5], whole[5:]])
    assert joined.shape == whole.shape and joined.dtype == whole.dtype
    for key in (slice(None), slice(3, 6), slice(0, 4), slice(4, 15, 3), slice(9, 9), 0, 4, 14):
        np.testing.assert_array_equal(joined[key], whole[key])
    np.testing.assert_array_equal(joined[2:7, 1, 3:5], whole[2:7, 1, 3:5])


def test_sets_of_frames_are_in_the_order_of_their_numbers(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        for name in ("data_10", "data_9", "data_000001", "other"):
            store[f"entry/data/{name}"] = 0
        assert frame_sets(store) == ["data_000001", "data_9", "data_10"]


def test_a_mask_or_an_energy_of_another_shape_is_not_read(master, scan):
    mask, energy = "entry/instrument/detector/detectorSpecific/pixel_mask", "entry/instrument/beam/incident_energy"
    with h5py.File(master, "a") as store:
        del store[mask], store[energy]
        store.create_dataset(mask, (2**20, 2**20), np.uint32, chunks=(64, 64))
        store.create_dataset(energy, (2**40,), np.float64, chunks=(64,))
    with open_scan(master, scan_shape=(3, 5)) as found:
        assert found.bad is None and found.calibration.energy_kev is None


def test_an_energy_in_a_list_of_one_counts(master):
    energy = "entry/instrument/beam/incident_energy"
    with h5py.File(master, "a") as store:
        del store[energy]
        store[energy] = np.array([80e3])
    with open_scan(master) as found:
        assert found.calibration.energy_kev == 80.0


@pytest.mark.parametrize(("energy_ev", "energy_kev"), [(8041.0, None), (12398.4, None), (0.0, None), (30e3, 30.0)])
def test_an_energy_of_x_rays_is_not_that_of_the_beam(layouts, tmp_path, scan, energy_ev, energy_kev):
    file = layouts["write_master"](tmp_path / "a_master.h5", scan.reshape(15, 32, 40), first=11, energy_ev=energy_ev)
    with open_scan(file) as found:
        assert found.calibration.energy_kev == energy_kev


@pytest.mark.parametrize("unit", ["keV", b"kev"])
def test_an_energy_in_the_unit_that_is_stated(layouts, tmp_path, scan, unit):
    file = layouts["write_master"](tmp_path / "a_master.h5", scan.reshape(15, 32, 40), first=11, energy_ev=200.0)
    with h5py.File(file, "r+") as store:
        store["entry/instrument/beam/incident_energy"].attrs["units"] = unit
    with open_scan(file) as found:
        assert found.calibration.energy_kev == 200.0
