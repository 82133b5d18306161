"""Discs of atoms: colours in the picture, shares of mixed sites, rings of columns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from pacbed.crystal.drawing.discs import composition_radius_a, draw_disc, stacked

COLOURS = {"La": "#009e73", "Sr": "#0072b2"}


def shares(composition, inverted=False):
    """Share of a disc's area in each colour, white last, and where the middle of the first colour lies."""
    figure = Figure(figsize=(3, 3), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-1.1, 1.1), ylim=(1.1, -1.1) if inverted else (-1.1, 1.1))
    axes.set_axis_off()
    draw_disc(axes, (0, 0), 1.0, composition, COLOURS, order=2)
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    x, y = np.meshgrid(np.linspace(-1.1, 1.1, 300), np.linspace(1.1, -1.1, 300))
    inside = np.hypot(x, y) < 0.97
    found = [np.all(np.abs(image - to_rgb(colour)) < 0.02, axis=-1) & inside for colour in (*COLOURS.values(), "white")]
    areas = np.array([mask.sum() for mask in found])
    return areas / areas.sum(), (x[found[0]].mean(), y[found[0]].mean())


@pytest.mark.parametrize("inverted", [False, True])
def test_sectors_are_the_occupancies_and_vacancies_white_clockwise_from_the_top(inverted):
    areas, (x, y) = shares((("La", 0.25), ("Sr", 0.5)), inverted)
    np.testing.assert_allclose(areas, [0.25, 0.5, 0.25], atol=0.01)
    assert x > 0.3 and y > 0.3, "the first quarter lies to the right of the top, whichever way y points"


def test_a_full_site_is_one_disc():
    np.testing.assert_allclose(shares((("La", 1.0),))[0], [1, 0, 0], atol=1e-9)


def test_all_of_a_column_stays_visible():
    titanium, oxygen = (("Ti", 1.0),), (("O", 1.0),)
    rings = stacked([oxygen, titanium, (("Zr", 1.0),)])
    assert [composition[0][0] for composition, _ in rings] == ["Zr", "Ti", "O"]
    radii = [radius for _, radius in rings]
    assert all(inner < 0.7 * outer for outer, inner in pairwise(radii))
    assert stacked([titanium], 0.5)[0][1] == pytest.approx(0.5 * composition_radius_a(titanium))
