from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.recording.stored import Axis, StoredImage, choose_image, could_be_pattern, listed_axis, sizes
from pacbed.errors import PatternError


def stored(path="", title="", shape=(40, 48), dtype=np.uint16):
    return StoredImage(np.zeros(shape, dtype), path=path, title=title)


FIRST, SECOND = stored("a/first", "dark"), stored("b/second", "film", (3, 40, 48))


@pytest.mark.parametrize("asked", ["b/second", "/b/second", "film", "1"])
def test_an_array_is_chosen_by_path_title_or_number(asked):
    assert choose_image("film.h5", asked, [FIRST, SECOND]) is SECOND


def test_one_alone_needs_no_choice():
    assert choose_image("film.h5", None, [FIRST]) is FIRST


def test_the_file_s_own_choice_counts_where_it_is_one():
    film, dark = replace(SECOND, preferred=True), replace(FIRST, preferred=True)
    assert choose_image("film.h5", None, [FIRST, film]) is film
    assert choose_image("film.h5", "dark", [FIRST, film]) is FIRST
    with pytest.raises(PatternError, match="got none"):
        choose_image("film.h5", None, [dark, film])


@pytest.mark.parametrize("asked", ["Data/Image/0/Data", "Data/Image/0", "/Data/Image/0/"])
def test_the_group_around_an_array_means_it(asked):
    image = stored("Data/Image/0/Data")
    assert choose_image("film.emd", asked, [FIRST, image]) is image


def test_without_a_choice_all_are_listed_with_their_sizes():
    with pytest.raises(PatternError) as caught:
        choose_image("film.h5", None, [FIRST, SECOND, stored(), stored(title="dark")])
    assert str(caught.value) == (
        "dataset: got none for film.h5, accepted: one of a/first (40 x 48), film (3 x 40 x 48), 2 (40 x 48), "
        "3 (40 x 48)"
    )


@pytest.mark.parametrize(
    ("asked", "images", "text"),
    [
        (None, [], "holds no image"),
        ("2", [FIRST, SECOND], "got '2', which means nothing in film.h5, accepted: one of dark"),
        ("c", [FIRST, SECOND], "got 'c'"),
        ("dark", [FIRST, stored("c", "dark")], "got 'dark', which means several"),
        ("1", [stored(title="1"), stored(title="film")], "got '1', which means several"),
    ],
)
def test_a_choice_that_is_none_or_two_is_refused(asked, images, text):
    with pytest.raises(PatternError, match=text):
        choose_image("film.h5", asked, images)


def test_a_long_list_is_cut():
    with pytest.raises(PatternError) as caught:
        choose_image("film.h5", None, [stored(f"set_{number:02}") for number in range(40)])
    assert "set_11" in str(caught.value) and "set_12" not in str(caught.value)
    assert str(caught.value).endswith("and 28 more")


@pytest.mark.parametrize(
    ("shape", "dtype", "could"),
    [
        ((40, 48), np.uint16, True),
        ((3, 40, 48), np.float32, True),
        ((40, 48, 2), np.int8, True),
        ((16, 16), np.uint8, False),
        ((100,), float, False),
        ((40, 48), complex, False),
        ((40, 48), bool, False),
    ],
)
def test_a_pattern_has_two_long_axes_of_real_numbers(shape, dtype, could):
    assert could_be_pattern(stored(shape=shape, dtype=dtype)) is could


def test_axes_that_do_not_fit_the_array_are_not_believed():
    image = StoredImage(np.zeros((3, 40, 48)), axes=(Axis("y", "mrad", 0.2), Axis("x", "mrad", 0.2)))
    assert image.described_axes() == (Axis(), Axis(), Axis())


def test_sizes_are_read_aloud():
    assert sizes((33, 34, 64, 64)) == "33 x 34 x 64 x 64"


def test_an_axis_listed_element_by_element_has_one_step_or_none():
    assert listed_axis("kx", "mrad", 0.4 * np.arange(5)).scale == pytest.approx(0.4)
    assert listed_axis("kx", "mrad", [0.0, -0.4, -0.8]).scale == pytest.approx(-0.4)
    assert np.isnan(listed_axis("kx", "mrad", [0.0, 0.4, 1.0]).scale)
    assert np.isnan(listed_axis("kx", "mrad", [0.0]).scale)
