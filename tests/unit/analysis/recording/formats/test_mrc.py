import struct

import numpy as np
import pytest

from pacbed.analysis.recording.formats.mrc import IMOD, read_mrc
from pacbed.analysis.recording.formats.quiet import quiet
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError


def changed(file, *fields, content=None):
    """The file with other values in its header, each a format, an offset and numbers, and other values behind it."""
    header = bytearray(file.read_bytes()[:1024])
    values = file.read_bytes()[1024:] if content is None else content
    for layout, offset, *numbers in fields:
        struct.pack_into(layout, header, offset, *numbers)
    file.write_bytes(bytes(header) + values)
    return file


def values_of(file):
    with quiet():  # RosettaSciIO leaves the file to be closed by itself
        (found,) = read_mrc(file)
    return np.asarray(found.values)


def test_a_stack_is_read_as_it_stands(write_mrc, scan):
    with quiet():
        (found,) = read_mrc(write_mrc(scan[0]))
    np.testing.assert_array_equal(np.asarray(found.values), scan[0])
    assert all(axis.scan is None for axis in found.axes), "which axes are scan is not stated"


@pytest.mark.parametrize(
    ("fields", "signed"),
    [
        ([("<f", 76, -128.0)], True),
        ([("<f", 76, 0.0)], False),
        ([("<f", 76, float("nan"))], False),
        ([("<2i", 152, IMOD, 1)], True),
        ([("<2i", 152, IMOD, 5)], True),
        ([("<2i", 152, IMOD, 4)], False),
    ],
)
def test_bytes_are_signed_where_the_header_says_so(write_mrc, scan, fields, signed):
    values = np.arange(5 * 32 * 40).reshape(5, 32, 40).astype(np.int8 if signed else np.uint8)
    file = changed(write_mrc(scan[0]), ("<i", 12, 0), *fields, content=values.tobytes())
    np.testing.assert_array_equal(values_of(file), values)


@pytest.mark.parametrize(("mode", "kind"), [(0, "u1"), (1, ">i2"), (2, ">f4"), (6, ">u2"), (12, ">f2")])
@pytest.mark.parametrize("stamp", [0x11, 0, 0x44])
def test_big_endian_files_are_known_by_their_stamp_or_their_size(write_mrc, scan, mode, kind, stamp):
    values = (scan[0] % 256).astype(kind)
    fields = [(">4i", 0, 40, 32, 5, mode), ("B", 212, stamp)]
    np.testing.assert_array_equal(values_of(changed(write_mrc(scan[0]), *fields, content=values.tobytes())), values)


def test_a_wrong_stamp_does_not_keep_a_file_from_being_read(write_mrc, scan):
    np.testing.assert_array_equal(values_of(changed(write_mrc(scan[0]), ("B", 212, 0x11))), scan[0])


@pytest.mark.parametrize("lengths", [(40, 32, 6), (2**30, 2**30, 2**30), (40, 0, 5), (-40, 32, 5)])
def test_a_header_that_declares_more_than_there_is_is_refused(write_mrc, scan, lengths):
    with pytest.raises(PatternError, match=r"declares .*, accepted: no more than the file holds"):
        read_mrc(changed(write_mrc(scan[0]), ("<3i", 0, *lengths)))


def test_a_header_that_is_cut_is_told(write_mrc, scan):
    file = write_mrc(scan[0])
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(PatternError, match="ends within its header of 1024 bytes"):
        read_mrc(file)


@pytest.mark.parametrize("order", [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)])
def test_columns_rows_and_sections_may_lie_along_any_axes(write_mrc, scan, order):
    """Numbers 1, 2 and 3 are x, y and z; a picture whose columns run along y stands on its side in the file."""
    stored = scan[0].transpose([3 - number for number in order[::-1]])
    file = changed(write_mrc(stored), ("<3i", 64, *order))
    np.testing.assert_array_equal(values_of(file), scan[0])
    with open_scan(file) as found:
        np.testing.assert_array_equal(found.mean(0, 3, 1), scan[0, 3])


@pytest.mark.parametrize("order", [(0, 0, 0), (1, 1, 1), (-1, 2, 3)])
def test_an_order_of_axes_that_is_none_is_the_usual_one(write_mrc, scan, order):
    np.testing.assert_array_equal(values_of(changed(write_mrc(scan[0]), ("<3i", 64, *order))), scan[0])


def test_a_single_picture_on_its_side(write_mrc, image):
    file = changed(write_mrc(image.T[None]), ("<3i", 64, 2, 1, 3))
    np.testing.assert_array_equal(read_pattern(file).array, image)


@pytest.mark.parametrize(("mode", "size"), [(3, 4), (4, 8), (101, 0.5), (7, 4)])
def test_values_that_are_no_real_numbers_of_whole_bytes_are_refused(write_mrc, scan, mode, size):
    file = changed(write_mrc(scan[0]), ("<i", 12, mode), content=bytes(int(scan[0].size * size)))
    with pytest.raises(PatternError, match=rf"values of MRC's mode {mode}, accepted: real numbers of mode 0, 1, 2"):
        read_pattern(file, frame=(0,))


NOTES = {
    "Scan - Enable": "Enable", "Scan - Type": "Raster", "Scan - Size X": 5, "Scan - Size Y": 3,
    "Scan - Time (seconds)": 1, "Scan - Repeat Delay (seconds)": 1, "Frames Per Second": 100,
    "Image Size X (pixels)": 40, "Image Size Y (pixels)": 32,
}  # fmt: skip
STEPS = {f"Diffraction Pixel Size {axis}": 0.4 for axis in "XY"}
STEPS |= {f"Specimen Pixel Size {axis} (nanometers)": 2.0 for axis in "XY"}


@pytest.mark.parametrize(
    ("steps", "per_nm", "step_nm"), [(STEPS, 0.4, 2.0), ({}, None, None), (dict.fromkeys(STEPS, -1), None, None)]
)
def test_a_movie_of_direct_electron_has_the_steps_of_its_notes(write_mrc, tmp_path, scan, steps, per_nm, step_nm):
    movie = write_mrc(scan.reshape(15, 32, 40)).rename(tmp_path / "20240101_00001_movie.mrc")
    notes = "".join(f"{key} = {value}\n" for key, value in {**NOTES, **steps}.items())
    (tmp_path / "20240101_00001_info.txt").write_text(notes)
    with open_scan(movie) as found:
        assert found.scan_shape == (3, 5)
        assert (found.calibration.pixel_per_nm, found.step_nm) == (per_nm, step_nm)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
