"""Compiled loops for whole thickness series: as `pattern`, with components along thickness as the inner axis.

A few rows of pixels at a time are interpolated from the sum over beams, mended around the edge of every disk, and mixed
to the patterns of all thicknesses.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.edges import correct_band, edge_memory
from pacbed.simulation.rendering.kernels.mixing import mix_row, turn_row
from pacbed.simulation.rendering.kernels.rows import interpolate_row

BAND = 8  # rows of pixels worked on at once: they read the same nodes, and what they write stays in the cache


@njit(nogil=True, cache=True, fastmath=True)
def render_pattern_series(table, mix, scene, nodes, stencils, out):
    """Patterns of several thicknesses from the sum over beams.

    Parameters
    ----------
    table : ComponentTable
    mix : Mix
        Weights of the components, with `Illumination.pixel_share` in them.
    scene : Scene
        Of the convergence angle that the sum holds.
    nodes : NodeSum
    stencils : Stencils
        Of all pixels.
    out : ndarray of float32, shape (thickness, ny, nx)
        Receives the fractions of the beam per pixel.
    """
    columns, visible, total = out.shape[2], stencils.visible, nodes.components
    components = total.shape[2]
    # One value more than components: lines a power of two apart would push each other out of the cache.
    band = np.empty((BAND, columns, components + 1), dtype=np.float32)
    line = np.empty((max(total.shape[0], total.shape[1]), components), dtype=np.float32)
    turned, memory = np.empty((components, columns), dtype=np.float32), edge_memory(len(nodes.disk), columns)
    for first in range(0, out.shape[1], BAND):
        last = min(first + BAND, out.shape[1])
        band[:] = 0.0
        for row in range(first, last):
            interpolate_row(nodes, stencils, row, line, band[row - first])
        correct_band(table, scene, nodes.disk, stencils, first, last, memory, band)
        for row in range(first, last):
            turn_row(band[row - first], visible[row], turned)
            mix_row(mix, turned, visible[row], row, out)
