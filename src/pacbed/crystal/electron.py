"""Relativistic electron wavelength and interaction parameter."""

from __future__ import annotations

import numpy as np
from scipy import constants as si


def wavelength_a(energy_ev: float) -> float:
    """Relativistic wavelength [Å] of electrons of the given kinetic energy [eV]."""
    rest = si.m_e * si.c**2 / si.e
    return float(1e10 * si.h * si.c / si.e / np.sqrt(energy_ev * (2 * rest + energy_ev)))


def interaction_per_ev_a(energy_ev: float) -> float:
    """Interaction parameter sigma [rad / (eV Å)]; the phase of a projected potential V [eV Å] is sigma V."""
    mass = si.m_e * (1 + energy_ev * si.e / (si.m_e * si.c**2))
    return float(2 * np.pi * mass * si.e * wavelength_a(energy_ev) * 1e-20 / si.h**2)
