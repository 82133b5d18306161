import numpy as np
import pytest

from pacbed.analysis.recording.formats.grey import grey_levels, refuse_channels, without_coloured
from pacbed.errors import PatternError

GREY = np.random.default_rng(0).integers(0, 250, (40, 48)).astype(np.uint8)


@pytest.mark.parametrize("channels", [3, 4])
def test_equal_channels_keep_counts_and_type(channels):
    picture = np.stack([GREY] * 3 + [np.full_like(GREY, 255)] * (channels - 3), axis=-1)
    levels = grey_levels(picture, "a.png")
    assert levels.dtype == np.uint8
    np.testing.assert_array_equal(levels, GREY)


def test_channels_rounded_apart_count_by_their_mean():
    levels = grey_levels(np.stack([GREY, GREY + 2, GREY + 4], axis=-1), "a.jpg")
    np.testing.assert_allclose(levels, GREY + 2.0)


def test_frames_of_colour_are_treated_alike():
    assert grey_levels(np.stack([np.stack([GREY] * 3, axis=-1)] * 2), "a.tif").shape == (2, 40, 48)


@pytest.mark.parametrize("kind", ["float32", "uint16", "float16"])
def test_a_colour_map_of_small_numbers_hides_counts(kind):
    largest = 1 if kind.startswith("float") else 7
    ramp = np.linspace(0, largest, 64).reshape(8, 8)
    coloured = np.stack([ramp, largest - ramp, ramp**2], axis=-1).astype(kind)
    with pytest.raises(PatternError, match="coloured picture"):
        grey_levels(coloured, "a.tif")
    grey = np.stack([ramp] * 3, axis=-1).astype(kind)
    np.testing.assert_array_equal(grey_levels(grey, "a.tif"), grey[..., 0])


def test_a_colour_map_hides_counts():
    with pytest.raises(PatternError, match=r"coloured picture in map\.png"):
        grey_levels(np.stack([GREY, GREY // 2, 255 - GREY], axis=-1), "map.png")
    assert "CMYK (a.jpg), accepted: grey levels" in str(refuse_channels("CMYK", "a.jpg"))


def test_a_coloured_picture_is_left_out_only_where_there_is_another():
    def coloured():
        raise refuse_channels("CMYK", "a.jpg")

    assert without_coloured([coloured, lambda: 1, coloured]) == [1]
    with pytest.raises(PatternError, match="CMYK"):
        without_coloured([coloured])
    assert without_coloured([]) == []
