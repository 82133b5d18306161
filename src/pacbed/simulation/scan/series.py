"""Thickness series from rasters of probes: cut into independent tasks, put together into images of the stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import make_interp_spline

from pacbed.patterns import Geometry
from pacbed.simulation.scan.crystal import ScanCrystal
from pacbed.simulation.scan.probes import ScanProbe, scan_pacbed
from pacbed.simulation.scan.raster import smallest_raster, spread_over
from pacbed.simulation.scan.sampling import ScanSampling, read_pixels

BYTES_PER_TASK = 256e6  # of the probes that are propagated together


@dataclass(frozen=True)
class ScanTask:
    """A part of a series that shares nothing with the others.

    Attributes
    ----------
    slab : int
        Index into the series' slabs.
    offset : int
        Index into the sampling's interleaved scans.
    configuration : int
        Which configuration of the atoms.
    positions : tuple of int
        First and last, excluded, of the raster's positions.
    """

    slab: int
    offset: int
    configuration: int
    positions: tuple[int, int]


@dataclass(frozen=True)
class ScanSeries:
    """One convergence angle and one mistilt at every thickness.

    Attributes
    ----------
    slabs : tuple of ScanCrystal
        What the supercells are filled with; the series is the mean over slabs with equivalent surfaces.
    sampling : ScanSampling
        Supercell and interleaved scans.
    geometry : Geometry
        Pixels of the images.
    thickness_nm : tuple of float
        Thicknesses of the images [nm].
    periods_per_plane, planes : int
        Patterns are recorded at every so many periods, and how many of these below the entrance surface.
    convergence_mrad, edge_mrad : float
        Semi-convergence angle and width of the aperture's edge [mrad].
    mistilt_mrad : tuple of two float
        Mistilt (x, y), crystal frame [mrad].
    configurations : int
        Configurations of vibrating atoms per interleaved scan; 1 for atoms at rest.
    seed : tuple of int
        Identifies the series; each task draws from a generator seeded by this and its own indices.
    """

    slabs: tuple[ScanCrystal, ...]
    sampling: ScanSampling
    geometry: Geometry
    thickness_nm: tuple[float, ...]
    periods_per_plane: int
    planes: int
    convergence_mrad: float
    edge_mrad: float
    mistilt_mrad: tuple[float, float]
    configurations: int
    seed: tuple[int, ...]

    @property
    def crystal(self) -> ScanCrystal:
        """The first slab: what all of them share is read from it."""
        return self.slabs[0]

    @property
    def raster(self) -> np.ndarray:
        """Probe positions, shape (position, 2) [Å]."""
        still, outer = self.crystal.still, self.convergence_mrad + self.edge_mrad / 2
        positions = smallest_raster(self.crystal.cell_a, outer, still.energy_ev)
        return spread_over(positions, still.lengths_a, self.sampling.cells) if self.crystal.vibrates else positions

    def tasks(self) -> list[ScanTask]:
        """What has to be computed, in the order in which `images` takes the results.

        The cut depends on the grid alone, not on who computes: results are the same for every scheduler. Vibrating
        atoms are drawn anew in every task, so the chunks of a raster see more configurations than asked for, not fewer.
        """
        positions = len(self.raster)
        pixels = np.prod(self.crystal.still.transmission.shape[1:]) * np.prod(self.sampling.cells)
        chunks = min(positions, int(np.ceil(positions * 8 * pixels / BYTES_PER_TASK)))
        edges = [positions * chunk // chunks for chunk in range(chunks + 1)]
        return [
            ScanTask(slab, offset, draw, chunk)
            for slab in range(len(self.slabs))
            for offset in range(len(self.sampling.offsets))
            for draw in range(self.configurations)
            for chunk in pairwise(edges)
        ]

    def run(self, task: ScanTask) -> np.ndarray:
        """Density [1/mrad^2] of one task's samples, times its share of the scan; float32, shape (plane, ky, kx)."""
        still, raster = self.crystal.still, self.raster
        rng = np.random.default_rng([*self.seed, task.slab, task.offset, task.configuration, task.positions[0]])
        patterns = scan_pacbed(
            self.slabs[task.slab].periods(self.sampling.cells, rng=rng),
            ScanProbe(still.energy_ev, self.convergence_mrad, self.edge_mrad, self.mistilt_mrad),
            raster[slice(*task.positions)],
            thickness_periods=[plane * self.periods_per_plane for plane in range(self.planes + 1)],
            max_angle_mrad=self.sampling.window_mrad,
            offset_mrad=self.sampling.offset_mrad(self.sampling.offsets[task.offset]),
            band_limit=still.band_limit,
            reproducible=True,
        )
        share = (task.positions[1] - task.positions[0]) / len(raster) / self.configurations / len(self.slabs)
        density = np.stack([self.sampling.window(pattern.density) for pattern in patterns])
        return (share * density).astype(np.float32)

    def images(self, results: Sequence[np.ndarray]) -> np.ndarray:
        """Fraction of the beam per pixel; float32, shape (thickness, row, column).

        Parameters
        ----------
        results : sequence of numpy.ndarray, shape (plane, ky, kx)
            Of `run`, for every entry of `tasks` [1/mrad^2].
        """
        scans = [np.zeros(results[0].shape) for _ in self.sampling.offsets]
        for task, result in zip(self.tasks(), results, strict=True):
            scans[task.offset] += result
        planes = read_pixels(self.sampling.join(scans), self.sampling.axes_mrad, self.geometry)
        images = np.einsum("tp,pyx->tyx", self._thickness_weights(), planes)
        return np.maximum(images, 0.0).astype(np.float32)

    def _thickness_weights(self) -> np.ndarray:
        """Cubic splines through the planes, as the table has them, shape (thickness, plane): labels as asked for."""
        still = self.crystal.still
        spacing_nm = self.periods_per_plane * len(still.transmission) * still.slice_depth_a / 10
        planes = self.planes + 1
        spline = make_interp_spline(np.arange(planes), np.eye(planes), k=min(3, planes - 1))
        weights: np.ndarray = spline(np.asarray(self.thickness_nm) / spacing_nm)
        return weights
