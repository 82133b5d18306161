"""Whole thickness series, of one convergence angle or of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pacbed.patterns import Geometry
from pacbed.simulation.rendering.equal_pixels import EqualPixels
from pacbed.simulation.rendering.kernels.detector import detector_box, pixel_weights, visible_pixels, wanted_nodes
from pacbed.simulation.rendering.kernels.growth import grow_pattern_series
from pacbed.simulation.rendering.kernels.mixing import mix_image, thickness_blocks
from pacbed.simulation.rendering.kernels.node_sums import widen_sum
from pacbed.simulation.rendering.kernels.series import render_pattern_series, sum_components
from pacbed.simulation.rendering.memory import SpareMemory
from pacbed.simulation.rendering.thickness_components import ThicknessComponents

TOGETHER = 7  # angles grown to at once: more save little time, and their patterns take memory
NEAR = 2.0  # in reaches of a pixel's nodes; three away, growing takes as long as starting anew (measured)


class SeriesRenderer:
    """Thickness series of one mistilt and geometry.

    The first angle comes from the sum over the disks of all beams on the nodes of the detector. One that is close to
    the angle before grows from it by the pairs of a pixel and a beam that it has more.

    Parameters
    ----------
    components : ThicknessComponents
        The table along thickness.
    indices : sequence of two tuples
        See `render_pattern`; the second one for nodes with their axes swapped.
    place : tuple
        See `render_pattern`; of any convergence angle.
    geometry : Geometry
        Pixels of the patterns.
    operations : ndarray, shape (operation, 2, 2)
        Symmetry of the table, see `EqualPixels`.
    """

    def __init__(
        self,
        components: ThicknessComponents,
        indices: Sequence[tuple],
        place: tuple,
        geometry: Geometry,
        operations: np.ndarray,
    ) -> None:
        tilt, inverse, field, self._reach = place[0], place[2], place[4], place[5]
        self._parts = components.codes, components.offset, components.rank, components.scale
        self._indices, self._lines, self._shape = indices, geometry.lines_mrad(), geometry.shape
        self._box = box = detector_box(self._lines, geometry.shape, tilt, inverse)
        self._equal = EqualPixels.of(operations, tilt, geometry)
        self._visible = visible_pixels(self._lines, tilt, field, self._equal.spans, geometry.shape[1])
        weights = pixel_weights(self._lines, tilt, inverse, geometry.shape, box)
        self._wanted = wanted_nodes(self._visible, weights, box)
        self._pixels = *weights, self._visible, self._equal.spans
        # Allocated here and not in compiled code, because NumPy asks the system for large pages.
        self._total = np.zeros((box[1] - box[0], box[3] - box[2], len(components.basis)), dtype=np.float32)
        self._held = np.zeros((len(indices[0][1]), 2), dtype=np.int32)

    def single(self, place: tuple, mix: np.ndarray, used: np.ndarray, out: np.ndarray) -> None:
        """The series of one angle, not below that of the last call.

        Parameters
        ----------
        place : tuple
            See `render_pattern`.
        mix, used : ndarray
            From `ThicknessComponents.mix`.
        out : ndarray of float32, shape (thickness, ny, nx)
            Receives the patterns.
        """
        scaled = mix * np.float32(place[-1])
        render_pattern_series(self._parts, scaled, used, *self._summed(place), out)
        self._equal.copy(out)

    def nested(
        self, places: Sequence[tuple], mix: np.ndarray, dtype: type, unit: float, memory: SpareMemory
    ) -> Iterator[np.ndarray]:
        """Series of ascending angles, each of shape (ny, nx, thickness or more); later ones overwrite them.

        Parameters
        ----------
        places : sequence of tuple
            See `render_pattern`.
        mix : ndarray, shape (thickness, component)
            See `ThicknessComponents.mix`.
        dtype : type
            float32, or uint16 for rounded numbers.
        unit : float
            What a number of 1 stands for.
        memory : SpareMemory
            Lends what is worked in.
        """
        weights, blocks = thickness_blocks(mix)
        runs = self._runs([place[6] for place in places])
        room = max(run.stop - run.start for run, _ in runs), *self._shape, weights.shape[1]
        with memory.array(room, dtype) as out, memory.array((*self._shape, len(weights)), np.float32) as kept:
            for run, grows in runs:
                filled = out[: run.stop - run.start]
                mixes = np.stack([weights * np.float32(place[-1] / unit) for place in places[run]])
                if grows:
                    self._grow(places[run.start - 1 : run.stop], mixes, blocks, kept, filled)
                else:
                    sum_components(self._parts, *self._summed(places[run.start]), kept)
                    mix_image(kept, mixes[0], blocks, self._visible, self._equal.spans, filled[0])
                for images in filled:
                    self._equal.copy_inner(images)
                    yield images

    def _runs(self, alphas: Sequence[float]) -> list[tuple[slice, bool]]:
        """Angles worked on together, and whether they grow from the one before them; if not, a single one."""
        _row1, column1, _row2, column2 = self._pixels[4]
        along = 0 in (column1, column2)  # an axis of the nodes runs along the rows of pixels
        runs: list[tuple[slice, bool]] = []
        for angle, alpha in enumerate(alphas):
            grows = along and angle > 0 and alpha - alphas[angle - 1] <= NEAR * self._reach
            begin = angle
            if grows and runs[-1][1] and angle - runs[-1][0].start < TOGETHER:
                begin = runs.pop()[0].start
            runs.append((slice(begin, angle + 1), grows))
        return runs

    def _summed(self, place: tuple) -> tuple:
        """Grow the sum on the nodes to an angle; returns what the compiled loops must know of it."""
        index, box = self._indices[0], self._box
        widen_sum(self._parts, index, place, box, self._wanted, self._held, self._total)
        return index, place, self._lines, box, self._held, self._pixels, self._total

    def _grow(
        self, places: Sequence[tuple], mixes: np.ndarray, blocks: np.ndarray, kept: np.ndarray, out: np.ndarray
    ) -> None:
        """Bring the kept components from the first angle to the last, and fill `out` with all but the first."""
        index, pixels = self._indices[0], self._pixels
        if pixels[4][1] != 0:  # the first index of the nodes moves along a row of pixels
            below1, weights1, below2, weights2, (row1, column1, row2, column2), *spans = pixels
            pixels = below2, weights2, below1, weights1, (row2, column2, row1, column1), *spans
            index = self._indices[1]
        alphas = np.array([place[6] for place in places])
        grow_pattern_series(self._parts, index, places[0], self._lines, alphas, pixels, mixes, blocks, kept, out)
