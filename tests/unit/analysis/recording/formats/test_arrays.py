import numpy as np
import pytest

from pacbed.analysis.recording.formats.arrays import ZippedArray, open_npy, open_npz


def test_an_array_stays_in_its_file(tmp_path, scan):
    np.save(tmp_path / "a.npy", scan)
    with open_npy(tmp_path / "a.npy") as (found,):
        assert isinstance(found.values, np.memmap) and found.shape == scan.shape
        np.testing.assert_array_equal(found.values[1, 2], scan[1, 2])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_an_archive_are_known_before_they_are_read(tmp_path, save, scan, image):
    save(tmp_path / "a.npz", film=scan, dark=image)
    with open_npz(tmp_path / "a.npz") as found:
        assert {one.path: one.shape for one in found} == {"film": scan.shape, "dark": image.shape}
        assert found[0].values.dtype == np.uint16
        np.testing.assert_array_equal(found[0].values[2, 1:3], scan[2, 1:3])


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", trap=np.array([{"a": 1}], dtype=object))
    zipped = ZippedArray(tmp_path / "a.npz", "trap.npy")
    assert zipped.dtype == object
    with pytest.raises(ValueError, match="allow_pickle"):
        zipped[0]
