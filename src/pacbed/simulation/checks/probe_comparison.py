"""One pattern both ways: rendered from a rocking table, and scanned with abTEM's probes through the same slices."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from pacbed.crystal.potentials import SlicePotentials
from pacbed.patterns import relative_l2
from pacbed.simulation.checks.evidence import ComparedPatterns
from pacbed.simulation.checks.parameter_sets import ParameterSet
from pacbed.simulation.checks.propagator_gap import propagator_gap
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.scan.direct_pattern import SampledGeometry, direct_pattern
from pacbed.simulation.scan.probes import ScanPattern, ScanProbe
from pacbed.simulation.scan.supercell import OrthogonalSlices, orthogonal_slices


class Slab(NamedTuple):
    """A crystal as the plane-wave engine has it, and the same on an orthogonal cell, which is what abTEM knows."""

    slices: SlicePotentials
    orthogonal: OrthogonalSlices

    @classmethod
    def of(cls, slices: SlicePotentials) -> Slab:
        """Lay a crystal out on an orthogonal cell; `SimulationError` where there is none."""
        return cls(slices, orthogonal_slices(slices))


@dataclass(frozen=True)
class ProbeComparison:
    """A table's pattern and a scan's.

    Attributes
    ----------
    parameters : ParameterSet
        Thickness, aperture and mistilt.
    thickness_nm : float
        The thickness [nm].
    direct, table : numpy.ndarray, shape (ky, kx)
        Densities of the scan, and of the table with the propagator's gap [1/mrad^2].
    gap : numpy.ndarray, shape (ky, kx)
        What abTEM's propagator changes in the table's pattern [1/mrad^2].
    pixel_mrad : float
        Edge of a square as large as a sample [mrad].
    supercell : sequence of two int
        Orthogonal cells of the supercell along x and y.
    positions : int
        Positions of the probe.
    scan_seconds : float
        Time that the scan took [s].
    """

    parameters: ParameterSet
    thickness_nm: float
    direct: np.ndarray
    table: np.ndarray
    gap: np.ndarray
    pixel_mrad: float
    supercell: Sequence[int]
    positions: int
    scan_seconds: float

    @property
    def relative_l2(self) -> float:
        """Relative L2 of the table against the scan."""
        return relative_l2(self.table, self.direct)

    def as_json(self) -> dict[str, Any]:
        """Parameters and figures as plain values."""
        return {
            "thickness_nm": round(self.thickness_nm, 4),
            "convergence_mrad": round(self.parameters.convergence_mrad, 4),
            "mistilt_mrad": [round(value, 4) for value in self.parameters.mistilt_mrad],
            "supercell": list(self.supercell),
            "positions": self.positions,
            "pixel_mrad": round(self.pixel_mrad, 6),
            "relative_l2": self.relative_l2,
            "propagator_gap_l2": float(np.linalg.norm(self.gap) / np.linalg.norm(self.direct)),
            "largest_difference": float(np.abs(self.table - self.direct).max() / self.direct.max()),
            "fraction_in_field": {
                "scan": float(self.direct.sum() * self.pixel_mrad**2),
                "table": float(self.table.sum() * self.pixel_mrad**2),
            },
            "scan_seconds": round(self.scan_seconds, 1),
        }

    def as_picture(self) -> ComparedPatterns:
        """Both patterns with their titles."""
        x, y = self.parameters.mistilt_mrad
        titles = (
            f"abTEM scan, {self.thickness_nm:.2f} nm",
            f"table, {self.parameters.convergence_mrad:.2f} mrad, tilt ({x:.2f}, {y:.2f})",
            f"difference, L2 {self.relative_l2:.1e}",
        )
        return ComparedPatterns(self.direct, self.table, self.pixel_mrad * len(self.direct) / 2, titles)


def compare(
    renderer: Renderer, slabs: Sequence[Slab], parameters: ParameterSet, *, cells: int, threads: int = 1
) -> ProbeComparison:
    """Compute one parameter set both ways.

    abTEM propagates with the Fresnel approximation. A table of the exact propagator is compared after adding what
    the approximation changes, computed directly with plane waves; the size of that is among the figures. A table that
    is the mean over equivalent terminations is compared with the mean of scans through slabs that have them.

    Parameters
    ----------
    renderer : Renderer
        Renders the table.
    slabs : sequence of Slab
        What the table is the mean of.
    parameters : ParameterSet
        Thickness, aperture and mistilt.
    cells : int
        Edge of the supercell, in cells along the first in-plane vector.
    threads : int
        Parts of a simulation computed at once.
    """
    # About square samples: a rectangle of an oblique lattice is longer one way than the other.
    lengths = slabs[0].orthogonal.lengths_a
    supercell = [max(2, round(cells * lengths[0] / length)) for length in lengths]
    start = time.perf_counter()
    scan, positions = _mean_scan(slabs, parameters, supercell, renderer.field_mrad, threads)
    seconds = time.perf_counter() - start
    geometry = SampledGeometry.of(scan)
    thickness_nm = parameters.periods * slabs[0].slices.period_a / 10
    rendered = renderer.render(
        thickness_nm=thickness_nm,
        convergence_mrad=parameters.convergence_mrad,
        mistilt_mrad=parameters.mistilt_mrad,
        geometry=geometry,
        edge_mrad=0.0,
    )
    inside = _in_table(geometry, parameters, renderer.field_mrad)
    gap = np.where(inside, _gap(renderer, slabs, parameters, scan, threads), 0.0)
    return ProbeComparison(
        parameters=parameters,
        thickness_nm=thickness_nm,
        direct=np.where(inside, scan.density, 0.0),
        table=rendered.astype(float) / geometry.pixel_mrad**2 + gap,
        gap=gap,
        pixel_mrad=geometry.pixel_mrad,
        supercell=supercell,
        positions=positions,
        scan_seconds=seconds,
    )


def _in_table(geometry: SampledGeometry, parameters: ParameterSet, field_mrad: float) -> np.ndarray:
    """Which samples lie in the field of view of the table, whose angles count from the zone axis; bool (ky, kx)."""
    kx, ky = geometry.angles_mrad()
    x, y = parameters.mistilt_mrad
    return np.asarray(np.hypot(kx + x, ky + y) <= field_mrad)


def _mean_scan(
    slabs: Sequence[Slab], parameters: ParameterSet, supercell: Sequence[int], field_mrad: float, threads: int
) -> tuple[ScanPattern, int]:
    """Mean of the scans through every slab, and the positions of the probe in each."""
    probe = ScanProbe(slabs[0].slices.energy_ev, parameters.convergence_mrad, mistilt_mrad=parameters.mistilt_mrad)
    scans = [
        direct_pattern(
            slab.slices,
            slab.orthogonal,
            probe,
            cells=supercell,
            periods=parameters.periods,
            max_angle_mrad=field_mrad + float(np.hypot(*parameters.mistilt_mrad)),
            threads=threads,
        )
        for slab in slabs
    ]
    first, positions = scans[0]
    return replace(first, intensity=np.mean([scan.intensity for scan, _ in scans], axis=0)), positions


def _gap(
    renderer: Renderer, slabs: Sequence[Slab], parameters: ParameterSet, scan: ScanPattern, threads: int
) -> np.ndarray:
    """What abTEM's propagator changes in the density of the table's pattern [1/mrad^2], shape (ky, kx)."""
    if renderer.table.facts["propagator"] != "exact":
        return np.zeros(scan.intensity.shape)
    options: dict[str, Any] = {
        "periods": parameters.periods,
        "mistilt_mrad": parameters.mistilt_mrad,
        "threads": threads,
    }
    return np.asarray(np.mean([propagator_gap(slab.slices, scan, **options) for slab in slabs], axis=0))
