"""What renders patterns, whatever table they come from: one table, one with a diffuse part, or several levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from pacbed.simulation.rendering.view import View


class PatternRenderer(Protocol):
    """Renders patterns whose parameters are known to lie inside the table. Safe to share among threads."""

    def pattern(self, thickness_nm: float, convergence_mrad: float, view: View) -> np.ndarray:
        """One pattern, float32 of shape (ny, nx) [fraction of the beam per pixel]."""

    def series(
        self, thicknesses_nm: np.ndarray, convergences_mrad: Sequence[float], view: View
    ) -> Iterator[np.ndarray]:
        """Patterns of several thicknesses, for one of the ascending convergence angles after the other.

        Each is float32 of shape (thickness, ny, nx) [fraction of the beam per pixel].
        """
