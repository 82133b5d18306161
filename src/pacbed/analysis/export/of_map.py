"""The first guess of a map: medians of its windows that are ok, and how far these differ."""

from __future__ import annotations

import numpy as np

from pacbed.analysis.export.first_guess import FirstGuess
from pacbed.analysis.maps.answer import VERDICTS
from pacbed.analysis.maps.constants import MAD_TO_STD
from pacbed.analysis.maps.stored import ThicknessMap
from pacbed.analysis.result import Estimate, estimate

UNEVEN, UNEVEN_MRAD = 0.1, 1.0  # beyond this share of the thickness, or this tilt, one guess does not stand for all


def guess_of_map(found: ThicknessMap, source: str) -> FirstGuess | None:
    """Thickness and mistilt of a map, with their spread over it as standard deviations; None where no window is ok.

    Parameters
    ----------
    found : ThicknessMap
    source : str
        What it was made from.
    """
    ok = found.verdict == VERDICTS.index("ok")
    if not ok.any():
        return None
    thickness = _middle(found.thickness_nm[ok])
    tilts = [_middle(values[ok]) for values in (found.mistilt_x_mrad, found.mistilt_y_mrad)]
    assert thickness is not None  # a window that is ok has one
    spread, tilted = (
        float(thickness.std or 0.0),
        max(float(one.std or 0.0) for one in tilts if one) if all(tilts) else 0,
    )
    uneven = spread > UNEVEN * thickness.value or tilted > UNEVEN_MRAD
    warning = f"uneven: it differs by {spread:.1f} nm and {tilted:.1f} mrad (std) over the map" if uneven else ""
    return FirstGuess(thickness, tilts[0], tilts[1], f"{source}, medians of {int(ok.sum())} windows", warning)


def _middle(values: np.ndarray) -> Estimate | None:
    """Median and spread of what is known."""
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    middle = float(np.median(known))
    return estimate(middle, MAD_TO_STD * float(np.median(np.abs(known - middle))))
