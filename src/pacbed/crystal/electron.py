"""Fast electrons: relativistic wavelength, diffraction angle of a spatial frequency, interaction parameter."""

from __future__ import annotations

import numpy as np
from scipy import constants as si


def wavelength_a(energy_ev: float) -> float:
    """Relativistic wavelength [Å] of electrons of the given kinetic energy [eV].

    lambda = h c / sqrt(E (2 m c^2 + E)); Kirkland, Advanced Computing in Electron Microscopy (2010), ch. 2.
    """
    rest = si.m_e * si.c**2 / si.e
    return float(1e10 * si.h * si.c / si.e / np.sqrt(energy_ev * (2 * rest + energy_ev)))


def mrad_per_inverse_a(energy_ev: float) -> float:
    """Diffraction angle of a spatial frequency of 1/Å [mrad], for electrons of the given kinetic energy [eV].

    An angle is lambda k throughout, the convention of diffraction patterns: spatial frequency [1/Å] times this number
    is angle [mrad], and angle divided by it is spatial frequency.
    """
    return 1e3 * wavelength_a(energy_ev)


def interaction_per_ev_a(energy_ev: float) -> float:
    """Interaction parameter sigma [rad / (eV Å)]; the phase of a projected potential V [eV Å] is sigma V.

    sigma = 2 pi m e lambda / h^2 with the relativistic mass; Kirkland (2010), ch. 5.
    """
    mass = si.m_e * (1 + energy_ev * si.e / (si.m_e * si.c**2))
    return float(2 * np.pi * mass * si.e * wavelength_a(energy_ev) * 1e-20 / si.h**2)
