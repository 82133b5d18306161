"""Figures of many answers: how often `ok` is right, what is refused in vain, what an error bar covers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pacbed.evaluation.degraded.answers import Found, Row
from pacbed.evaluation.degraded.sample import ORDINARY

MISTILT_MRAD, MISTILT_FROM_NM = 0.7, 10.0
DECADES = (4, 5, 6, 7)  # powers of ten of the electrons, first and last
PERCENTILES = (5, 50, 95)

REFINED, ALONE = "refined", "alone"
METHODS = (REFINED, ALONE)


class Judged(NamedTuple):
    """An answer with its truth."""

    row: Row
    found: Found

    @property
    def error_nm(self) -> float | None:
        """Answer minus truth [nm]."""
        return None if self.found.thickness_nm is None else self.found.thickness_nm - self.row.thickness_nm

    @property
    def ok(self) -> bool:
        """Whether the verdict is ok."""
        return self.found.verdict == "ok"

    @property
    def right(self) -> bool:
        """Whether the thickness is within the tolerance."""
        return self.error_nm is not None and abs(self.error_nm) <= self.row.tolerance_nm

    @property
    def covered(self) -> bool | None:
        """Whether the 90 % interval holds the truth; None where there is none."""
        if self.found.interval_90_nm is None:
            return None
        low, high = self.found.interval_90_nm
        return low <= self.row.thickness_nm <= high

    @property
    def mistilt_error_mrad(self) -> float | None:
        """Length of the difference of the mistilt vectors [mrad]."""
        if self.found.mistilt_mrad is None:
            return None
        return float(np.hypot(*np.subtract(self.found.mistilt_mrad, self.row.mistilt_mrad)))

    @property
    def wrong_ok(self) -> bool:
        """The most serious fault."""
        return self.ok and not self.right


def judged(rows: Sequence[Row], method: str) -> list[Judged]:
    """Answers of one of `METHODS`; rows without one are left out."""
    return [Judged(row, found) for row in rows if (found := getattr(row, method)) is not None]


def halves(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Patterns of even numbers, which thresholds come from, and of odd ones, which figures come from."""
    even, odd = ([row for row in rows if row.number % 2 == half] for half in (0, 1))
    return even, odd


def figures(rows: Sequence[Row], method: str) -> dict[str, Any]:
    """Figures of one method; None where there is nothing to average.

    Parameters
    ----------
    rows : sequence of Row
    method : str
        One of `METHODS`.
    """
    answers = judged(rows, method)
    plain = [one for one in answers if one.row.kind == ORDINARY.name]
    ok = [one for one in answers if one.ok]
    tilted = [one for one in ok if one.row.thickness_nm >= MISTILT_FROM_NM and one.mistilt_error_mrad is not None]
    misfits = [one.found.misfit for one in plain if one.right and one.found.misfit is not None]
    return {
        "patterns": len(answers),
        "ordinary": len(plain),
        "ok": len(ok),
        "right_of_ok": share(ok, lambda one: one.right),
        "right_of_ok_ordinary": share([one for one in plain if one.ok], lambda one: one.right),
        "right_of_all_ordinary": share(plain, lambda one: one.right),
        "not_ok_ordinary": share(plain, lambda one: not one.ok),
        "not_ok_of_right_ordinary": share([one for one in plain if one.right], lambda one: not one.ok),
        "mistilt_of_ok": share(tilted, lambda one: (one.mistilt_error_mrad or 0.0) <= MISTILT_MRAD),
        "coverage_90": share([one for one in plain if one.covered is not None], lambda one: bool(one.covered)),
        "coverage_90_by_electrons": by_decade(plain),
        "misfit_of_right": dict(zip(map(str, PERCENTILES), np.percentile(misfits, PERCENTILES), strict=True))
        if misfits
        else None,
        "cpu_s": float(np.median([one.found.cpu_s for one in answers])) if answers else None,
        "kinds": {name: kind_figures(group) for name, group in by_kind(answers).items()},
    }


def by_kind(answers: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Answers by what happened to their patterns."""
    groups: dict[str, list[Judged]] = {}
    for one in answers:
        groups.setdefault(one.row.kind, []).append(one)
    return groups


def kind_figures(answers: Sequence[Judged]) -> dict[str, int]:
    """How many patterns of a kind were ok and right, right and not ok, wrong and not ok, wrong and ok."""
    return {
        "patterns": len(answers),
        "right_ok": sum(one.ok and one.right for one in answers),
        "right_not_ok": sum(one.right and not one.ok for one in answers),
        "wrong_not_ok": sum(not one.right and not one.ok for one in answers),
        "wrong_ok": sum(one.wrong_ok for one in answers),
        "covered_of_ok": sum(bool(one.covered) for one in answers if one.ok),
    }


def by_decade(answers: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """What the 90 % interval covers, by decade of electrons such as ``1e5``."""
    found = {}
    for power in DECADES[:-1]:
        inside = [one for one in answers if 10**power <= one.row.electrons < 10 ** (power + 1)]
        known = [one for one in inside if one.covered is not None]
        if known:
            found[f"1e{power}"] = {"patterns": len(known), "coverage_90": share(known, lambda one: bool(one.covered))}
    return found


def share(answers: Sequence[Judged], holds: Callable[[Judged], bool]) -> float | None:
    """Share of answers of which something holds; None of none."""
    return float(np.mean([holds(one) for one in answers])) if answers else None
