"""One pattern from abTEM's probes through the plane-wave engine's own slices, on several threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from pacbed.crystal.potentials import SlicePotentials
from pacbed.patterns import Geometry
from pacbed.simulation.scan.probes import ScanPattern, ScanProbe, scan_pacbed
from pacbed.simulation.scan.raster import smallest_raster
from pacbed.simulation.scan.supercell import OrthogonalSlices

BYTES_PER_THREAD = 128e6  # of the probes that are propagated together


@dataclass(frozen=True)
class SampledGeometry(Geometry):
    """A geometry whose pixels are the reciprocal-lattice points of a supercell, in general not square.

    Attributes
    ----------
    kx_mrad, ky_mrad : numpy.ndarray, shapes (column,) and (row,)
        Angles of the samples along both axes [mrad].
    """

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
    orthogonal: OrthogonalSlices,
    probe: ScanProbe,
    *,
    cells: Sequence[int],
    periods: int,
    max_angle_mrad: float,
    threads: int = 1,
) -> tuple[ScanPattern, int]:
    """Send the smallest raster of probes through a slab.

    Parameters
    ----------
    slices, orthogonal : SlicePotentials, OrthogonalSlices
        One period of the crystal, and the same on an orthogonal cell.
    probe : ScanProbe
        Aperture and mistilt; of the energy of the slices.
    cells : two ints
        Orthogonal cells of the supercell along x and y.
    periods : int
        Thickness of the slab in periods.
    max_angle_mrad : float
        Half width of the pattern [mrad].
    threads : int
        Parts of the raster computed at once.

    Returns
    -------
    ScanPattern
        The pattern.
    int
        Number of probe positions.
    """
    outer_mrad = probe.convergence_mrad + probe.edge_mrad / 2
    positions = smallest_raster(slices.cell_a, outer_mrad, probe.energy_ev)
    wave_bytes = 8 * orthogonal.transmission[0].size * cells[0] * cells[1]
    count = min(len(positions), max(threads, int(np.ceil(len(positions) * wave_bytes / BYTES_PER_THREAD))))

    def scan(some: np.ndarray) -> ScanPattern:
        return scan_pacbed(
            orthogonal.periods(cells),
            probe,
            some,
            thickness_periods=[periods],
            max_angle_mrad=max_angle_mrad,
            band_limit=orthogonal.band_limit,
        )[0]

    chunks = np.array_split(positions, count)
    with ThreadPoolExecutor(threads) as pool:
        patterns = list(pool.map(scan, chunks))
    weighted = [len(chunk) * pattern.intensity for chunk, pattern in zip(chunks, patterns, strict=True)]
    return replace(patterns[0], intensity=np.sum(weighted, axis=0) / len(positions)), len(positions)
