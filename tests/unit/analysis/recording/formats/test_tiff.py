import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from pacbed.analysis.recording.formats.opening import open_images
from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError

GREY = np.random.default_rng(0).integers(0, 256, (40, 48)).astype(np.uint8)
DEEP = np.random.default_rng(1).integers(0, 4000, (40, 48)).astype(np.uint16)
LINEAR = np.tile((np.arange(256) * 257).astype(np.uint16), (3, 1))


def test_pages_with_lossless_compression(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", DEEP, compression="zlib")
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.tif").array, DEEP)


@pytest.mark.parametrize("codec", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_pages_as_image_programs_compress_them(tmp_path, codec):
    if codec == "tiff_lzw":
        pytest.importorskip("imagecodecs", reason="imagecodecs unpacks LZW")
    Image.fromarray(DEEP).save(tmp_path / "a.tif", compression=codec)
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.tif").array, DEEP)


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (np.stack([GREY] * 3, axis=-1), {"photometric": "rgb"}),
        (np.stack([GREY] * 3), {"photometric": "rgb", "planarconfig": "separate"}),
        (np.stack([GREY, GREY], axis=-1), {"planarconfig": "contig", "extrasamples": ["unassalpha"]}),
        (255 - GREY, {"photometric": "miniswhite"}),
        (255 - GREY, {"photometric": "palette", "colormap": LINEAR[:, ::-1]}),
    ],
    ids=["contiguous", "planes", "opacity", "white is zero", "palette"],
)
def test_grey_levels_however_they_are_stored(tmp_path, image, options):
    tifffile.imwrite(tmp_path / "a.tif", image, **options)
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.tif").array, GREY)


@pytest.mark.parametrize(
    ("image", "options", "text"),
    [
        (np.stack([GREY] * 4, axis=-1), {"photometric": "separated"}, "SEPARATED with 4 channels"),
        (np.stack([GREY] * 2, axis=-1), {"photometric": "minisblack", "planarconfig": "contig"}, "2 channels"),
        (np.stack([GREY] * 3, axis=-1), {"photometric": "cielab"}, "CIELAB"),
        (GREY, {"photometric": "palette", "colormap": LINEAR * np.array([[1], [0], [1]], np.uint16)}, "coloured"),
    ],
)
def test_channels_that_are_no_grey_levels_are_refused(tmp_path, image, options, text):
    tifffile.imwrite(tmp_path / "a.tif", image, **options)
    with pytest.raises(PatternError, match=text):
        read_pattern(tmp_path / "a.tif")


def test_channels_under_another_name_are_named(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((40, 48, 4, 3), np.uint16), photometric="rgb", metadata={"axes": "YXTZ"}
    )
    with pytest.raises(PatternError, match="channels along none of its axes YXTZ"):
        read_pattern(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("unit", "stated"),
    [
        ("mrad", Calibration(pixel_mrad=pytest.approx(0.4))),
        ("1/nm", Calibration(pixel_per_nm=pytest.approx(0.4))),
        ("micron", Calibration()),
        ("pixel", Calibration()),
    ],
)
def test_imagej_states_its_pixel_in_its_unit(tmp_path, unit, stated):
    step = (1 / 0.4, 1 / 0.4)
    tifffile.imwrite(tmp_path / "a.tif", DEEP, imagej=True, resolution=step, metadata={"unit": unit})
    assert read_pattern(tmp_path / "a.tif").calibration == stated


def test_a_stack_of_imagej_is_a_series_with_its_pixel(tmp_path, scan):
    about = {"unit": "mrad", "axes": "TYX"}
    tifffile.imwrite(tmp_path / "a.tif", scan[0], imagej=True, resolution=(2.0, 2.0), metadata=about)
    with open_scan(tmp_path / "a.tif") as found:
        assert found.scan_shape == (1, 5) and found.calibration.pixel_mrad == 0.5
        np.testing.assert_array_equal(found.mean(0, 3, 1), scan[0, 3])


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
def test_pages_of_one_size_are_a_series(tmp_path, scan, options):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for frame in scan.reshape(15, 32, 40):
            writer.write(frame, metadata=None, **options)
    with open_scan(tmp_path / "a.tif", scan_shape=(3, 5)) as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.tif", frame=(11,)).array, scan[2, 1])


