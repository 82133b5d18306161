"""One pattern from abTEM's probes through the plane-wave engine's own slices, on several threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from pacbed.crystal.potentials import SlicePotentials
from pacbed.patterns import Geometry
from pacbed.simulation.scan.probes import ScanPattern, scan_pacbed
from pacbed.simulation.scan.raster import smallest_raster
from pacbed.simulation.scan.supercell import OrthogonalSlices

WAVES_BYTES = 128e6  # of the probes that one thread propagates together


@dataclass(frozen=True)
class SampledGeometry(Geometry):
    """A geometry whose pixels are the reciprocal-lattice points of a supercell, in general not square."""

    kx_mrad: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ky_mrad: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, pattern: ScanPattern) -> SampledGeometry:
        """Geometry of a scan's samples; a pixel is the mean sample, so that intensities are those of one sample."""
        area = (pattern.kx_mrad[1] - pattern.kx_mrad[0]) * (pattern.ky_mrad[1] - pattern.ky_mrad[0])
        return cls(
            shape=pattern.intensity.shape,
            pixel_mrad=float(np.sqrt(area)),
            center_px=(0.0, 0.0),
            kx_mrad=pattern.kx_mrad,
            ky_mrad=pattern.ky_mrad,
        )

    def lines_mrad(self) -> np.ndarray:
        """Angle of the first sample and the steps to the next row and column [mrad], shape (3, 2)."""
        down, right = self.ky_mrad[1] - self.ky_mrad[0], self.kx_mrad[1] - self.kx_mrad[0]
        return np.array([[self.kx_mrad[0], self.ky_mrad[0]], [0.0, down], [right, 0.0]])


def direct_pattern(
    slices: SlicePotentials,
    cell: OrthogonalSlices,
    *,
    cells: Sequence[int],
    periods: int,
    convergence_mrad: float,
    mistilt_mrad: tuple[float, float],
    max_angle_mrad: float,
    threads: int = 1,
) -> tuple[ScanPattern, int]:
    """Send the smallest raster of probes with a hard aperture through a slab.

    Parameters
    ----------
    slices, cell : SlicePotentials, OrthogonalSlices
        One period of the crystal, and the same on an orthogonal cell.
    cells : two ints
        Orthogonal cells of the supercell along x and y.
    periods : int
        Thickness of the slab in periods.
    convergence_mrad, mistilt_mrad, max_angle_mrad
        See `scan_pacbed`.
    threads : int
        Parts of the raster computed at once.

    Returns
    -------
    ScanPattern
        The pattern.
    int
        Number of probe positions.
    """
    positions = smallest_raster(slices.cell_a, convergence_mrad, cell.energy_ev)
    wave_bytes = 8 * cell.transmission[0].size * cells[0] * cells[1]
    parts = min(len(positions), max(threads, int(np.ceil(len(positions) * wave_bytes / WAVES_BYTES))))

    def scan(part: np.ndarray) -> ScanPattern:
        return scan_pacbed(
            cell.periods(cells),
            thickness_periods=[periods],
            energy_ev=cell.energy_ev,
            convergence_mrad=convergence_mrad,
            positions=part,
            max_angle_mrad=max_angle_mrad,
            mistilt_mrad=mistilt_mrad,
            band_limit=cell.band_limit,
        )[0]

    chunks = np.array_split(positions, parts)
    with ThreadPoolExecutor(threads) as pool:
        patterns = list(pool.map(scan, chunks))
    weighted = [len(part) * pattern.intensity for part, pattern in zip(chunks, patterns, strict=True)]
    return replace(patterns[0], intensity=np.sum(weighted, axis=0) / len(positions)), len(positions)
