"""MAT files, and other files whose columns are stored first."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError


def write_73(file, **arrays):
    """As MATLAB writes version 7.3: HDF5 behind 512 bytes of its own, axes in reverse order."""
    with h5py.File(file, "w", userblock_size=512) as store:
        for name, array in arrays.items():
            store[name] = np.ascontiguousarray(array.T)
            store[name].attrs["MATLAB_class"] = np.bytes_("uint16")
    with file.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return file


def write_5(file, **arrays):
    """As MATLAB writes by default, packed."""
    savemat(file, {**arrays, "note": "text", "list": [{"a": 1}], "kept": np.eye(40) > 0}, do_compression=True)
    return file


def write_octave(file, **arrays):
    """As Octave writes HDF5."""
    with h5py.File(file, "w") as store:
        for name, array in arrays.items():
            store[f"{name}/value"] = np.ascontiguousarray(array.T)
            store[name].attrs["OCTAVE_NEW_FORMAT"] = np.uint8(1)
    return file


WRITERS = pytest.mark.parametrize("write", [write_73, write_5, write_octave])


@WRITERS
def test_a_pattern_is_not_transposed(tmp_path, image, write):
    np.testing.assert_array_equal(read_pattern(write(tmp_path / "a.mat", image=image)).array, image)


@WRITERS
def test_a_scan_with_the_patterns_first_as_matlab_has_them(tmp_path, scan, write):
    cube = np.moveaxis(scan, (0, 1), (2, 3))
    with open_scan(write(tmp_path / "a.mat", cube=cube)) as found:
        assert found.scan_shape == (3, 5)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


@WRITERS
@pytest.mark.parametrize("last", [True, False])
def test_a_series_of_frames(tmp_path, scan, write, last):
    frames = scan.reshape(15, 32, 40)
    file = write(tmp_path / "a.mat", frames=np.moveaxis(frames, 0, -1) if last else frames)
    np.testing.assert_array_equal(read_pattern(file, frame=(7,)).array, frames[7])


def test_a_scan_with_the_patterns_last_is_asked_about(tmp_path, scan):
    file = write_73(tmp_path / "a.mat", cube=scan)
    with pytest.raises(PatternError, match="scan_shape: got none"), open_scan(file):
        pass
    with open_scan(file, scan_shape=(3, 5)) as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_several_arrays_are_asked_about(tmp_path, image):
    file = write_5(tmp_path / "a.mat", image=image, dark=image + 1)
    with pytest.raises(PatternError, match=r"accepted: one of image \(48 x 40\), dark"):
        read_pattern(file)
    np.testing.assert_array_equal(read_pattern(file, dataset="dark").array, image + 1)


def test_complex_numbers_and_damage_are_refused(tmp_path, image):
    with pytest.raises(PatternError, match="values of type complex128, accepted: real numbers"):
        read_pattern(write_5(tmp_path / "a.mat", image=image + 1j))
    file = tmp_path / "b.mat"
    file.write_bytes(write_5(tmp_path / "a.mat", image=image).read_bytes()[:900])
    with pytest.raises(PatternError, match="cannot be read"):
        read_pattern(file)


def test_version_4_which_has_no_mark(tmp_path, image):
    savemat(tmp_path / "A.MAT", {"film": image.astype(float), "step": 0.4}, format="4")
    np.testing.assert_array_equal(read_pattern(tmp_path / "A.MAT").array, image)
    (tmp_path / "b.mat").write_bytes(b"no file of that kind" * 10)
    with pytest.raises(PatternError, match=r"b\.mat cannot be read"):
        read_pattern(tmp_path / "b.mat")
