"""A small picture of a recording before anything is asked of it, and what its file says."""

from __future__ import annotations

from typing import NamedTuple

import imageio.v3 as iio
import numpy as np
from matplotlib import colormaps

from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.report.inspection.recorded import look_over, recorded_lines

EDGE_PX = 360
MARK = (39, 192, 255)


class Preview(NamedTuple):
    """A glance at a recording.

    Attributes
    ----------
    png : bytes
        The repaired pattern with its bright region.
    shape : tuple of int
        Rows and columns.
    lines : list of str
        As `pacbed inspect` prints them.
    pixel_mrad, energy_kev, convergence_mrad : float or None
        What the file states.
    pixel_per_nm : float or None
        Pixel size where it is stated as a spatial frequency [1/nm].
    """

    png: bytes
    shape: tuple[int, int]
    lines: list[str]
    pixel_mrad: float | None
    energy_kev: float | None
    convergence_mrad: float | None
    pixel_per_nm: float | None


def preview(pattern: Pattern) -> Preview:
    """Look at a pattern as a prediction would.

    Raises
    ------
    PatternError
        It cannot be used.
    """
    look = look_over(pattern)
    stated, array = look.pattern.calibration, look.array
    step = max(1, -(-max(array.shape) // EDGE_PX))
    small = array[::step, ::step]
    low, high = np.percentile(small, [1, 99.8])
    rgb = colormaps["inferno"](np.clip((small - low) / max(high - low, 1e-6), 0, 1), bytes=True)[..., :3].copy()
    turn = np.linspace(0, 2 * np.pi, 720)
    on = (turn * 18 / np.pi).astype(int) % 2 == 0  # dashes
    column, row = (
        np.round((center + look.outline.radius_px * way(turn[on])) / step).astype(int)
        for center, way in zip(look.outline.center_px, (np.cos, np.sin), strict=True)
    )
    inside = (row >= 0) & (column >= 0) & (row < rgb.shape[0]) & (column < rgb.shape[1])
    rgb[row[inside], column[inside]] = MARK
    lines = [line for line in recorded_lines(look) if not line.startswith("missing")]
    content = iio.imwrite("<bytes>", rgb, extension=".png")
    (rows, columns) = array.shape
    return Preview(
        content, (rows, columns), lines, stated.pixel_mrad, stated.energy_kev, stated.convergence_mrad,
        stated.pixel_per_nm,
    )  # fmt: skip
