"""All that is done to a recorded picture before anything is compared with it: repaired, outlined, freed of strays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.analysis.picture.repair import Repaired, repair
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.errors import PatternError
from pacbed.outline import Outline, find_outline
from pacbed.strays import fill, stray_objects

STRAYS = "stray objects"
ROUNDING = 1e-6  # of single precision
BEYOND = 1.3  # radii of the bright region: further out is the dark field


@dataclass(frozen=True)
class Picture:
    """A recorded pattern made ready to be compared.

    Attributes
    ----------
    array : float32 array, shape (y, x)
        Counts, all finite; defects and stray objects filled from their neighbours.
    used : bool array, shape (y, x)
        Pixels that count in a fit.
    outline : Outline
        The bright region.
    counts : dict
        Pixels by what was wrong with them.
    saturated_share : float
        Saturated share of the bright region's pixels.
    unused_share : float
        Share of the bright region's pixels that do not count, whatever the reason.
    """

    array: np.ndarray
    used: np.ndarray
    outline: Outline
    counts: dict[str, int]
    saturated_share: float
    unused_share: float

    @property
    def defects(self) -> int:
        """Pixels that the camera got wrong."""
        return sum(number for kind, number in self.counts.items() if kind not in ("masked", "border"))


def examine(pattern: Pattern, mask: np.ndarray | None = None) -> Picture:
    """Repair a pattern, find its bright region, and take out what is no part of it.

    Parameters
    ----------
    pattern : Pattern
        As it was read.
    mask : bool array, shape (y, x), optional
        Pixels that the user does not want used.

    Raises
    ------
    PatternError
        No pixel that counts differs from the others, or there is no bright region.
    """
    repaired = repair(pattern.array, masked=mask, saturated=pattern.saturated)
    if np.ptp(repaired.array) <= ROUNDING * np.abs(repaired.array).max():
        value = float(repaired.array.flat[0])
        raise PatternError(f"pattern: got the value {value:g} in every pixel that counts, accepted: a pattern")
    outline = find_outline(repaired.array, used=repaired.seen)
    array, used, counts = repaired.array, repaired.used, dict(repaired.counts)
    strays = _strays(repaired, outline)
    if strays is not None and (strays & used).any():
        counts[STRAYS] = int((strays & used).sum())
        array, used = fill(array, ~strays), used & ~strays
        outline = find_outline(array, used=repaired.seen)
    if outline.radius_px <= 0:
        shape = " x ".join(map(str, array.shape))
        raise PatternError(f"pattern: got no bright region in {shape} pixels, accepted: a pattern with a bright disk")
    disk = _within(1, array.shape, outline)
    return Picture(
        array,
        used,
        outline,
        counts,
        saturated_share=float(repaired.saturated[disk].mean()) if disk.any() else 0.0,
        unused_share=float(1 - used[disk].mean()) if disk.any() else 1.0,
    )


def _strays(repaired: Repaired, outline: Outline) -> np.ndarray | None:
    """Stray objects on the recorded pixels, shape (y, x); None where there are none."""
    shape = repaired.array.shape
    disk, beyond = _within(1, shape, outline) & repaired.seen, ~_within(BEYOND, shape, outline) & repaired.seen
    if not disk.any():
        return None
    values = repaired.array[disk]
    dark = float(np.median(repaired.array[beyond])) if beyond.any() else float(values.min())
    usual = values[values <= np.percentile(values, 95)]  # the objects are no part of the level
    level = float(usual.mean()) - dark
    return stray_objects(repaired.array, disk, level=level, dark=dark) if level > 0 else None


def _within(radii: float, shape: tuple[int, ...], outline: Outline) -> np.ndarray:
    """Pixels nearer to the middle of the bright region than so many of its radii; bool, shape (y, x)."""
    row, column = np.ogrid[: shape[0], : shape[1]]
    squared = (column - outline.center_px[0]) ** 2 + (row - outline.center_px[1]) ** 2
    return np.asarray(squared < (radii * outline.radius_px) ** 2)
