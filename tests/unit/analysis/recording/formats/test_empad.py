import numpy as np
import pytest

from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError

FRAMES = np.random.default_rng(2).random((6, 130, 128)).astype("<f4")  # two lines of each frame are no pixels


def describe(folder, name, inside=""):
    (folder / "a.xml").write_text(f'<?xml version="1.0"?><root><raw_file filename="{name}"/>{inside}</root>')
    return folder / "a.xml"


def test_shape_from_the_name_and_pixel_from_the_description(tmp_path):
    FRAMES.tofile(tmp_path / "scan_x3_y2.raw")
    pixel = "<calibrated_pixelsize>2e-10</calibrated_pixelsize>"
    field = "<optics.get_full_scan_field_of_view>(3e-9, 2e-9)</optics.get_full_scan_field_of_view>"
    file = describe(tmp_path, "scan_x3_y2.raw", f"<iom_measurements>{pixel}{field}</iom_measurements>")
    with open_scan(file) as found:
        assert found.scan_shape == (2, 3) and found.calibration.pixel_per_nm == pytest.approx(0.2)
        np.testing.assert_array_equal(found.mean(1, 0, 1), FRAMES[3, :128])


@pytest.mark.parametrize(
    "inside",
    [
        "<pix_x>3</pix_x><pix_y>2</pix_y>",
        "<scan_parameters><series_count>6</series_count></scan_parameters>",
    ],
)
def test_shape_from_the_description(tmp_path, inside):
    FRAMES.tofile(tmp_path / "film.raw")
    file = describe(tmp_path, "film.raw", inside)
    np.testing.assert_array_equal(read_pattern(file, frame=(4,)).array, FRAMES[4, :128])


@pytest.mark.parametrize(
    ("before", "encoding"),
    [
        ("<!-- made by hand -->", "utf-8"),
        ('<?xml version="1.0"?><!-- ' + 5000 * "long " + "-->", "utf-8"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-16"),
        ('\ufeff<?xml version="1.0"?>', "utf-8"),
        ("", "utf-8"),
    ],
)
def test_a_description_is_known_however_it_begins(tmp_path, before, encoding):
    FRAMES.tofile(tmp_path / "scan_x3_y2.raw")
    text = f"{before}<root><timestamp isoformat='2020-01-01T00:00:00'/><raw_file filename='scan_x3_y2.raw'/></root>"
    (tmp_path / "a.XML").write_bytes(text.encode(encoding))
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.XML", frame=(1, 0)).array, FRAMES[3, :128])


def test_a_description_of_something_else_is_nobodys(tmp_path):
    (tmp_path / "a.xml").write_text("<!-- raw_file --><root><file filename='a.raw'/></root>")
    with pytest.raises(PatternError, match="nobody reads"):
        read_pattern(tmp_path / "a.xml")


@pytest.mark.parametrize("name", ["../film.raw", "/etc/passwd", r"C:\data\film.raw", "..", ""])
def test_frames_elsewhere_are_refused(tmp_path, name):
    with pytest.raises(PatternError, match=r"accepted: (references to files of its own|files that lie beside it)"):
        read_pattern(describe(tmp_path, name))


def test_missing_and_short_frames_are_one_line(tmp_path):
    file = describe(tmp_path, "scan_x3_y2.raw")
    with pytest.raises(PatternError, match="accepted: files that lie beside it"):
        read_pattern(file)
    FRAMES[:2].tofile(tmp_path / "scan_x3_y2.raw")
    with pytest.raises(PatternError, match="cannot be read"):
        read_pattern(file, frame=(5,))
