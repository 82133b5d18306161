import numpy as np
import pytest

from pacbed.analysis.recording.formats.merlin import PER_LINE, TOTAL, read_merlin
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError


@pytest.mark.parametrize(
    ("per_line", "total", "shape"), [(5, 15, (3, 5)), (3, 15, (5, 3)), (1, 15, (15,)), (None, None, (15,))]
)
def test_lines_are_stated_or_there_are_none(write_mib, scan, per_line, total, shape):
    (found,) = read_merlin(write_mib(scan.reshape(15, 32, 40), per_line, total))
    assert found.shape == (*shape, 32, 40)
    np.testing.assert_array_equal(np.asarray(found.values).reshape(scan.shape), scan)


def test_an_interrupted_scan_keeps_its_complete_lines(write_mib, scan):
    (found,) = read_merlin(write_mib(scan.reshape(15, 32, 40), per_line=4, total=40))
    assert found.shape == (3, 4, 32, 40)
    np.testing.assert_array_equal(np.asarray(found.values)[2, 1], scan.reshape(15, 32, 40)[9])


def test_frames_stay_in_their_file(write_mib, scan):
    (found,) = read_merlin(write_mib(scan.reshape(15, 32, 40), per_line=5, total=15))
    assert isinstance(found.values, np.memmap) and not found.values.flags.writeable


def test_one_frame_is_a_pattern(write_mib, image):
    np.testing.assert_array_equal(read_pattern(write_mib(image[None])).array, image)


@pytest.mark.parametrize("name", ["A.MIB", "a.Mib", "a.dat", "a.mib.MIB", "a"])
@pytest.mark.parametrize("suffix", [".hdr", ".HDR"])
def test_names_are_written_in_any_way(write_mib, scan, tmp_path, name, suffix):
    file = write_mib(scan.reshape(15, 32, 40), per_line=5, total=15)
    renamed = file.rename(tmp_path / name)
    file.with_suffix(".hdr").rename(renamed.with_suffix(suffix))
    with open_scan(renamed) as found:
        assert found.scan_shape == (3, 5)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_the_header_of_the_same_spelling_counts(write_mib, scan):
    file = write_mib(scan.reshape(15, 32, 40), per_line=5, total=15)
    file.with_name("A.HDR").write_text(f"HDR,\t\n{TOTAL}:\t15\n{PER_LINE}:\t3\nEnd\t\n")
    (found,) = read_merlin(file)
    assert found.shape[:2] == (3, 5)


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (f"HDR,\t\r\n{TOTAL}:\t15.0\r\n{PER_LINE}:\t5\r\nEnd\t\r\n".encode(), (3, 5)),
        (f"HDR,\t\n{TOTAL}:\t15\n{PER_LINE}:\t5\nDwell:\t10 µs\nno tab\nEnd\t\n".encode("latin-1"), (3, 5)),
        (f"HDR,\t\n{TOTAL}:\t15\n{PER_LINE}:\t5\nDwell:\t10 µs\nEnd\t\n".encode(), (3, 5)),
        (bytes(range(256)) * 4, (15,)),
        (b"", (15,)),
    ],
)
def test_a_header_is_read_as_far_as_it_speaks_of_frames(write_mib, scan, content, shape):
    file = write_mib(scan.reshape(15, 32, 40))
    file.with_suffix(".hdr").write_bytes(content)
    (found,) = read_merlin(file)
    assert found.shape == (*shape, 32, 40)


@pytest.mark.parametrize("number", ["", "many", "nan", "inf"])
def test_a_header_without_numbers_is_what_cannot_be_read(write_mib, scan, number):
    file = write_mib(scan.reshape(15, 32, 40))
    file.with_suffix(".hdr").write_text(f"HDR,\t\n{TOTAL}:\t{number}\n{PER_LINE}:\t5\nEnd\t\n")
    text = rf"file: .*a\.hdr states '{number}' for .*, accepted: a whole number, or no such file, and --scan-shape"
    with pytest.raises(PatternError, match=text):
        read_pattern(file)