def test_a_thumbnail_is_left_out_when_it_is_marked_and_asked_about_when_not(tmp_path):
    with tifffile.TiffWriter(tmp_path / "marked.tif") as writer:
        writer.write(GREY[:36, :36], subfiletype=1, metadata=None)
        writer.write(DEEP, metadata=None)
    np.testing.assert_array_equal(read_pattern(tmp_path / "marked.tif").array, DEEP)
    with tifffile.TiffWriter(tmp_path / "plain.tif") as writer:
        writer.write(GREY[:36, :36], metadata=None)
        writer.write(DEEP, metadata=None)
    with pytest.raises(PatternError, match=r"dataset: got none .* one of 0 \(36 x 36\), 1 \(40 x 48\)"):
        read_pattern(tmp_path / "plain.tif")
    np.testing.assert_array_equal(read_pattern(tmp_path / "plain.tif", dataset="1").array, DEEP)


def test_a_page_of_negative_width_is_refused(tmp_path):
    """As a single flipped bit makes it: the width becomes a signed byte."""
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((128, 128), np.uint16))
    content = bytearray((tmp_path / "a.tif").read_bytes())
    assert content[10:14] == b"\0\1\4\0"  # tag 256, the width, as a long integer
    content[12] = 6
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(PatternError, match="a page without pixels"):
        read_pattern(tmp_path / "a.tif")


def test_the_tags_of_digital_micrograph_are_read(tmp_path):
    tags = [
        (65003, "s", 5, "1/nm", True),
        (65004, "s", 5, "1/nm", True),
        (65009, "d", 1, 0.1, True),
        (65010, "d", 1, 0.1, True),
    ]
    tifffile.imwrite(tmp_path / "a.tif", DEEP, extratags=tags, metadata=None)
    assert read_pattern(tmp_path / "a.tif").calibration.pixel_per_nm == pytest.approx(0.1)


OWN, OTHER = "urn:uuid:11111111-1111-1111-1111-111111111111", "urn:uuid:22222222-2222-2222-2222-222222222222"


def ome(own, names):
    """Description of an OME-TIFF whose frames lie in files of some names, the first in the file `own` itself."""
    places = "".join(
        f'<TiffData IFD="0" FirstT="{frame}" PlaneCount="1"><UUID FileName="{name}">{uuid}</UUID></TiffData>'
        for frame, (uuid, name) in enumerate(zip((OWN, OTHER), names, strict=False))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        f'UUID="{own}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYTCZ" Type="uint16" SizeX="48" '
        f'SizeY="40" SizeC="1" SizeZ="1" SizeT="2"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{places}'
        "</Pixels></Image></OME>"
    )


@pytest.mark.parametrize("absolute", [False, True])
def test_frames_of_an_ome_tiff_lie_beside_it(tmp_path, absolute):
    folder = tmp_path / "inside"
    folder.mkdir()
    outside, inside = (place / "other.ome.tif" for place in (tmp_path, folder))
    for place in (outside, inside):
        tifffile.imwrite(place, DEEP + 1, description=ome(OTHER, ["a.ome.tif", "other.ome.tif"]), metadata=None)
    for name, accepted in (("other.ome.tif", True), (str(outside) if absolute else "../other.ome.tif", False)):
        file = folder / "a.ome.tif"
        tifffile.imwrite(file, DEEP, description=ome(OWN, ["a.ome.tif", name]), metadata=None)
        if accepted:
            np.testing.assert_array_equal(read_pattern(file, frame=(1,)).array, DEEP + 1)
            continue
        with pytest.raises(PatternError, match="files of its own folder only"):
            read_pattern(file, frame=(1,))


