"""Rows of patterns in mrad, and pictures that are whole or absent."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from pacbed.figures import Panel, draw_row, save_figure


@pytest.mark.parametrize(("half_mrad", "tick"), [(22.5, 20), (9.0, 5), (55.0, 40), (1.2, 1)])
def test_axes_are_in_mrad_with_a_round_tick_on_both_sides(half_mrad, tick):
    figure = Figure(figsize=(6, 3))
    axes = figure.subplots(1, 2)
    image = np.arange(16.0).reshape(4, 4)
    draw_row(figure, axes, [Panel(image, name, "gray", (1.0, 9.0)) for name in ("a", "b")], half_mrad=half_mrad)
    for axis, title in zip(axes, ("a", "b"), strict=True):
        (drawn,) = axis.images
        np.testing.assert_array_equal(drawn.get_array(), image)
        assert drawn.get_clim() == (1.0, 9.0)
        assert drawn.get_extent() == [-half_mrad, half_mrad, half_mrad, -half_mrad]
        assert axis.get_title() == title
        assert list(axis.get_xticks()) == [-tick, 0, tick]
    assert axes[0].get_ylabel() == "mrad"
    assert list(axes[1].get_yticks()) == []


def test_a_picture_is_png_whatever_its_name_and_replaces_the_one_before(tmp_path):
    file = tmp_path / "deep" / "picture"
    for _ in range(2):
        save_figure(Figure(figsize=(1, 1)), file)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in file.parent.iterdir()] == ["picture"]


def test_a_figure_that_cannot_be_drawn_leaves_nothing(tmp_path):
    figure = Figure(figsize=(1, 1))
    figure.text(0.5, 0.5, r"$\frac{$")  # no formula
    with pytest.raises(ValueError, match="frac"):
        save_figure(figure, tmp_path / "picture.png")
    assert list(tmp_path.iterdir()) == []
