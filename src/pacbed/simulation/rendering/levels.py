"""Patterns from a compact table: for each thickness, the level that holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pacbed.simulation.rendering.pattern_renderer import PatternRenderer
from pacbed.simulation.rendering.view import View


class LevelPatterns:
    """Shares out thicknesses among tables that lie below one another in the crystal.

    Parameters
    ----------
    levels : sequence of PatternRenderer
        One for each level, from the entrance surface down.
    ends_nm : sequence of float
        Largest thickness of every level but the last [nm].
    """

    def __init__(self, levels: Sequence[PatternRenderer], ends_nm: Sequence[float]) -> None:
        self._levels, self._ends_nm = list(levels), np.asarray(ends_nm, dtype=float)

    def pattern(self, thickness_nm: float, convergence_mrad: float, view: View) -> np.ndarray:
        """See `PatternRenderer`."""
        level = int(np.searchsorted(self._ends_nm, thickness_nm))
        return self._levels[level].pattern(thickness_nm, convergence_mrad, view)

    def series(
        self, thicknesses_nm: np.ndarray, convergences_mrad: Sequence[float], view: View
    ) -> Iterator[np.ndarray]:
        """See `PatternRenderer`."""
        held_by = np.searchsorted(self._ends_nm, thicknesses_nm)
        used = np.unique(held_by)
        parts = [
            self._levels[level].series(thicknesses_nm[held_by == level], convergences_mrad, view) for level in used
        ]
        for together in zip(*parts, strict=True):
            series = np.empty((len(thicknesses_nm), *view.geometry.shape), dtype=np.float32)
            for level, part in zip(used, together, strict=True):
                series[held_by == level] = part
            yield series
