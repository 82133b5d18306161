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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import abtem
import numpy as np
from abtem.core.energy import energy2wavelength
from abtem.potentials.iam import BasePotential

from pacbed.simulation.scan.abtem_settings import REPRODUCIBLE, abtem_settings
from pacbed.simulation.scan.aperture import ShiftedAperture, aperture


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

    @property
    def density(self) -> np.ndarray:
        """Fraction of the beam per solid angle [1/mrad^2], shape (ky, kx), as if the aperture were a perfect disk.

        A coarse grid holds a few samples more or fewer than the area of the disk; abTEM spreads the beam over those it
        holds.
        """
        angle = np.hypot(self.kx_mrad[None, :], self.ky_mrad[:, None])
        lit = aperture(angle, self.convergence_mrad, self.edge_mrad)
        return self.intensity * lit.sum() / (np.pi * self.convergence_mrad**2)


def positions_needed(convergence_mrad: float, cell_lengths: Sequence[float], energy_ev: float) -> tuple[int, int]:
    """Smallest raster over one cell that averages to zero every pair of interfering beams.

    Two plane waves of the probe interfere when they differ by a lattice vector G with |G| <= 2 alpha; n positions per
    axis cancel every G that
    is not a multiple of n, so n must exceed 2 alpha / |G1|.

    Parameters
    ----------
    convergence_mrad : float
        Semi-convergence angle [mrad].
    cell_lengths : two floats
        Edges of the cell along x and y [Å].
    energy_ev : float
        Beam energy [eV].
    """
    wavelength = energy2wavelength(energy_ev)
    x, y = (int(np.floor(2e-3 * convergence_mrad * length / wavelength)) + 1 for length in cell_lengths)
    return x, y


def raster(
    cell_lengths: Sequence[float], counts: Sequence[int], *, cells: Sequence[int] = (1, 1), spread: bool = False
) -> np.ndarray:
    """Probe positions that cover exactly one unit cell.

    Parameters
    ----------
    cell_lengths : two floats
        Edges of the orthogonal cell along x and y [Å].
    counts : two ints
        Positions along x and y.
    cells : two ints
        Cells of the supercell; used by `spread` only.
    spread : bool
        Move each position by whole cells so that the raster covers the supercell. Nothing changes for a perfect
        crystal; with frozen phonons every probe then meets other atoms, and the speckle of one configuration averages
        out faster.

    Returns
    -------
    numpy.ndarray, shape (positions, 2)
        x and y [Å].
    """
    axes = []
    for length, count, repeats in zip(cell_lengths, counts, cells, strict=True):
        steps = np.arange(count)
        whole = steps * (repeats // count) if spread else np.zeros(count)
        axes.append((steps / count + whole) * length)
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def scan_pacbed(
    periods: Iterable[BasePotential],
    *,
    thickness_periods: Sequence[int],
    energy_ev: float,
    convergence_mrad: float,
    positions: np.ndarray,
    max_angle_mrad: float,
    mistilt_mrad: Sequence[float] = (0.0, 0.0),
    offset_mrad: Sequence[float] = (0.0, 0.0),
    band_limit: float | None = None,
    edge_mrad: float = 0.0,
    reproducible: bool = False,
) -> list[ScanPattern]:
    """Send a raster of probes through a slab and average their diffraction patterns.

    Parameters
    ----------
    periods : iterable of abTEM potentials
        One supercell period along z after the other, from the entrance surface; all on the same grid.
    thickness_periods : increasing ints
        Numbers of whole periods after which a pattern is recorded; 0 is the entrance surface.
    energy_ev, convergence_mrad : float
        Beam energy [eV]; semi-convergence angle [mrad].
    positions : numpy.ndarray, shape (positions, 2)
        Probe positions, x and y [Å] (see `raster`).
    max_angle_mrad : float
        Half width of the patterns [mrad].
    mistilt_mrad : two floats
        Shift of the incident directions in the crystal frame, x and y [mrad].
    offset_mrad : two floats
        Shift of the sampled angles, at most half a sample of the supercell's reciprocal grid [mrad]: several scans with
        different offsets sample a finer grid than the supercell alone allows.
    band_limit : float, optional
        Sharp cut-off of the spatial frequencies [1/Å] in place of abTEM's own, which has a soft edge.
    edge_mrad : float
        Width of the ramp at the edge of the aperture, in intensity [mrad]; 0 is a hard edge (see `aperture`).
    reproducible : bool
        Equal to the last bit in every thread and process of one machine, at 1.4 times the run time.

    Returns
    -------
    list of ScanPattern
        One for each entry of `thickness_periods`.
    """
    shift = (float(offset_mrad[0]), float(offset_mrad[1]))
    tilt = tuple(float(tau + offset) for tau, offset in zip(mistilt_mrad, shift, strict=True))
    outer = float(convergence_mrad + edge_mrad / 2 + max(map(abs, shift)))
    disk = ShiftedAperture(outer, float(convergence_mrad), float(edge_mrad), shift)
    probe = abtem.Probe(energy=energy_ev, aperture=disk, tilt=tilt)
    patterns: list[ScanPattern] = []

    def record(waves: abtem.Waves) -> None:
        measured = waves.diffraction_patterns(max_angle=float(max_angle_mrad))
        intensity, x, y = _average(measured, shift)
        patterns.append(ScanPattern(intensity, x, y, float(convergence_mrad), float(edge_mrad)))

    slab = itertools.islice(periods, max(1, *thickness_periods))
    plans = REPRODUCIBLE if reproducible else {}
    with abtem_settings(plans):
        first = next(slab)
    with abtem_settings({**plans, **_antialias(first, band_limit)}):
        probe.grid.match(first)
        waves = probe.build(scan=abtem.CustomScan(positions), lazy=False, max_batch=len(positions))
        if 0 in thickness_periods:
            record(waves)
        for count, potential in enumerate(itertools.chain([first], slab), start=1):
            waves = waves.multislice(potential)
            if count in thickness_periods:
                record(waves)
    return patterns


def _antialias(potential: BasePotential, band_limit: float | None) -> dict[str, float]:
    """Settings for a sharp band limit; abTEM counts the cut-off from the Nyquist frequency of the coarser axis."""
    if band_limit is None:
        return {}
    return {"antialias.cutoff": 2 * band_limit * max(potential.sampling), "antialias.taper": 0.0}


def _average(
    measured: abtem.DiffractionPatterns, offset_mrad: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the positions, shape (ky, kx), and the angles along kx and ky [mrad]."""
    intensity = np.asarray(measured.array, dtype=np.float64)
    intensity = intensity.reshape(-1, *intensity.shape[-2:]).mean(axis=0)
    axes = []
    for samples, pitch, shift in zip(intensity.shape, measured.angular_sampling, offset_mrad, strict=True):
        axes.append((np.arange(samples) - samples // 2) * pitch + shift)
    return np.ascontiguousarray(intensity.T), axes[0], axes[1]
