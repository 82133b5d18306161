"""A thickness map against the truth of its scan, and against full fits of some of its windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pacbed.analysis.maps.answer import VERDICTS
from pacbed.analysis.maps.stored import ThicknessMap
from pacbed.analysis.maps.windows import Place
from pacbed.analysis.result import NORMAL_90
from pacbed.evaluation.scans.wedge import CRYSTAL, GRAIN, HOLE, Wedge

FAR_NM, FAR_STD = 1.0, 4.0  # beyond the larger of these a window has not found its thickness
NAMES = {CRYSTAL: "crystal", HOLE: "hole", GRAIN: "grain"}


def against_truth(found: ThicknessMap, wedge: Wedge) -> dict[str, Any]:
    """Errors of the windows that show a crystal, and what became of hole and grain.

    Parameters
    ----------
    found : ThicknessMap
    wedge : Wedge
        Of single positions as windows.

    Returns
    -------
    dict
        Plain numbers: errors [nm, mrad], shares [1], counts of verdicts by what is there.
    """
    crystal = wedge.kind == CRYSTAL
    error = np.abs(found.thickness_nm - wedge.thickness_nm)[crystal]
    std = found.thickness_std_statistical_nm[crystal]
    tilts = [found.mistilt_x_mrad, found.mistilt_y_mrad] - np.moveaxis(wedge.mistilt_mrad, -1, 0)
    tilt = np.hypot(*tilts)[crystal]
    known = np.isfinite(error)
    return {
        "windows": int(crystal.sum()),
        "error_nm": _percentiles(error[known]),
        "covered_90": float(np.mean((error <= NORMAL_90 * std)[known])),
        "far": int(np.sum(~(error <= np.maximum(FAR_NM, FAR_STD * std)))),
        "tilt_error_mrad": _percentiles(tilt[known]),
        "verdicts": {name: _verdicts(found.verdict[wedge.kind == kind]) for kind, name in NAMES.items()},
    }


def against_full_fits(found: ThicknessMap, places: Sequence[Place], full: ThicknessMap) -> dict[str, Any]:
    """How far windows lie from full fits of the same patterns, in standard deviations of these.

    Parameters
    ----------
    found : ThicknessMap
    places : sequence of Place
        Where full fits were made.
    full : ThicknessMap
        They, in one row.
    """
    here = np.array([found.thickness_nm[place] for place in places])
    there, std = full.thickness_nm[0], full.thickness_std_statistical_nm[0]
    known = np.isfinite(there)
    apart = np.abs(here - there)[known]
    std = std[known]
    return {
        "windows": int(known.sum()),
        "within_1_std": float(np.mean(apart <= std)),
        "within_2.5_std": float(np.mean(apart <= 2.5 * std)),
        "far": int(np.sum(~(apart <= np.maximum(FAR_NM, FAR_STD * std)))),
        "largest_nm": float(np.nanmax(apart)),
    }


def _percentiles(values: np.ndarray) -> dict[str, float]:
    return {f"p{q}": float(np.percentile(values, q)) for q in (50, 95, 100)}


def _verdicts(codes: np.ndarray) -> dict[str, int]:
    return {name: int(np.sum(codes == code)) for code, name in enumerate(VERDICTS) if np.any(codes == code)}
