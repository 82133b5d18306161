"""Renders from a compact table: for each thickness, the level that holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.rendering.view import View
from pacbed.simulation.table.rocking_table import RockingTable


class CompactRenderer(Renderer):
    """A `Renderer` of several levels of thickness.

    Parameters
    ----------
    levels : sequence of RockingTable
        From the entrance surface down. The last and finest stands for all as `table`: its pitch is the narrowest, its
        cone and field are those of all, and it reaches deepest.
    """

    def __init__(self, levels: Sequence[RockingTable]) -> None:
        super().__init__(levels[-1])
        self._ends = np.array([level.thickness_max_nm for level in levels[:-1]])
        self._upper = [Renderer(level) for level in levels[:-1]]

    def _image(self, thickness_nm: float, convergence_mrad: float, view: View) -> np.ndarray:
        level = int(np.searchsorted(self._ends, thickness_nm))
        one = super()._image if level == len(self._ends) else self._upper[level]._image
        return one(thickness_nm, convergence_mrad, view)

    def _series(self, thicknesses_nm: np.ndarray, convergence_mrad: float, view: View) -> np.ndarray:
        renderers = [*(level._series for level in self._upper), super()._series]
        held_by = np.searchsorted(self._ends, thicknesses_nm)
        series = np.empty((len(thicknesses_nm), *view.geometry.shape), dtype=np.float32)
        for level in np.unique(held_by):
            series[held_by == level] = renderers[level](thicknesses_nm[held_by == level], convergence_mrad, view)
        return series

    def _nested(
        self, thicknesses_nm: np.ndarray, convergences_mrad: Sequence[float], view: View, unit: float | None
    ) -> Iterator[np.ndarray]:
        return self._one_by_one(thicknesses_nm, convergences_mrad, view, unit)
