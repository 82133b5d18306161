"""A wedge or a rough foil: the averaged area holds a range of thicknesses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pacbed.analysis.fit.effects.effect import ChangedModel, Effect
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters

# ASSUME: thicknesses in the averaged area spread like a Gaussian (an estimate; a wedge spreads evenly).
# ASSUME: where they spread otherwise, their mean is that of the Gaussian which fits to this share of their standard
# deviation (measured on specimens of six thicknesses, benchmarks/effects.md).
SHAPE = 0.4
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(3)


@dataclass(frozen=True)
class ThicknessSpread(Effect):
    """Thicknesses spread like a Gaussian; its size is their standard deviation over their mean [1]."""

    name: str = "thickness_spread"
    unit: str = ""
    width: float = 0.1
    sizes: tuple[float, ...] = (0.15,)
    largest: float = 0.33
    power: int = 2

    def open_nm(self, amount: float, thickness_nm: float) -> float:
        """See `Effect.open_nm`: what the shape of the distribution is worth."""
        return SHAPE * self.size(np.array([amount])) * thickness_nm

    def applied(self, model: ForwardModel, amounts: np.ndarray) -> ForwardModel:
        """See `Effect.applied`."""
        ratios, weights = 1 + self.size(amounts) * NODES, WEIGHTS / WEIGHTS.sum()

        def change(inner: ForwardModel, at: PatternParameters) -> np.ndarray:
            deepest = inner.renderer.table.thickness_max_nm
            depths = np.clip(at.thickness_nm * ratios, 0.0, deepest).tolist()
            parts = (inner.render_sharp(replace(at, thickness_nm=depth)) for depth in depths)
            return np.asarray(sum(weight * part for weight, part in zip(weights, parts, strict=True)))

        return ChangedModel(model, change)
