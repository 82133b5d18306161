"""A picture made for the eye: its grey levels are a power of the counts.

Bits do not tell: an image program that turns or resizes such a picture writes 16 of them, or floats. Gamma is also what
comes closest to a ceiling that a gain correction has smeared. How seldom counts are mistaken for it,
`benchmarks/effects.py` tells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.effects.effect import Effect
from pacbed.analysis.fit.forward import ForwardModel

DARKEST = 0.01  # of the bright level: below, a grey level tells nothing of the counts
SMOOTHING_PX = 1.5  # of the grey levels by which residuals are weighted


@dataclass(frozen=True)
class Gamma(Effect):
    """Grey levels are counts to the power of gamma, below 1; its size is that power, its amount counts 1 - gamma."""

    name: str = "gamma"
    unit: str = ""
    width: float = 0.2
    sizes: tuple[float, ...] = (0.5,)
    largest: float = 0.4

    def size(self, amounts: np.ndarray) -> float:
        """Gamma of some amounts, shape (1,)."""
        return 1 - self.width * float(amounts[0])

    def amounts(self, size: float) -> np.ndarray:
        """Amounts of a gamma, shape (1,)."""
        return np.array([(1 - size) / self.width])

    def applied(self, model: ForwardModel, amounts: np.ndarray) -> ForwardModel:
        """The model of the counts, with its residual in grey levels again; the bright level stays where it is.

        A small residual of the counts u = g ** (1 / gamma) is one of the grey levels g times du/dg. So one model of
        the counts serves, and residuals with and without the effect are compared in the same unit.
        """
        gamma, cutout = self.size(amounts), model.cutout
        span = 1 - cutout.zero
        if span < DARKEST:  # a negative: nothing is brighter than no counts
            return model
        grey = np.maximum((cutout.values - cutout.zero) / span, 0.0)
        smooth = np.maximum(ndimage.gaussian_filter(grey, SMOOTHING_PX), DARKEST)
        weights = span * gamma * smooth ** (1 - 1 / gamma)
        earlier = np.ones_like(grey)
        earlier[cutout.mask] = model.weights
        return model.seeing(replace(cutout, values=grey ** (1 / gamma), dark=0.0), weights * earlier)
