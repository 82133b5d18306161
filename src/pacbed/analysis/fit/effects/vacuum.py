"""A hole in the averaged area: part of the beam meets no crystal and lights a flat disk of the aperture's size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from pacbed.analysis.fit.effects.effect import ChangedModel, Effect
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters


@dataclass(frozen=True)
class Vacuum(Effect):
    """A share of the averaged area without crystal; its size is that share of the beam [1]."""

    name: str = "vacuum"
    unit: str = ""
    width: float = 0.05
    sizes: tuple[float, ...] = (0.2, 0.4)
    largest: float = 0.7

    def applied(self, model: ForwardModel, amounts: np.ndarray) -> ForwardModel:
        """See `Effect.applied`."""
        share = self.size(amounts)

        @lru_cache(maxsize=2)
        def disk(empty: PatternParameters) -> np.ndarray:
            return model.render_sharp(empty)

        def change(inner: ForwardModel, at: PatternParameters) -> np.ndarray:
            # A crystal of no thickness is vacuum: the renderer draws its disk with the edge that all others have.
            empty = replace(at, thickness_nm=0.0, mistilt_mrad=(0.0, 0.0), blur_mrad=0.0)
            return (1 - share) * inner.sharp(at) + share * disk(empty)

        return ChangedModel(model, change)
