"""Legend of a picture of a crystal: elements, vacancies, and what mixed sites hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from matplotlib.figure import Figure

from pacbed.crystal.drawing.columns import Composition
from pacbed.crystal.drawing.discs import FULL, draw_disc

ROW_IN, DISC_IN, BEFORE_TEXT_IN, BETWEEN_IN = 0.27, 0.08, 0.13, 0.22
LETTER_IN, FONT = 0.078, 9


class Entry(NamedTuple):
    """A disc and what it means."""

    composition: Composition
    text: str

    @property
    def width_in(self) -> float:
        """Room that the entry takes [inch]."""
        return 2 * DISC_IN + BEFORE_TEXT_IN + LETTER_IN * len(self.text)


def legend_entries(compositions: Iterable[Composition], colours: Mapping[str, str]) -> list[Entry]:
    """Entries for the elements, for vacancies where there are any, and for each mixture.

    Parameters
    ----------
    compositions : iterable of Composition
        Of all sites.
    colours : mapping of str to str
        By chemical symbol.
    """
    mixed = [site for site in dict.fromkeys(compositions) if len(site) > 1 or site[0][1] < FULL]
    entries = [Entry(((symbol, 1.0),), symbol) for symbol in colours]
    if any(sum(occupancy for _, occupancy in site) < FULL for site in mixed):
        entries.append(Entry((), "vacant"))
    return entries + [Entry(site, " + ".join(f"{share:.3g} {symbol}" for symbol, share in site)) for site in mixed]


def legend_rows(entries: Iterable[Entry], width_in: float) -> list[list[Entry]]:
    """Entries in rows that fit a width [inch]."""
    rows: list[list[Entry]] = [[]]
    for entry in entries:
        if rows[-1] and _width(rows[-1]) + BETWEEN_IN + entry.width_in > width_in:
            rows.append([])
        rows[-1].append(entry)
    return rows


def draw_legend(figure: Figure, rows: list[list[Entry]], colours: Mapping[str, str], *, bottom_in: float) -> None:
    """Draw rows of a legend, each centred, upwards from a height above the lower edge of the figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    rows : list of list of Entry
        From `legend_rows`.
    colours : mapping of str to str
        By chemical symbol.
    bottom_in : float
        Height [inch].
    """
    width, height = (float(length) for length in figure.get_size_inches())
    room = ROW_IN * len(rows)
    axes = figure.add_axes((0, bottom_in / height, 1, room / height), xlim=(0, width), ylim=(room, 0))
    axes.set_axis_off()
    for number, row in enumerate(rows):
        x, y = (width - _width(row)) / 2, (number + 0.5) * ROW_IN
        for entry in row:
            draw_disc(axes, (x + DISC_IN, y), DISC_IN, entry.composition, colours, order=2)
            axes.text(x + DISC_IN + BEFORE_TEXT_IN, y, entry.text, va="center", fontsize=FONT)
            x += entry.width_in + BETWEEN_IN


def _width(row: list[Entry]) -> float:
    return sum(entry.width_in for entry in row) + BETWEEN_IN * (len(row) - 1)
