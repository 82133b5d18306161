"""The projection of a crystal along the beam: columns, the periodic cell, directions and a scale bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from scipy.spatial import cKDTree

from pacbed.crystal.cell import Crystal
from pacbed.crystal.drawing.columns import Column, columns_of, laid_out, sites_of
from pacbed.crystal.drawing.discs import draw_disc, stacked

SMALLEST_FIELD_A, MARGIN_A = 11.0, 1.2
CROWDED, SMALLEST_SCALE = 0.6, 0.5  # discs and the distance of columns
ARROW = {"arrowstyle": "-|>", "color": "black", "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
BARS_NM = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


class Field(NamedTuple):
    """A rectangle normal to the beam, corners of shape (2,) [Å]."""

    low: np.ndarray
    high: np.ndarray


def field_around(cell: np.ndarray) -> Field:
    """A rectangle around one cell as the beam sees it, at least some 1 nm wide.

    Parameters
    ----------
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å], beam along z.
    """
    a, b = cell[:2, :2]
    corners = np.array([[0.0, 0.0], a, b, a + b])
    low, high = corners.min(axis=0), corners.max(axis=0)
    half = np.maximum((high - low) / 2 + MARGIN_A, SMALLEST_FIELD_A / 2)
    return Field((low + high) / 2 - half, (low + high) / 2 + half)


def draw_projection(axes: Axes, oriented: Crystal, labels: tuple[str, str], colours: Mapping[str, str]) -> None:
    """Draw the columns of a crystal as the beam sees them, x to the right and y down as in patterns.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    oriented : Crystal
        Output of `orient`.
    labels : tuple of str
        Directions of the two in-plane lattice vectors.
    colours : mapping of str to str
        By chemical symbol.
    """
    field = field_around(oriented.cell)
    axes.set_xlim(field.low[0], field.high[0])
    axes.set_ylim(field.high[1], field.low[1])
    axes.set_aspect("equal")
    columns = columns_of(laid_out(sites_of(oriented), oriented.cell, field.low, field.high))
    discs = [(column.center, *disc) for column in columns for disc in stacked(column.compositions, _scale(columns))]
    for order, (center, composition, radius) in enumerate(sorted(discs, key=lambda disc: -disc[2])):
        draw_disc(axes, center, radius, composition, colours, order=2 + order / len(discs))
    a, b = oriented.cell[:2, :2]
    outline = np.array([[0.0, 0.0], a, a + b, b, [0.0, 0.0]])
    axes.plot(*outline.T, color="black", lw=1.4, zorder=1.5)
    axes.set(xticks=[], yticks=[])
    _draw_bar(axes, field)
    _draw_directions(axes, field, (a, b), labels)


def _scale(columns: list[Column]) -> float:
    """Factor on the radii of discs that keeps columns apart."""
    if len(columns) < 2:
        return 1.0
    centers = np.array([column.center for column in columns])
    nearest = cKDTree(centers).query(centers, k=2)[0][:, 1]
    radii = np.array([stacked(column.compositions)[0][1] for column in columns])
    return float(np.clip(CROWDED * np.quantile(nearest, 0.25) / radii.mean(), SMALLEST_SCALE, 1.0))


def _draw_bar(axes: Axes, field: Field) -> None:
    width = field.high[0] - field.low[0]
    bar = max([length for length in BARS_NM if 10 * length <= 0.4 * width], default=BARS_NM[0])
    height = field.high[1] - field.low[1]
    y = field.high[1] + 0.055 * height
    axes.plot(
        [field.high[0] - 10 * bar, field.high[0]], [y, y], color="black", lw=3, clip_on=False, solid_capstyle="butt"
    )
    axes.text(
        field.high[0] - 5 * bar, y + 0.02 * height, f"{bar:g} nm", ha="center", va="top", fontsize=9, clip_on=False
    )


def _draw_directions(axes: Axes, field: Field, vectors: tuple[np.ndarray, np.ndarray], labels: tuple[str, str]) -> None:
    """Arrows along the in-plane lattice vectors below the field, with the names of their directions."""
    size = field.high[1] - field.low[1]
    length = 0.11 * size
    units = [vector / np.linalg.norm(vector) for vector in vectors]
    left = max(0.0, *(-unit[0] for unit in units))
    origin = np.array([field.low[0] + (0.04 * size) + left * length, field.high[1] + 0.045 * size])
    for unit, label in zip(units, labels, strict=True):
        tip = origin + length * unit
        axes.annotate("", tuple(tip), tuple(origin), arrowprops=ARROW, annotation_clip=False)
        x, y = tip + 0.02 * size * unit
        across = abs(unit[0]) > abs(unit[1])
        axes.text(
            x, y, label, fontsize=9, clip_on=False,
            ha=("left" if unit[0] > 0 else "right") if across else "center", va="center" if across else "top",
        )  # fmt: skip
