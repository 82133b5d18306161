"""The largest distance between incident directions whose spline still meets direct computation."""

from __future__ import annotations

import logging

import numpy as np

from pacbed.crystal.potentials import SlicePotentials, whole_periods
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.aperture import mistilt_off_mirrors, sample_aperture
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.structure.interpolation import Trial, even_directions
from pacbed.simulation.table.directions import direction_grid, starting_pitch_mrad

log = logging.getLogger(__name__)
PATCHES = 12  # sets of so many places differ by a tenth or two
AIM, LIMIT = 0.7, 0.75  # of the tolerance: what is aimed at, and what is accepted; the check looks at other places
ORDER = 6.0  # the error grows with about this power of the pitch
ROUNDS = 6


def measure_pitch(
    slices: SlicePotentials,
    *,
    thickness_max_nm: float,
    alpha_max_mrad: float,
    tau_max_mrad: float,
    max_angle_mrad: float,
    propagator: str,
    tolerance: float,
) -> tuple[float, float]:
    """Largest pitch at which a pattern of the largest thickness keeps well within the tolerance.

    Parameters
    ----------
    slices : SlicePotentials
        The crystal.
    thickness_max_nm : float
        Where rocking fringes are finest [nm].
    alpha_max_mrad, tau_max_mrad, max_angle_mrad : float
        Largest convergence semi-angle, largest mistilt, half width of the field of view [mrad].
    propagator : {"exact", "fresnel"}
    tolerance : float
        Accepted relative L2 error of a pattern.

    Returns
    -------
    tuple of float
        Pitch [mrad] and the relative L2 error measured with it.

    Raises
    ------
    SimulationError
        No pitch is found.
    """
    engine = PlaneWaveEngine(slices, propagator=propagator)
    mistilt = mistilt_off_mirrors(tau_max_mrad)
    aperture = sample_aperture(slices, alpha_mrad=alpha_max_mrad, mistilt_mrad=mistilt, field_mrad=max_angle_mrad)
    periods = whole_periods(slices.period_a, thickness_max_nm)
    rocking = engine.run(aperture.q, beams=aperture.beams, planes=1, periods_per_plane=periods)
    patterns = aperture.patterns(rocking.intensity)
    trial = Trial(engine, aperture, max_angle_mrad, 1, periods)
    centers = even_directions(PATCHES, alpha_max_mrad, turn=1.0)
    pitch, limit = starting_pitch_mrad(slices.energy_ev, thickness_max_nm), alpha_max_mrad / 4
    good, failed = (0.0, 0.0), np.inf
    for _ in range(ROUNDS):
        steps = direction_grid(slices, cone_mrad=alpha_max_mrad, pitch_mrad=min(pitch, limit)).pitch_mrad
        taken = float(np.linalg.norm(steps, axis=1).max())
        if good[0] and not good[0] < taken < failed:  # whole numbers of steps: there is none between
            return good
        error = float(trial.pattern_error(steps, centers, patterns)[1])
        log.info("pitch %.3f mrad: relative L2 %.1e between directions", taken, error)
        if error <= LIMIT * tolerance:
            good = taken * (1 + 1e-6), error
        else:
            failed = taken
        pitch = taken * float(np.clip((AIM * tolerance / max(error, 1e-12)) ** (1 / ORDER), 0.5, 1.8))
    if good[0]:
        return good
    raise SimulationError(
        f"direction_pitch_mrad: auto ended at {taken:.3f} mrad with an error of {error:.1e}, accepted: "
        f"{LIMIT * tolerance:.1e}; give a pitch by hand"
    )
