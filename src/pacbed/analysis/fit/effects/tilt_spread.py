"""A bent foil: the averaged area holds a range of tilts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.effects.effect import ChangedModel, Effect
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters

# ASSUME: tilts of a bent or mosaic foil spread alike in all directions, like a Gaussian (an estimate).
NARROW_MRAD = 1.0  # up to here, patterns are nearly parabolas of the tilt


class Tilts(NamedTuple):
    """Tilts, shape (tilt, 2) [mrad], and their weights, shape (tilt,)."""

    mrad: np.ndarray
    weights: np.ndarray


def gaussian_tilts(spread_mrad: float) -> Tilts:
    """Few tilts that stand for a Gaussian.

    On rings: Gauss-Laguerre in the square of the distance, which for a Gaussian in the plane is exponential.

    Parameters
    ----------
    spread_mrad : float
        Standard deviation of each part [mrad].
    """
    rings, on_each = (1, 4) if spread_mrad <= NARROW_MRAD else (2, 5)
    squares, shares = np.polynomial.laguerre.laggauss(rings)
    turns = 2 * np.pi * (np.arange(on_each)[None, :] / on_each + np.arange(rings)[:, None] / (2 * on_each))
    tilts = np.sqrt(2 * squares)[:, None, None] * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    return Tilts(spread_mrad * tilts.reshape(-1, 2), np.repeat(shares / on_each, on_each))


@dataclass(frozen=True)
class TiltSpread(Effect):
    """Tilts spread like a Gaussian, alike in all directions; its size is the standard deviation of each part [mrad].

    Tilts beyond the table are drawn back to its edge.
    """

    name: str = "tilt_spread"
    unit: str = "mrad"
    width: float = 1.0
    sizes: tuple[float, ...] = (1.5, 3.0)
    largest: float = 5.0
    power: int = 2

    def applied(self, model: ForwardModel, amounts: np.ndarray) -> ForwardModel:
        """See `Effect.applied`."""
        tilts, weights = gaussian_tilts(self.size(amounts))

        def change(inner: ForwardModel, at: PatternParameters) -> np.ndarray:
            x, y = at.mistilt_mrad
            parts = (inner.render_sharp(replace(at, mistilt_mrad=(x + dx, y + dy))) for dx, dy in tilts.tolist())
            return np.asarray(sum(weight * part for weight, part in zip(weights, parts, strict=True)))

        return ChangedModel(model, change)
