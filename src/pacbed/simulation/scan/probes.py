"""The `scan` engine: position-averaged patterns from a raster of real probes, computed by abTEM.

The plane-wave engine is exact for a perfect crystal; this one is slower by orders of magnitude and makes no use of that
identity. It referees the plane-wave engine and is the only right one for frozen phonons, defects and scans that are not
whole cells.

Conventions are pinned here, once, between abTEM and pacbed (docs/physics.md):
- abTEM indexes arrays [x, y]; a `ScanPattern` is an image, [row = y, col = x].
- abTEM's beam travels along +z, as ours does.
- abTEM multiplies the propagator by exp(-2 pi i dz k.tan(tilt)), which is the cross term of |k + tau|^2: abTEM's `tilt`
  is our mistilt, sign included.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import abtem
import numpy as np
from abtem.potentials.iam import BasePotential

from pacbed.simulation.scan.abtem_settings import REPRODUCIBLE, abtem_settings
from pacbed.simulation.scan.aperture import ShiftedAperture, aperture_transmission


@dataclass(frozen=True)
class ScanPattern:
    """A position-averaged diffraction pattern on the reciprocal grid of its supercell.

    Attributes
    ----------
    intensity : numpy.ndarray, shape (ky, kx)
        Fraction of the beam in each sample; the sum is the part of the beam inside the field of view.
    kx_mrad, ky_mrad : numpy.ndarray, shapes (kx,) and (ky,)
        Angles of the samples relative to the axis of the aperture [mrad].
    convergence_mrad, edge_mrad : float
        Semi-convergence angle and width of the aperture's edge [mrad].
    """

    intensity: np.ndarray
    kx_mrad: np.ndarray
    ky_mrad: np.ndarray
    convergence_mrad: float
    edge_mrad: float = 0.0

    @classmethod
    def averaged(
        cls, measured: abtem.DiffractionPatterns, probe: ScanProbe, offset_mrad: tuple[float, float]
    ) -> ScanPattern:
        """Mean over the positions of a scan whose sampled angles are shifted by an offset [mrad]."""
        intensity = np.asarray(measured.array, dtype=np.float64)
        intensity = intensity.reshape(-1, *intensity.shape[-2:]).mean(axis=0)
        kx, ky = (
            (np.arange(samples) - samples // 2) * pitch + offset
            for samples, pitch, offset in zip(intensity.shape, measured.angular_sampling, offset_mrad, strict=True)
        )
        edges = float(probe.convergence_mrad), float(probe.edge_mrad)
        return cls(np.ascontiguousarray(intensity.T), kx, ky, *edges)

    @property
    def density(self) -> np.ndarray:
        """Fraction of the beam per solid angle [1/mrad^2], shape (ky, kx), as if the aperture were a perfect disk.

        A coarse grid holds a few samples more or fewer than the area of the disk; abTEM spreads the beam over those it
        holds.
        """
        angle = np.hypot(self.kx_mrad[None, :], self.ky_mrad[:, None])
        lit = aperture_transmission(angle, self.convergence_mrad, self.edge_mrad)
        return self.intensity * lit.sum() / (np.pi * self.convergence_mrad**2)


@dataclass(frozen=True)
class ScanProbe:
    """The probe of a scan.

    Attributes
    ----------
    energy_ev : float
        Kinetic energy of the electrons [eV].
    convergence_mrad : float
        Semi-convergence angle, in the middle of the aperture's edge [mrad].
    edge_mrad : float
        Width of the ramp at the edge of the aperture, in intensity [mrad]; 0 is a hard edge.
    mistilt_mrad : tuple of two float
        Shift of the incident directions in the crystal frame, x and y [mrad].
    """

    energy_ev: float
    convergence_mrad: float
    edge_mrad: float = 0.0
    mistilt_mrad: tuple[float, float] = (0.0, 0.0)

    def at(self, offset_mrad: tuple[float, float]) -> abtem.Probe:
        """The probe as abTEM has it, its sampled angles shifted by an offset [mrad]."""
        tilt = tuple(float(tau + offset) for tau, offset in zip(self.mistilt_mrad, offset_mrad, strict=True))
        outer = float(self.convergence_mrad + self.edge_mrad / 2 + max(map(abs, offset_mrad)))
        disk = ShiftedAperture(outer, float(self.convergence_mrad), float(self.edge_mrad), offset_mrad)
        return abtem.Probe(energy=self.energy_ev, aperture=disk, tilt=tilt)


def scan_pacbed(
    periods: Iterable[BasePotential],
    probe: ScanProbe,
    positions: np.ndarray,
    *,
    thickness_periods: Sequence[int],
    max_angle_mrad: float,
    offset_mrad: Sequence[float] = (0.0, 0.0),
    band_limit: float | None = None,
    reproducible: bool = False,
) -> list[ScanPattern]:
    """Send a raster of probes through a slab and average their diffraction patterns.

    Parameters
    ----------
    periods : iterable of abTEM potentials
        One supercell period along z after the other, from the entrance surface; all on the same grid.
    probe : ScanProbe
        Beam energy, aperture and mistilt.
    positions : numpy.ndarray, shape (position, 2)
        Probe positions, x and y [Å].
    thickness_periods : increasing ints
        Numbers of whole periods after which a pattern is recorded; 0 is the entrance surface.
    max_angle_mrad : float
        Half width of the patterns [mrad].
    offset_mrad : two floats
        Shift of the sampled angles, at most half a sample of the supercell's reciprocal grid [mrad]: several scans with
        different offsets sample a finer grid than the supercell alone allows.
    band_limit : float, optional
        Sharp cut-off of the spatial frequencies [1/Å] in place of abTEM's own, which has a soft edge.
    reproducible : bool
        Equal to the last bit in every thread and process of one machine, at 1.4 times the run time.

    Returns
    -------
    list of ScanPattern
        One for each entry of `thickness_periods`.
    """
    offset = (float(offset_mrad[0]), float(offset_mrad[1]))
    slab = itertools.islice(periods, max(1, *thickness_periods))
    plans = REPRODUCIBLE if reproducible else {}
    with abtem_settings(plans):
        first = next(slab)
    with abtem_settings({**plans, **_antialias(first, band_limit)}):
        formed = probe.at(offset)
        formed.grid.match(first)
        waves = formed.build(scan=abtem.CustomScan(positions), lazy=False, max_batch=len(positions))
        return [
            ScanPattern.averaged(recorded.diffraction_patterns(max_angle=float(max_angle_mrad)), probe, offset)
            for recorded in _behind(itertools.chain([first], slab), waves, thickness_periods)
        ]


def _behind(
    periods: Iterable[BasePotential], waves: abtem.Waves, thickness_periods: Sequence[int]
) -> Iterator[abtem.Waves]:
    """Waves after each of the numbers of periods, from those that enter the slab."""
    if 0 in thickness_periods:
        yield waves
    for count, potential in enumerate(periods, start=1):
        waves = waves.multislice(potential)
        if count in thickness_periods:
            yield waves


def _antialias(potential: BasePotential, band_limit: float | None) -> dict[str, float]:
    """Settings for a sharp band limit; abTEM counts the cut-off from the Nyquist frequency of the coarser axis."""
    if band_limit is None:
        return {}
    return {"antialias.cutoff": 2 * band_limit * max(potential.sampling), "antialias.taper": 0.0}
