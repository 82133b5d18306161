import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageOps

from pacbed.analysis.recording.formats.pictures import open_picture
from pacbed.errors import PatternError

GREY = np.random.default_rng(0).integers(0, 256, (40, 48)).astype(np.uint8)


def read(file):
    with open_picture(file) as (found,):
        return np.asarray(found.values)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.gif"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_grey_levels_survive(tmp_path, name, mode):
    Image.fromarray(GREY).convert(mode).save(tmp_path / name)
    np.testing.assert_array_equal(read(tmp_path / name), GREY)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_pictures_are_turned_as_their_mark_says(tmp_path, name, turn):
    mark = Image.Exif()
    mark[274] = turn
    Image.fromarray(GREY).save(tmp_path / name, exif=mark)
    shown = ImageOps.exif_transpose(Image.open(tmp_path / name))
    np.testing.assert_array_equal(read(tmp_path / name), np.asarray(shown))


def test_sixteen_bits_and_opacity(tmp_path):
    deep = GREY.astype(np.uint16) * 200
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read(tmp_path / "deep.png"), deep)
    Image.fromarray(GREY).convert("LA").save(tmp_path / "clear.png")
    np.testing.assert_array_equal(read(tmp_path / "clear.png"), GREY)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_sixteen_bits_of_several_channels_keep_their_counts(tmp_path, channels):
    deep = GREY.astype(np.uint16) * 200
    planes = [deep] * (channels - 1 if channels != 3 else 3)
    image = np.stack(planes if channels == 3 else [*planes, np.full_like(deep, 65535)], axis=-1)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(image))
    np.testing.assert_array_equal(read(tmp_path / "a.png"), deep)


def test_sixteen_bits_of_colour_are_refused(tmp_path):
    deep = GREY.astype(np.uint16) * 200
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(np.stack([deep, deep // 2, deep], axis=-1)))
    with pytest.raises(PatternError, match="coloured"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_a_palette_is_applied(tmp_path, name):
    order = np.random.default_rng(1).permutation(256).astype(np.uint8)
    shuffled = Image.fromarray(np.argsort(order)[GREY].astype(np.uint8), mode=None)
    shuffled = shuffled.convert("P")
    shuffled.putpalette(np.repeat(order[:, None], 3, axis=1).ravel().tolist())
    shuffled.save(tmp_path / name, optimize=False)
    np.testing.assert_array_equal(read(tmp_path / name), GREY)


def test_a_coloured_palette_is_refused(tmp_path):
    picture = Image.fromarray(GREY).convert("P")
    picture.putpalette([value for level in range(256) for value in (level, 255 - level, 128)])
    picture.save(tmp_path / "a.png")
    with pytest.raises(PatternError, match="coloured"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize(("mode", "name"), [("CMYK", "a.jpg")])
def test_channels_that_are_no_light_are_refused(tmp_path, mode, name):
    Image.fromarray(GREY).convert("RGB").convert(mode).save(tmp_path / name)
    with pytest.raises(PatternError, match=f"a picture in {mode}"):
        read(tmp_path / name)


def test_an_animation_is_a_series_of_frames(tmp_path):
    frames = [Image.fromarray(GREY // factor) for factor in (1, 2, 4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    found = read(tmp_path / "a.gif")
    assert found.shape == (3, 40, 48)
    np.testing.assert_array_equal(found[2], GREY // 4)
