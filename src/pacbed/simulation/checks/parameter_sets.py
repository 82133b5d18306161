"""Which patterns the referee of a rocking table computes again: drawn at random inside the parameter grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.crystal.potentials import whole_periods

THINNEST, NARROWEST = 0.1, 0.8  # shares of the largest thickness and semi-convergence angle that are drawn from


@dataclass(frozen=True)
class RefereeSettings:
    """A system's configuration as far as the referee of its table needs it.

    Attributes
    ----------
    cells : int
        Edge of the supercell, in cells along the first in-plane vector.
    patterns : int
        Number of parameter sets drawn.
    max_thickness_nm : float
        Largest thickness of these [nm].
    full_thickness : bool
        Whether one more set has the largest thickness of the grid.
    seed : int
        Of the draw.
    tolerance : float
        Accepted relative L2 between table and scan.
    thickness_max_nm : float
        Largest thickness of the grid [nm].
    alpha_max_mrad, tau_max_mrad : float
        Largest semi-convergence angle and largest mistilt of the grid [mrad].
    """

    cells: int
    patterns: int
    max_thickness_nm: float
    full_thickness: bool
    seed: int
    tolerance: float
    thickness_max_nm: float
    alpha_max_mrad: float
    tau_max_mrad: float


@dataclass(frozen=True)
class ParameterSet:
    """What one comparison simulates.

    Attributes
    ----------
    periods : int
        Thickness of the slab, in periods of the crystal.
    convergence_mrad : float
        Semi-convergence angle [mrad].
    mistilt_mrad : tuple of two float
        Mistilt (x, y), crystal frame [mrad].
    """

    periods: int
    convergence_mrad: float
    mistilt_mrad: tuple[float, float]


def draw_sets(period_a: float, settings: RefereeSettings, *, rng: np.random.Generator) -> list[ParameterSet]:
    """Parameter sets inside the grid: thin ones, which are cheap, and one at full thickness, where errors are worst.

    Parameters
    ----------
    period_a : float
        Period of the crystal along the beam [Å].
    settings : RefereeSettings
        Ends of the grid, and how many sets.
    rng : numpy.random.Generator
        Source of the draw.
    """
    thickest = min(settings.max_thickness_nm, settings.thickness_max_nm)
    thicknesses = list(rng.uniform(THINNEST * thickest, thickest, settings.patterns))
    if settings.full_thickness:
        thicknesses.append(settings.thickness_max_nm)
    return [_draw(period_a, thickness, settings, rng) for thickness in thicknesses]


def _draw(period_a: float, thickness_nm: float, settings: RefereeSettings, rng: np.random.Generator) -> ParameterSet:
    """A mistilt anywhere in its disk, and one of the wider apertures."""
    size, azimuth = settings.tau_max_mrad * np.sqrt(rng.uniform()), rng.uniform(0, 2 * np.pi)
    mistilt_mrad = (float(size * np.cos(azimuth)), float(size * np.sin(azimuth)))
    convergence_mrad = float(settings.alpha_max_mrad * rng.uniform(NARROWEST, 1.0))
    return ParameterSet(whole_periods(period_a, thickness_nm), convergence_mrad, mistilt_mrad)
