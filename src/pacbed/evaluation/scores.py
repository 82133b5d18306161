"""Figures of the methods: errors, misses, intervals, and how far each is from the smallest possible error."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from pacbed.evaluation.answers import FLOOR, METHODS, Answer, Key, column
from pacbed.outputs import file_aside

CLOSE_NM, BASIN_NM = 1.0, 5.0
MISS_NM = 3.0  # a thickness off by more is of the wrong fringe
CANDIDATE_NM = 2.0
EDGES_NM = (2.0, 10.0, 20.0, 40.0, 60.0, 100.0, 150.0, np.inf)
LEVELS = (50, 90, 95)  # of the intervals [%]
ONE_SIGMA = 68
NORMAL = 1.4826  # standard deviation of a normal distribution over its median absolute deviation


def summarise(answers: Mapping[Key, Answer]) -> list[dict[str, Any]]:
    """One entry per kind of truth, noise level and method, as plain JSON values.

    Parameters
    ----------
    answers : mapping
        `Answer` by `Key`, the floor's among them.

    Returns
    -------
    list of dict
        ``kind``, ``noise`` (standard deviation, None where electrons are counted), ``electrons``, ``method``, and the
        figures of `figures`; kinds and levels in the order of the answers.
    """
    groups: dict[tuple[str, str, str], list[Answer]] = {}
    for answer in answers.values():
        groups.setdefault((answer.kind, answer.noise.label, answer.method), []).append(answer)
    kinds = list(dict.fromkeys((kind, label) for kind, label, _ in groups))
    entries = []
    for kind, label in kinds:
        floors = {floor.pattern: floor for floor in groups.get((kind, label, FLOOR), [])}
        for method in (*METHODS, FLOOR):
            chosen = groups.get((kind, label, method))
            if chosen:
                sigma, electrons = chosen[0].noise
                head = {"kind": kind, "noise": sigma if electrons is None else None, "electrons": electrons}
                found = floor_figures(chosen) if method == FLOOR else figures(chosen, floors)
                entries.append({**head, "method": method, **found})
    return entries


def figures(answers: Sequence[Answer], floors: Mapping[int, Answer]) -> dict[str, Any]:
    """Figures of one method at one level of noise; None where there is nothing to average.

    Parameters
    ----------
    answers : sequence of Answer
    floors : mapping of int to Answer
        The floor of each pattern, by its number.
    """
    error = column(answers, "thickness_error_nm")
    floor = np.array([_std(floors.get(answer.pattern)) for answer in answers])
    relative = np.divide(error, floor, out=np.full(len(error), np.nan), where=np.isfinite(floor) & (floor > 0))
    ok = error[[answer.verdict == "ok" for answer in answers]]
    mistilt = column(answers, "mistilt_error_mrad")
    vector = column(answers, "mistilt_vector_error_mrad")
    scale = column(answers, "scale_error_percent")
    length = np.where(np.isfinite(vector), vector, mistilt)
    return {
        "patterns": len(answers),
        "answered": int(np.isfinite(error).sum()),
        "thickness_rmse_nm": _rms(error),
        "thickness_mean_nm": _mean(error),
        "thickness_median_nm": _median(error),
        "thickness_mean_percent": _mean(100 * error / column(answers, "true_thickness_nm")),
        "thickness_within_1_nm": _share(np.abs(error) <= CLOSE_NM, error),
        "thickness_within_5_nm": _share(np.abs(error) <= BASIN_NM, error),
        "thickness_beyond_3_nm": _share(np.abs(error) > MISS_NM, error),
        "ok": len(ok),
        "ok_beyond_3_nm": _share(np.abs(ok) > MISS_NM, ok),
        "candidate_within_2_nm": _within(column(answers, "candidate_error_nm"), CANDIDATE_NM),
        "by_thickness_nm": by_thickness(answers),
        **coverages(answers),
        "floor_nm": _median(floor),
        "error_over_floor": _scaled(relative),
        "mistilt_rmse_mrad": _rms(length),
        "mistilt_mean_mrad": _mean(mistilt),
        "mistilt_median_mrad": _median(length),
        "mistilt_magnitude_median_mrad": _median(mistilt),
        "mistilt_vector_median_mrad": _median(vector),
        "scale_mean_percent": _mean(scale),
        "scale_median_percent": _median(scale),
        "cpu_s": _median(column(answers, "cpu_s")),
    }


def floor_figures(floors: Sequence[Answer]) -> dict[str, Any]:
    """The smallest possible standard deviations of some patterns."""
    std, mistilt = column(floors, "thickness_std_nm"), column(floors, "mistilt_vector_error_mrad")
    return {
        "patterns": len(floors),
        "thickness_rmse_nm": _rms(std),
        "thickness_median_nm": _median(std),
        "mistilt_rmse_mrad": _rms(mistilt),
        "mistilt_median_mrad": _median(mistilt),
    }


def by_thickness(answers: Sequence[Answer]) -> dict[str, dict[str, Any]]:
    """Mean and median absolute error in ranges of true thickness, such as ``10-20`` [nm]."""
    true, error = column(answers, "true_thickness_nm"), column(answers, "thickness_error_nm")
    found = {}
    for low, high in zip((0.0, *EDGES_NM[1:-1]), EDGES_NM[1:], strict=True):
        inside = (true >= low) & (true < high)
        if inside.any():
            name = f"{max(low, EDGES_NM[0]):g}-{high:g}" if np.isfinite(high) else f"{low:g}-"
            chosen = error[inside]
            found[name] = {
                "patterns": int(inside.sum()),
                "mean_nm": _mean(chosen),
                "median_nm": _median(chosen),
                "beyond_3_nm": _share(np.abs(chosen) > MISS_NM, chosen),
            }
    return found


def coverages(answers: Sequence[Answer]) -> dict[str, float | None]:
    """Share of truths inside the thickness intervals; 68 % is one standard deviation.

    ``coverage_*`` belong to the whole error bar, ``coverage_statistical_*`` to the part from the pattern's noise. The
    90 % interval is the method's own where it gives one, all others are those of a normal distribution.
    """
    error = column(answers, "thickness_error_nm")
    total, statistical = (column(answers, name) for name in ("thickness_std_nm", "thickness_std_statistical_nm"))
    found = {f"coverage_{level}": covered(error, total, level) for level in LEVELS}
    given = [answer for answer in answers if answer.interval_90_nm is not None]
    if given:
        low, high = np.array([answer.interval_90_nm for answer in given]).T
        true = column(given, "true_thickness_nm")
        found["coverage_90"] = float(np.mean((true >= low) & (true <= high)))
    for level in (ONE_SIGMA, 90):
        found[f"coverage_statistical_{level}"] = covered(error, statistical, level)
    found["thickness_error_over_std"] = _median(
        np.divide(error, total, out=np.full(len(error), np.nan), where=total > 0)
    )
    return found


def covered(error: np.ndarray, std: np.ndarray, level: float) -> float | None:
    """Share of errors inside the central interval of a normal distribution.

    Parameters
    ----------
    error, std : float array, shape (answer,)
        NaN where there is none.
    level : float
        What the interval holds [%]; `ONE_SIGMA` stands for one standard deviation.
    """
    factor = 1.0 if level == ONE_SIGMA else NormalDist().inv_cdf(0.5 + level / 200)
    return _share(np.abs(error) <= factor * std, error + std)


def write_csv(answers: Sequence[Answer], file: str | Path) -> None:
    """One line per answer; empty where there is no number."""
    errors = ("thickness_error_nm", "mistilt_error_mrad")
    with file_aside(file) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [*(field.name for field in fields(Answer)), *errors])
        writer.writeheader()
        writer.writerows({**asdict(one), **{name: getattr(one, name) for name in errors}} for one in answers)


def _std(floor: Answer | None) -> float:
    return np.nan if floor is None or floor.thickness_std_nm is None else floor.thickness_std_nm


def _finite(values: np.ndarray) -> np.ndarray:
    return np.abs(values[np.isfinite(values)])


def _rms(values: np.ndarray) -> float | None:
    return float(np.sqrt(np.mean(_finite(values) ** 2))) if len(_finite(values)) else None


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(_finite(values))) if len(_finite(values)) else None


def _median(values: np.ndarray) -> float | None:
    return float(np.median(_finite(values))) if len(_finite(values)) else None


def _scaled(values: np.ndarray) -> float | None:
    return None if (median := _median(values)) is None else NORMAL * median


def _within(values: np.ndarray, limit: float) -> float | None:
    return _share(values <= limit, values)


def _share(true: np.ndarray, of: np.ndarray) -> float | None:
    """Share of those whose value is finite."""
    known = np.isfinite(of)
    return float(np.mean(true[known])) if known.any() else None