def test_frames_that_are_not_there_are_no_zeros(tmp_path):
    file = tmp_path / "renamed.ome.tif"
    tifffile.imwrite(file, DEEP, description=ome(OWN, ["a.ome.tif", "gone.ome.tif"]), metadata=None)
    with pytest.raises(PatternError, match=r"'gone\.ome\.tif' in .*accepted: files that lie beside it"):
        read_pattern(file, frame=(0,))
    tifffile.imwrite(file, DEEP, description=ome(OWN, ["a.ome.tif"]), metadata=None)
    with pytest.raises(PatternError, match="lacks 1 of the 2 pages"):
        read_pattern(file, frame=(0,))


COLOURED = np.stack([GREY, GREY // 2, GREY // 3], axis=-1)
ASIDE = {
    "smaller copy": (COLOURED, {"photometric": "rgb", "subfiletype": 1}),
    "preview that is not called one": (COLOURED, {"photometric": "rgb"}),
    "logo in other channels": (np.stack([GREY] * 4, axis=-1), {"photometric": "separated"}),
    "mask": (GREY > 99, {"photometric": 4, "subfiletype": 4}),
}


@pytest.mark.parametrize("kind", ASIDE)
def test_coloured_copies_and_masks_do_not_hide_the_pattern(tmp_path, kind):
    image, options = ASIDE[kind]
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(image, **options)
        tiff.write(DEEP, photometric="minisblack")
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.tif").array, DEEP)


def test_a_palette_of_eight_bits_is_read_as_one(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", 255 - GREY, photometric="palette", colormap=LINEAR[:, ::-1] // 257)
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.tif").array, GREY)


@pytest.mark.parametrize("mark", range(9))
def test_the_mark_that_turns_a_page_is_followed(tmp_path, mark):
    """As Pillow turns a picture with the same mark."""
    tifffile.imwrite(tmp_path / "a.tif", GREY, extratags=[(274, "H", 1, mark, True)], metadata=None)
    picture = Image.fromarray(GREY)
    picture.getexif()[274] = mark
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.tif").array, np.asarray(ImageOps.exif_transpose(picture)))


@pytest.mark.parametrize("options", [{}, {"photometric": "rgb"}])
def test_what_lies_where_on_a_page_that_stands_on_its_side(tmp_path, scan, options):
    """Mark 6: the first row stored is the right side, the first column the top."""
    frames = scan[0] // 16
    stored = np.stack([frames] * 3, axis=-1).astype(np.uint8) if options else frames
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for frame in stored:
            writer.write(frame, metadata=None, extratags=[(274, "H", 1, 6, True)], **options)
    with open_scan(tmp_path / "a.tif") as found:
        assert found.scan_shape == (1, 5) and found.pattern_shape == (40, 32)
        np.testing.assert_array_equal(found.mean(0, 3, 1), np.rot90(frames[3], -1))
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.tif", frame=(2,)).array, np.rot90(frames[2], -1))


def test_the_steps_of_a_turned_page_follow_it(tmp_path):
    tags = [
        (274, "H", 1, 8, True),
        *((code, "s", 5, "1/nm", True) for code in (65003, 65004)),
        *((code, "d", 1, step, True) for code, step in ((65009, 0.1), (65010, 0.103))),
    ]
    tifffile.imwrite(tmp_path / "a.tif", DEEP, extratags=tags, metadata=None)
    with open_images(tmp_path / "a.tif") as (turned,):
        steps = [axis.scale for axis in turned.axes]
    tifffile.imwrite(tmp_path / "a.tif", DEEP, extratags=tags[1:], metadata=None)
    with open_images(tmp_path / "a.tif") as (stored,):
        assert steps == [axis.scale for axis in stored.axes[::-1]] and len(set(steps)) == 2


def test_the_pixel_beside_imagej_s_unit_of_the_scan(tmp_path, as_signal, scan):
    """HyperSpy writes the unit of its first axis for ImageJ, and those of all for DigitalMicrograph."""
    from rsciio.tiff import file_writer

    axes = [("y", 1.0, "nm", True), ("x", 1.0, "nm", True), ("ky", 0.4, "mrad", False), ("kx", 0.4, "mrad", False)]
    file_writer(str(tmp_path / "a.tif"), as_signal(scan, axes))
    with open_scan(tmp_path / "a.tif", scan_shape=(3, 5)) as found:
        assert found.calibration.pixel_mrad == pytest.approx(0.4)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
