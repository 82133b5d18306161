"""Angles and depths that a system's parameter grid asks of its simulation, worked out in one place."""

from __future__ import annotations

from dataclasses import dataclass

from pacbed.config.system import SystemConfig

CONE_MARGIN_MRAD = 2.0  # room for the refinement beyond the largest convergence angle and mistilt of the grid


@dataclass(frozen=True)
class SimulationPlan:
    """What a rocking table must cover.

    Attributes
    ----------
    thickness_max_nm : float
        Largest thickness of the grid [nm].
    alpha_max_mrad, tau_max_mrad : float
        Largest semi-convergence angle and mistilt of the grid [mrad].
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    field_mrad : float
        Largest scattering angle |q + G| that is kept, the corner of the field of view plus the mistilt [mrad].
    cone_mrad : float
        Largest incident direction, the margin of the interpolation excluded [mrad].
    """

    thickness_max_nm: float
    alpha_max_mrad: float
    tau_max_mrad: float
    max_angle_mrad: float
    field_mrad: float
    cone_mrad: float


def plan(system: SystemConfig) -> SimulationPlan:
    """Derive the simulation's reach from a system's configuration."""
    alpha = max(system.grid.convergence_mrad.values())
    tau = max(system.grid.mistilt_mrad.values())
    asked = system.simulation.max_angle_mrad
    half_width = 1.5 * alpha if asked == "auto" else float(asked)
    return SimulationPlan(
        thickness_max_nm=max(system.grid.thickness_nm.values()),
        alpha_max_mrad=alpha,
        tau_max_mrad=tau,
        max_angle_mrad=half_width,
        field_mrad=2**0.5 * half_width + tau,
        cone_mrad=alpha + tau + CONE_MARGIN_MRAD,
    )
