"""Repairs a recorded picture: finds what no electron of the pattern made, and fills it from its neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pacbed.analysis.picture.constant import constant_parts
from pacbed.analysis.picture.lines import defective_lines
from pacbed.analysis.picture.saturation import saturated_pixels
from pacbed.analysis.picture.singles import isolated_defects
from pacbed.errors import PatternError
from pacbed.strays import fill

KINDS = ("masked", "border", "missing", "dead or hot areas", "defective lines", "single pixels")


class Repaired(NamedTuple):
    """A pattern without its defects.

    Attributes
    ----------
    array : float32 array, shape (y, x)
        Counts, all finite; what was defective is filled from its neighbours.
    used : bool array, shape (y, x)
        Pixels that count in a fit: recorded, neither defective nor saturated.
    seen : bool array, shape (y, x)
        False in a border that saw nothing.
    saturated : bool array, shape (y, x)
        Pixels that are known to be darker than the light was.
    counts : dict
        Pixels by kind of defect, those of `KINDS` that occur.
    """

    array: np.ndarray
    used: np.ndarray
    seen: np.ndarray
    saturated: np.ndarray
    counts: dict[str, int]


def repair(array: np.ndarray, *, masked: np.ndarray | None = None, saturated: np.ndarray | None = None) -> Repaired:
    """Find masked, missing, constant, hot and dead pixels, and fill them from their neighbours.

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts; not finite where the detector gave no value.
    masked : bool array, shape (y, x), optional
        Pixels that the user does not want used.
    saturated : bool array, shape (y, x), optional
        Pixels known to be saturated before, beside those found here.
    """
    finite = np.isfinite(array)
    good = finite if masked is None else finite & ~masked
    if not good.any():
        raise PatternError("mask: got one that leaves no pixel with a value, accepted: one that leaves the disk")
    constant = constant_parts(array, good)
    found = {
        "masked": ~good & finite,
        "border": constant.border,
        "missing": ~finite,
        "dead or hot areas": constant.gaps,
    }
    used = good & ~constant.border & ~constant.gaps
    if used.sum() < 2:  # nothing to compare with: the pattern is what it is
        found, used = {"masked": ~good & finite, "missing": ~finite}, good
    filled = fill(array, used)
    for kind in ("defective lines", "single pixels"):
        found[kind] = used & (isolated_defects(filled) if kind == "single pixels" else defective_lines(filled, used))
        if found[kind].any():
            used = used & ~found[kind]
            filled = fill(array, used)
    ceiling = saturated_pixels(array, used)
    if saturated is not None:
        ceiling |= saturated & used
    counts = {kind: int(found[kind].sum()) for kind in KINDS if kind in found and found[kind].any()}
    seen = ~found["border"] if "border" in found else np.ones(array.shape, dtype=bool)
    return Repaired(filled, used & ~ceiling, seen, ceiling, counts)
