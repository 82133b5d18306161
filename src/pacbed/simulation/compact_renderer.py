"""Renders from a compact table: for each thickness, the level that holds it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pacbed.simulation.geometry import Geometry
from pacbed.simulation.renderer import Renderer
from pacbed.simulation.rocking_table import RockingTable


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

    def render(
        self,
        *,
        thickness_nm: float,
        convergence_mrad: float,
        geometry: Geometry,
        mistilt_mrad: Sequence[float] | np.ndarray = (0.0, 0.0),
        blur_mrad: float = 0.0,
        edge_mrad: float | None = None,
    ) -> np.ndarray:
        """One pattern, see `Renderer.render`."""
        edge = self._edge(geometry, edge_mrad)
        self._check(thickness_nm, convergence_mrad, mistilt_mrad, blur_mrad, edge)
        level = int(np.searchsorted(self._ends, thickness_nm))
        one = super().render if level == len(self._ends) else self._upper[level].render
        return one(
            thickness_nm=thickness_nm,
            convergence_mrad=convergence_mrad,
            geometry=geometry,
            mistilt_mrad=mistilt_mrad,
            blur_mrad=blur_mrad,
            edge_mrad=edge,
        )

    def render_series(
        self,
        thicknesses_nm: Sequence[float],
        *,
        convergence_mrad: float,
        geometry: Geometry,
        mistilt_mrad: Sequence[float] | np.ndarray = (0.0, 0.0),
        blur_mrad: float = 0.0,
        edge_mrad: float | None = None,
    ) -> np.ndarray:
        """Patterns of several thicknesses, see `Renderer.render_series`."""
        edge = self._edge(geometry, edge_mrad)
        for thickness in thicknesses_nm:
            self._check(thickness, convergence_mrad, mistilt_mrad, blur_mrad, edge)
        thicknesses = np.asarray(thicknesses_nm, dtype=float)
        held_by = np.searchsorted(self._ends, thicknesses)
        series = np.empty((len(thicknesses), *geometry.shape), dtype=np.float32)
        for level in np.unique(held_by):
            several = super().render_series if level == len(self._ends) else self._upper[level].render_series
            series[held_by == level] = several(
                thicknesses[held_by == level].tolist(),
                convergence_mrad=convergence_mrad,
                geometry=geometry,
                mistilt_mrad=mistilt_mrad,
                blur_mrad=blur_mrad,
                edge_mrad=edge,
            )
        return series
