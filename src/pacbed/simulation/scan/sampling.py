"""Where the `scan` engine samples the diffraction plane, and how the stack's pixels are read from these samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.interpolate import make_interp_spline

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.patterns import Geometry

# Numbers of cells of an automatic supercell along its shorter edge: FFTs like their factors, and wider ones cost memory
# and gain nothing.
AUTOMATIC_CELLS = (1, 2, 3, 4, 5, 6, 8, 9, 10, 12)
MARGIN_SAMPLES = 4  # beyond the outermost pixels, so that the splines' ends lie outside


@dataclass(frozen=True)
class ScanSampling:
    """A supercell and the shifts of the incident directions that together sample the diffraction plane.

    A supercell of N cells has samples |G1| / N apart. Scans whose directions are shifted by fractions of that distance
    sample the angles in between, so a small supercell does for any pitch.

    Attributes
    ----------
    cells : tuple of int
        Orthogonal cells of the supercell along x and y.
    interleaved : tuple of int
        Scans along x and y, each shifted by the same fraction of a sample of the supercell.
    pitch_mrad : tuple of float
        Distance of the samples of all scans together, along x and y [mrad].
    reach : tuple of int
        Samples of one scan from the middle to the edge of the window, along x and y.
    """

    cells: tuple[int, int]
    interleaved: tuple[int, int]
    pitch_mrad: tuple[float, float]
    reach: tuple[int, int]

    @classmethod
    def of(
        cls,
        lengths_a: Sequence[float],
        energy_ev: float,
        geometry: Geometry,
        *,
        cells: int | str,
        samples_per_pixel: float,
    ) -> ScanSampling:
        """Fewest scans that sample each pixel of a centred image.

        Parameters
        ----------
        lengths_a : two floats
            Edges of the orthogonal cell along x and y [Å].
        energy_ev : float
            Beam energy [eV].
        geometry : Geometry
            Pixels of the stack, optic axis in the middle.
        cells : int or "auto"
            Edge of the supercell in cells of the shorter edge's length; "auto" takes at most 12.
        samples_per_pixel : float
            Least number of samples along the edge of a pixel.
        """
        half_width = geometry.pixel_mrad * (max(geometry.shape) - 1) / 2
        first_mrad = [mrad_per_inverse_a(energy_ev) / length for length in lengths_a]
        share = [min(lengths_a) / length for length in lengths_a]  # of the cells along the shorter edge
        x, y = (
            _AxisSampling.of(first, samples_per_pixel * first / geometry.pixel_mrad, cells, edge, half_width)
            for first, edge in zip(first_mrad, share, strict=True)
        )
        return cls((x.cells, y.cells), (x.interleaved, y.interleaved), (x.pitch_mrad, y.pitch_mrad), (x.reach, y.reach))

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """Every scan by its indices (x, y) among the interleaved ones."""
        return list(product(range(self.interleaved[0]), range(self.interleaved[1])))

    def offset_mrad(self, offset: tuple[int, int]) -> tuple[float, float]:
        """Shift of the sampled angles of one scan, at most half a sample of its supercell [mrad]."""
        x, y = (
            (index - count // 2) * pitch
            for index, count, pitch in zip(offset, self.interleaved, self.pitch_mrad, strict=True)
        )
        return x, y

    @property
    def axes_mrad(self) -> tuple[np.ndarray, np.ndarray]:
        """Angles of the samples of all scans together along kx and ky, ascending [mrad]; one axis each."""
        x, y = (
            (np.arange((2 * reach + 1) * count) - reach * count - count // 2) * pitch
            for reach, count, pitch in zip(self.reach, self.interleaved, self.pitch_mrad, strict=True)
        )
        return x, y

    @property
    def window_mrad(self) -> float:
        """Half width of the patterns that hold the window of every scan [mrad]."""
        edges = zip(self.reach, self.interleaved, self.pitch_mrad, strict=True)
        return max((reach + 0.5) * count * pitch for reach, count, pitch in edges)

    def window(self, pattern: np.ndarray) -> np.ndarray:
        """The middle of one scan's pattern (ky, kx) that belongs to the joint samples, shape (2 y + 1, 2 x + 1)."""
        x, y = self.reach
        row, column = (size // 2 for size in pattern.shape)
        return pattern[row - y : row + y + 1, column - x : column + x + 1]

    def join(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Interleave the windows of all scans.

        Parameters
        ----------
        windows : sequence of numpy.ndarray, shape (..., ky, kx)
            One for each entry of `offsets`.

        Returns
        -------
        numpy.ndarray, shape (..., ky of all scans, kx of all scans)
        """
        columns, rows = self.interleaved
        shape = windows[0].shape
        joint = np.empty((*shape[:-2], shape[-2] * rows, shape[-1] * columns), dtype=windows[0].dtype)
        for (x, y), window in zip(self.offsets, windows, strict=True):
            joint[..., y::rows, x::columns] = window
        return joint


class _AxisSampling(NamedTuple):
    """The sampling along one axis, as `ScanSampling` has it for both."""

    cells: int
    interleaved: int
    pitch_mrad: float
    reach: int

    @classmethod
    def of(
        cls, first_mrad: float, samples: float, cells: int | str, share: float, half_width_mrad: float
    ) -> _AxisSampling:
        """Fewest scans with at least so many samples between neighbouring beams, `first_mrad` apart [mrad].

        `share` is that of the cells along the shorter edge, because this edge is longer.
        """
        least = max(1, math.ceil(samples - 1e-9))
        if isinstance(cells, str):
            scans = math.ceil(least / max(1, round(AUTOMATIC_CELLS[-1] * share)))
            wide = next(count for count in AUTOMATIC_CELLS if count * scans >= least)
        else:
            wide = max(1, round(cells * share))
            scans = math.ceil(least / wide)
        step = first_mrad / wide
        return cls(wide, scans, step / scans, math.ceil((half_width_mrad + MARGIN_SAMPLES * step / scans) / step))


def read_pixels(density: np.ndarray, axes_mrad: tuple[np.ndarray, np.ndarray], geometry: Geometry) -> np.ndarray:
    """Fraction of the beam in each pixel of an upright image, by cubic splines through the samples.

    As the renderer does, a pixel takes the density at its centre times its area; what keeps the edge of a disk from
    being missed or counted whole is the aperture's ramp of at least a pixel.

    Parameters
    ----------
    density : numpy.ndarray, shape (plane, ky, kx)
        Fraction of the beam per solid angle at the samples [1/mrad^2].
    axes_mrad : two numpy.ndarray, shapes (kx,) and (ky,)
        Angles of the samples [mrad].
    geometry : Geometry
        Pixels inside the samples; not rotated.

    Returns
    -------
    numpy.ndarray of float32, shape (plane, row, column)
        No value is below zero: splines undershoot a little where the pattern is dark.
    """
    kx, ky = geometry.angles_mrad()
    weights = [
        make_interp_spline(axis, np.eye(len(axis)), k=3)(centers)
        for axis, centers in zip(axes_mrad, (kx[0], ky[:, 0]), strict=True)
    ]
    images = weights[1] @ density @ weights[0].T * geometry.pixel_mrad**2
    return np.maximum(images, 0.0).astype(np.float32)
