"""What a bundle tells of its own errors: those measured against noise, and the budget of what the model does not know.

Metrics of a bundle are free text to the service, and bundles come from elsewhere: what is no number is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, NamedTuple

from pacbed.bundle.meta import BundleMeta, ModelEffect
from pacbed.bundle.pretrained.listing import fit_among

NETWORKS, FLOOR = "networks", "floor"
# Patterns summed from plane waves off the table's directions, with its interpolation in their errors, come first.
KINDS = {"errors_direct": "summed from plane waves", "errors": "rendered", "errors_counted": "rendered"}
MOST = 50  # rows
MEDIAN_OF_NORMAL = 0.6745  # median size of a normal error over its standard deviation


class Level(NamedTuple):
    """How noisy patterns were.

    Attributes
    ----------
    noise : float or None
        Standard deviation of a pixel over the pattern's maximum.
    electrons : float or None
        Counted in the whole pattern, where that was varied instead.
    """

    noise: float | None
    electrons: float | None


class Measured(NamedTuple):
    """Errors at one level of noise, on patterns whose thickness is known.

    Attributes
    ----------
    noise, electrons : float or None
        As in `Level`.
    patterns : int
    kind : str
        How the patterns were made.
    fit_nm, fit_rmse_nm : float or None
        Median and root mean square of the error of the fitted thickness [nm].
    networks_nm : float or None
        Median of the networks alone [nm].
    smallest_nm : float or None
        Median of a fit that reaches the Cramér-Rao bound [nm], to be compared with `fit_nm`.
    """

    noise: float | None
    electrons: float | None
    patterns: int
    kind: str
    fit_nm: float | None
    fit_rmse_nm: float | None
    networks_nm: float | None
    smallest_nm: float | None


class Worth(NamedTuple):
    """One effect that the simulation does not know, and what it is worth.

    Attributes
    ----------
    name : str
    effect : ModelEffect
    """

    name: str
    effect: ModelEffect

    @property
    def varied(self) -> str:
        """How much was varied, in words."""
        size, unit = self.effect.size, self.effect.unit
        if unit.startswith("of "):
            return f"{100 * size:.3g} % {unit}"
        return unit if size == 1 else f"{size:.3g} {unit}"


def measured(meta: BundleMeta) -> list[Measured]:
    """Errors of an evaluation, by ascending noise and then by descending number of electrons; empty without one.

    Parameters
    ----------
    meta : BundleMeta
    """
    evaluation = meta.metrics.get("evaluation")
    levels: dict[Level, Measured] = {}
    for key, kind in KINDS.items():
        rows = list(_rows(evaluation, key))
        for level in dict.fromkeys(level for level, _ in rows):
            here = {str(row.get("method")): row for other, row in rows if other == level}
            found = _measured(level, kind, here)
            if found is not None:
                levels.setdefault(level, found)
    return sorted(levels.values(), key=lambda one: (one.noise is None, one.noise or 0.0, -(one.electrons or 0.0)))


def worth(meta: BundleMeta) -> list[Worth]:
    """Effects of the thickness budget, those that count first, each group by what it is worth at the largest."""
    found = [Worth(name, effect) for name, effect in meta.model_error.effects.items()]
    return sorted(found, key=lambda one: (not one.effect.counted, -one.effect.bias_nm[-1], one.name))


def _rows(evaluation: Any, key: str) -> Iterator[tuple[Level, Mapping[str, Any]]]:
    rows = evaluation.get(key) if isinstance(evaluation, dict) else None
    for row in rows[:MOST] if isinstance(rows, list) else []:
        if isinstance(row, dict):
            level = Level(_number(row.get("noise")), _number(row.get("electrons")))
            if level != Level(None, None):
                yield level, row


def _measured(level: Level, kind: str, rows: Mapping[str, Mapping[str, Any]]) -> Measured | None:
    method = fit_among(rows)
    if method is None:
        return None
    fit = rows[method]
    floors = (rows.get(FLOOR, {}).get("thickness_median_nm"), fit.get("floor_nm"))
    floor = next((one for one in map(_number, floors) if one is not None), None)
    return Measured(
        noise=level.noise,
        electrons=level.electrons,
        patterns=int(_number(fit.get("patterns")) or 0),
        kind=kind,
        fit_nm=_number(fit.get("thickness_median_nm")),
        fit_rmse_nm=_number(fit.get("thickness_rmse_nm")),
        networks_nm=_number(rows.get(NETWORKS, {}).get("thickness_median_nm")),
        smallest_nm=None if floor is None else MEDIAN_OF_NORMAL * floor,
    )


def _number(value: Any) -> float | None:
    """A number from zero up."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0
    return float(value) if usable else None
