"""Whole thickness series from a sum over beams that grows with the convergence angle."""

from __future__ import annotations

import numpy as np

from pacbed.simulation.detector_grid import detector_box, pixel_weights, visible_pixels, wanted_nodes
from pacbed.simulation.equal_pixels import EqualPixels
from pacbed.simulation.geometry import Geometry
from pacbed.simulation.node_sums import widen_sum
from pacbed.simulation.series_kernels import render_pattern_series
from pacbed.simulation.thickness_components import ThicknessComponents


class NodeSum:
    """Sum over the disks of all beams on the nodes of the detector, and the patterns made from it.

    Parameters
    ----------
    components : ThicknessComponents
        The table along thickness.
    index, place : tuple
        See `render_pattern`; of the place, tilt, nodes and field count here.
    geometry : Geometry
        Pixels of the patterns.
    operations : ndarray, shape (operation, 2, 2)
        Symmetry of the table, see `EqualPixels`.
    """

    def __init__(
        self, components: ThicknessComponents, index: tuple, place: tuple, geometry: Geometry, operations: np.ndarray
    ) -> None:
        tilt, inverse, field = place[0], place[2], place[4]
        self._parts = components.codes, components.offset, components.rank, components.scale
        self._index, self._lines = index, geometry.lines_mrad()
        self._box = box = detector_box(self._lines, geometry.shape, tilt, inverse)
        self._pixels = pixel_weights(self._lines, tilt, inverse, geometry.shape, box)
        self._equal = EqualPixels.of(operations, tilt, geometry)
        self._visible = visible_pixels(self._lines, tilt, field, self._equal.spans, geometry.shape[1])
        self._wanted = wanted_nodes(self._visible, self._pixels, box)
        # Allocated here and not in compiled code, because NumPy asks the system for large pages.
        self._total = np.zeros((box[1] - box[0], box[3] - box[2], len(components.basis)), dtype=np.float32)
        self._held = np.zeros((len(index[1]), 2), dtype=np.int32)

    def render(self, place: tuple, mix: np.ndarray, used: np.ndarray, out: np.ndarray) -> None:
        """Grow to the convergence angle of `place`, not below that of the last call, and fill `out`.

        Parameters
        ----------
        place : tuple
            See `render_pattern`.
        mix, used : ndarray
            From `ThicknessComponents.mix`.
        out : ndarray of float32, shape (thickness, ny, nx)
            Receives the patterns.
        """
        total, held, index, box = self._total, self._held, self._index, self._box
        widen_sum(self._parts, index, place, box, self._wanted, held, total)
        scaled, pixels = mix * np.float32(place[-1]), (*self._pixels, self._visible, self._equal.spans)
        render_pattern_series(self._parts, scaled, used, index, place, self._lines, box, held, pixels, total, out)
        self._equal.copy(out)
