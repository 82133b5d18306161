"""The largest distance between thickness planes whose spline still meets direct computation."""

from __future__ import annotations

import logging

from pacbed.crystal.potentials import SlicePotentials
from pacbed.simulation.multislice.aperture import mistilt_off_mirrors, sample_aperture
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.structure.interpolation import WIDEST_NM, even_directions, every_period, plane_error

log = logging.getLogger(__name__)
DIRECTIONS = 12
LIMIT = 0.4  # of the tolerance: along thickness errors do not average out, and directions and grid have theirs


def measure_spacing(
    slices: SlicePotentials,
    *,
    thickness_max_nm: float,
    alpha_max_mrad: float,
    tau_max_mrad: float,
    max_angle_mrad: float,
    propagator: str,
    tolerance: float,
) -> tuple[float, float]:
    """Find the largest distance between planes that is good enough; whole periods of the crystal.

    Intensities oscillate with thickness, in heavy crystals within 5 nm and in light ones within 50 nm. One period
    always does, because nothing lies between its ends.

    Parameters
    ----------
    slices : SlicePotentials
    thickness_max_nm : float
        Largest thickness [nm].
    alpha_max_mrad, tau_max_mrad, max_angle_mrad : float
        Largest convergence semi-angle, largest mistilt, half width of the field of view [mrad].
    propagator : {"exact", "fresnel"}
    tolerance : float
        Accepted relative L2 error of a pattern.

    Returns
    -------
    tuple of float
        Distance [nm] and the relative L2 error measured with it.
    """
    engine = PlaneWaveEngine(slices, propagator=propagator)
    mistilt = mistilt_off_mirrors(tau_max_mrad)
    aperture = sample_aperture(slices, alpha_mrad=alpha_max_mrad, mistilt_mrad=mistilt, field_mrad=max_angle_mrad)
    directions = even_directions(DIRECTIONS, alpha_max_mrad, turn=1.0) + aperture.mistilt_mrad
    every = every_period(
        engine, directions, aperture=aperture, field_mrad=max_angle_mrad, thickness_max_nm=thickness_max_nm
    )
    period_nm = slices.period_a / 10
    for periods in range(max(1, int(WIDEST_NM / period_nm)), 0, -1):
        spacing = periods * period_nm * (1 + 1e-6)
        error = plane_error(every, slices.period_a, spacing, thickness_max_nm)
        log.info("planes %.3f nm apart: relative L2 %.1e between them", spacing, error)
        if error <= LIMIT * tolerance:
            break
    return spacing, error
