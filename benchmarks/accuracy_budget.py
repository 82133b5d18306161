"""Whether the thickness budget holds what it says of the effects that crystals were drawn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pacbed.bundle.reader import Bundle
from pacbed.evaluation.answers import Answer
from pacbed.evaluation.direct.varied import DRAWN

NORMAL_90 = 1.6449  # deviations


def add_coverage_of_drawn(figures: dict[str, dict[str, dict]], answers: Sequence[Answer], bundle: Bundle) -> None:
    """Add the share of fits within 1.645 deviations of noise together with the budget's effects that were drawn."""
    budget = bundle.meta.model_error
    drawn = np.sqrt(sum(np.square(budget.effects[name].bias_nm) for name in DRAWN if name in budget.effects))
    inside: dict[tuple[str, str], list[bool]] = {}
    for one in answers:
        if one.thickness_nm is None or one.thickness_std_statistical_nm is None:
            continue
        share = np.interp(one.true_thickness_nm, [0.0, *budget.thickness_nm], [0.0, *drawn])
        std = np.hypot(one.thickness_std_statistical_nm, share)
        held = abs(one.thickness_nm - one.true_thickness_nm) < NORMAL_90 * std
        inside.setdefault((one.method, one.noise.label), []).append(bool(held))
    for (method, level), held in inside.items():
        figures[method][level]["coverage_drawn_90"] = float(f"{np.mean(held):.4g}")
