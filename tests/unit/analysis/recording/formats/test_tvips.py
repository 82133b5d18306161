import tracemalloc

import numpy as np
import pytest
from rsciio.tvips import file_reader, file_writer

from pacbed.analysis.recording.formats.tvips import read_tvips
from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError

NAVIGATION = [("y", 1.0, "nm", True), ("x", 1.0, "nm", True)]
PLANE = [("dy", 15600.0, "1/nm", False), ("dx", 15600.0, "1/nm", False)]
HEADER, VERSION = 256, slice(4, 8)  # bytes of the file's header, and where it says its version


@pytest.fixture
def write(tmp_path, as_signal, scan):
    """Function that writes a scan of 3 x 5 frames of 32 x 40 pixels."""

    def work(**options):
        signal = as_signal(scan, [*NAVIGATION, *PLANE], tem={"beam_energy": 200.0})
        file_writer(str(tmp_path / "a_000.tvips"), signal, show_progressbar=False, **options)
        return tmp_path / "a_000.tvips"

    return work


def test_a_scan_does_not_take_the_camera_s_pixels_for_those_of_the_pattern(write, scan):
    with open_scan(write(), scan_shape=(3, 5)) as found:
        assert found.scan_shape == (3, 5)
        assert found.calibration == Calibration(energy_kev=200.0)
        np.testing.assert_array_equal(found.mean(1, 4, 1), scan[1, 4])


@pytest.mark.parametrize("options", [{}, {"frame_header_extra_bytes": 52}, {"max_file_size": 20000}])
def test_frames_are_those_that_rosettasciio_finds(write, options):
    file = write(**options)
    values = read_tvips(file)[0].values
    np.testing.assert_array_equal(values[:], file_reader(str(file))[0]["data"])
    np.testing.assert_array_equal(values[11, 3:7], file_reader(str(file))[0]["data"][11, 3:7])
    assert (len(list(file.parent.iterdir())) > 1) == ("max_file_size" in options)


def test_a_large_scan_stays_in_its_file(write):
    """Two gigabytes more, which the file system need not store."""
    file = write()
    record = (file.stat().st_size - HEADER) // 15
    with file.open("r+b") as stream:
        stream.truncate(HEADER + (2**31 // record) * record)
    tracemalloc.start()
    values = read_tvips(file)[0].values
    last = values.shape[0] - 1
    assert last + 1 == 2**31 // record and values[0].any() and not values[last].any()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_gap_in_a_series_is_named(write, tmp_path):
    """Frames before it alone would make another scan."""
    file = write(max_file_size=8000)
    assert len(list(tmp_path.iterdir())) > 3
    (tmp_path / "a_001.tvips").unlink()
    with pytest.raises(PatternError, match=r"a_000\.tvips goes on in a_002\.tvips, and a_001\.tvips is not there"):
        read_tvips(file)


def test_other_files_are_named(write, tmp_path):
    file = write(max_file_size=20000)
    with pytest.raises(PatternError, match=r"a_001\.tvips, accepted: the first file"):
        read_tvips(tmp_path / "a_001.tvips")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a_001.tvips").rename(tmp_path / "elsewhere" / "b")
    (tmp_path / "a_001.tvips").symlink_to(tmp_path / "elsewhere" / "b")
    with pytest.raises(PatternError, match=r"goes on in .*elsewhere.b, accepted: files of its own folder"):
        read_tvips(file)
    content = bytearray(file.read_bytes())
    content[VERSION] = (1).to_bytes(4, "little")
    file.write_bytes(content)
    with pytest.raises(PatternError, match="has version 1 of TVIPS, accepted: 2"):
        read_tvips(file)
