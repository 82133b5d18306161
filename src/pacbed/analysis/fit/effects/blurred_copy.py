"""Part of the electrons arrive smeared: plasmon losses, tails of the camera, an amorphous layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.effects.effect import ChangedModel, Effect
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters

# ASSUME: the smeared part is a Gaussian of this width over the convergence angle (an estimate: some 2 mrad, between the
# blur that is fitted and the smooth background).
WIDTH = 0.15


@dataclass(frozen=True)
class BlurredCopy(Effect):
    """A copy of the pattern below it, blurred; its size is the copy's share of the electrons [1]."""

    name: str = "blurred_copy"
    unit: str = ""
    width: float = 0.1
    sizes: tuple[float, ...] = ()
    largest: float = 0.8

    def applied(self, model: ForwardModel, amounts: np.ndarray) -> ForwardModel:
        """See `Effect.applied`."""
        share = self.size(amounts)

        def change(inner: ForwardModel, at: PatternParameters) -> np.ndarray:
            sharp = inner.sharp(at)
            sigma_px = WIDTH * at.convergence_mrad / (at.pixel_mrad * inner.cutout.factor)
            return (1 - share) * sharp + share * ndimage.gaussian_filter(sharp, sigma_px, mode="nearest")

        return ChangedModel(model, change)
