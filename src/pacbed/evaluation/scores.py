"""Scores of the methods on patterns of known truth, their table and their summary."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from pacbed.outputs import file_aside

METHODS = ("nearest_image", "networks", "refinement")
FLOOR = "floor"
CLOSE_NM = 1.0
BASIN_NM = 5.0


@dataclass(frozen=True)
class Score:
    """What one method made of one pattern. None where the method gives no such number, or refused.

    Attributes
    ----------
    method : str
        One of `METHODS`, or `FLOOR`, whose errors are the smallest possible standard deviations.
    noise : float
        Standard deviation of the noise over the pattern's maximum.
    pattern : int
        Number of the pattern; the same parameters at every noise level.
    true_thickness_nm, true_mistilt_mrad, convergence_mrad : float
        Truth [nm], [mrad], [mrad].
    thickness_nm, mistilt_mrad : float or None
        Answer [nm], [mrad].
    thickness_error_nm : float or None
        Answer minus truth [nm].
    mistilt_error_mrad : float or None
        Length of the difference of the vectors; of the magnitudes where the method gives no direction [mrad].
    thickness_std_nm : float or None
        The method's own error bar [nm].
    seconds : float or None
        Time taken [s].
    """

    method: str
    noise: float
    pattern: int
    true_thickness_nm: float
    true_mistilt_mrad: float
    convergence_mrad: float
    thickness_nm: float | None = None
    mistilt_mrad: float | None = None
    thickness_error_nm: float | None = None
    mistilt_error_mrad: float | None = None
    thickness_std_nm: float | None = None
    seconds: float | None = None


def column(scores: Sequence[Score], name: str) -> np.ndarray:
    """The finite values of one attribute, shape (n,)."""
    values = [getattr(score, name) for score in scores]
    return np.array([value for value in values if value is not None and np.isfinite(value)], dtype=float)


def summarise(scores: Sequence[Score]) -> list[dict]:
    """One entry per noise level and method, as plain JSON values; None where there is nothing to average."""
    entries = []
    for noise in sorted({score.noise for score in scores}):
        for method in (*METHODS, FLOOR):
            chosen = [score for score in scores if score.noise == noise and score.method == method]
            if chosen:
                entries.append({"noise": noise, "method": method, **_statistics(chosen)})
    return entries


def _statistics(scores: Sequence[Score]) -> dict:
    thickness, mistilt = (column(scores, name) for name in ("thickness_error_nm", "mistilt_error_mrad"))
    found = [score for score in scores if score.thickness_error_nm is not None]
    barred = [score for score in found if score.thickness_std_nm]
    pulls = column(barred, "thickness_error_nm") / column(barred, "thickness_std_nm") if barred else np.array([])
    relative = column(found, "thickness_error_nm") / column(found, "true_thickness_nm")
    return {
        "patterns": len(scores),
        "answered": len(found),
        "thickness_rmse_nm": _rms(thickness),
        "thickness_median_nm": _median(thickness),
        "thickness_mean_percent": None if not len(relative) else 100 * float(np.mean(np.abs(relative))),
        "thickness_within_1_nm": _share(thickness, CLOSE_NM),
        "thickness_within_5_nm": _share(thickness, BASIN_NM),
        "thickness_error_over_std": _median(pulls),
        "mistilt_rmse_mrad": _rms(mistilt),
        "mistilt_median_mrad": _median(mistilt),
        "seconds": _median(column(scores, "seconds")),
    }


def write_csv(scores: Sequence[Score], file: str | Path) -> None:
    """One line per score; empty where there is no number."""
    with file_aside(file) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Score)])
        writer.writeheader()
        writer.writerows(asdict(score) for score in scores)


def _rms(values: np.ndarray) -> float | None:
    return float(np.sqrt(np.mean(values**2))) if len(values) else None


def _median(values: np.ndarray) -> float | None:
    return float(np.median(np.abs(values))) if len(values) else None


def _share(values: np.ndarray, limit: float) -> float | None:
    return float(np.mean(np.abs(values) <= limit)) if len(values) else None
