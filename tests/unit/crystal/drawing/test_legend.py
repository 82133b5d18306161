"""What the legend says, and that it fits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pacbed.crystal.drawing.legend import BETWEEN_IN, draw_legend, legend_entries, legend_rows

COLOURS = {"La": "#009e73", "Sr": "#0072b2", "O": "#d62728"}
MIXED, DEFECTIVE, FULL = (("La", 0.7), ("Sr", 0.3)), (("O", 0.95),), (("O", 1.0),)


def test_elements_mixtures_and_vacancies_are_named():
    assert [entry.text for entry in legend_entries([MIXED, FULL, MIXED], COLOURS)] == [
        "La", "Sr", "O", "0.7 La + 0.3 Sr"
    ]  # fmt: skip
    assert [entry.text for entry in legend_entries([DEFECTIVE], COLOURS)][3:] == ["vacant", "0.95 O"]


@pytest.mark.parametrize("width", [1.5, 3.0, 6.0])
def test_rows_fit_and_keep_every_entry(width):
    entries = legend_entries([MIXED, DEFECTIVE, FULL], COLOURS)
    rows = legend_rows(entries, width)
    assert [entry for row in rows for entry in row] == entries
    for row in rows:
        room = sum(entry.width_in for entry in row) + BETWEEN_IN * (len(row) - 1)
        assert room <= width or len(row) == 1


def test_texts_take_no_more_room_than_was_reckoned():
    """So no text runs into the next disc, of wide letters either."""
    colours = {"Mo": "#009e73", "Mn": "#0072b2", "W": "#e69f00"}
    figure = Figure(figsize=(7, 2))
    FigureCanvasAgg(figure).draw()
    rows = legend_rows(legend_entries([(("Mo", 0.333), ("Mn", 0.333), ("W", 0.334))], colours), 6.5)
    draw_legend(figure, rows, colours, bottom_in=0.1)
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    for box, following in pairwise(boxes):
        if abs(box.y0 - following.y0) < 10:
            assert following.x0 - box.x1 > 0.2 * figure.dpi, "room for a disc"
