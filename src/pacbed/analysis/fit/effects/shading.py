"""An unevenly sensitive camera: the picture is brighter towards one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.effects.effect import ChangedModel, Effect
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters


@dataclass(frozen=True)
class Shading(Effect):
    """A gain that is linear in x and y; its size is the change from the centre of the disk to its rim [1]."""

    name: str = "shading"
    unit: str = ""
    width: float = 0.05
    sizes: tuple[float, ...] = ()
    largest: float = 0.4
    parts: int = 2

    def applied(self, model: ForwardModel, amounts: np.ndarray) -> ForwardModel:
        """See `Effect.applied`."""
        right, down = self.width * amounts

        def change(inner: ForwardModel, at: PatternParameters) -> np.ndarray:
            geometry = inner.cutout.geometry(at, mirrored=inner.mirrored)
            row, column = np.indices(geometry.shape) * geometry.pixel_mrad / at.convergence_mrad
            cx, cy = (center * geometry.pixel_mrad / at.convergence_mrad for center in geometry.center_px)
            return np.asarray(inner.sharp(at) * (1 + right * (column - cx) + down * (row - cy)))

        return ChangedModel(model, change)
