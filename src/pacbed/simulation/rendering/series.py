"""Whole thickness series of one mistilt and geometry, for ascending convergence angles."""

from __future__ import annotations

import numpy as np

from pacbed.simulation.rendering.kernels.detector import detector_box, needed_nodes, pixel_stencils
from pacbed.simulation.rendering.kernels.node_sums import widen_sum
from pacbed.simulation.rendering.kernels.series import render_pattern_series
from pacbed.simulation.rendering.kernels.tables import ComponentTable, Mix, NodeSum, Scene


class SeriesRenderer:
    """Renders the series of one convergence angle after the other.

    The sum over the disks of all beams on the nodes of the detector is kept: a larger angle adds to it the directions
    that its disks have more.

    Parameters
    ----------
    table : ComponentTable
        The table along thickness.
    scene : Scene
        Of any convergence angle.
    shape : tuple of int
        Rows and columns (ny, nx) of the patterns.
    components : int
        Number of components along thickness.
    """

    def __init__(self, table: ComponentTable, scene: Scene, shape: tuple[int, int], components: int) -> None:
        self._table, self._shape = table, shape
        box = detector_box(scene.lines_mrad, shape, scene.light.mistilt_mrad, scene.frame.inverse)
        self._stencils = pixel_stencils(scene, shape, box)
        # Allocated here and not in compiled code, because NumPy asks the system for large pages.
        total = np.zeros((box.stop1 - box.first1, box.stop2 - box.first2, components), dtype=np.float32)
        disk = np.zeros((len(table.directions.operation), 2), dtype=np.int32)
        self._nodes = NodeSum(box, needed_nodes(self._stencils, box), disk, total)

    def render(self, scene: Scene, mix: Mix, thicknesses: int) -> np.ndarray:
        """The series of one convergence angle, not below that of the last call.

        Parameters
        ----------
        scene : Scene
            As before, but for the convergence angle.
        mix : Mix
            From `ThicknessComponents.mix`.
        thicknesses : int
            Number of patterns.

        Returns
        -------
        ndarray of float32, shape (thickness, ny, nx)
            Fraction of the beam per pixel.
        """
        widen_sum(self._table, scene, self._nodes)
        series = np.empty((thicknesses, *self._shape), dtype=np.float32)
        scaled = mix._replace(weights=mix.weights * np.float32(scene.light.pixel_share))
        render_pattern_series(self._table, scaled, scene, self._nodes, self._stencils, series)
        return series
