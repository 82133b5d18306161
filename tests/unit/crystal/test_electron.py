"""Wavelength, diffraction angle and interaction parameter against published values."""

from __future__ import annotations

import math

import pytest
from scipy import constants as si

from pacbed.crystal.electron import interaction_per_ev_a, mrad_per_inverse_a, wavelength_a

# Relativistic wavelengths [pm]: D. B. Williams, C. B. Carter, Transmission Electron Microscopy (2009), ch. 1, and
# E. J. Kirkland, Advanced Computing in Electron Microscopy (2010), ch. 2, which agree.
PUBLISHED_PM = {100e3: 3.701, 200e3: 2.508, 300e3: 1.969}


@pytest.mark.parametrize(("energy_ev", "wavelength_pm"), PUBLISHED_PM.items())
def test_wavelengths_are_the_published_ones(energy_ev, wavelength_pm):
    assert 100 * wavelength_a(energy_ev) == pytest.approx(wavelength_pm, abs=6e-4)


@pytest.mark.parametrize(("energy_ev", "wavelength_pm"), PUBLISHED_PM.items())
def test_a_frequency_of_one_per_angstrom_is_diffracted_by_the_wavelength(energy_ev, wavelength_pm):
    """2.508 pm times 1 / (100 pm) is 25.08 mrad."""
    assert mrad_per_inverse_a(energy_ev) == pytest.approx(10 * wavelength_pm, abs=6e-3)


def test_the_first_reflection_of_strontium_titanate_lies_where_it_is_seen():
    """100 of SrTiO3 (3.905 Å) at 200 kV: 6.42 mrad."""
    assert mrad_per_inverse_a(200e3) / 3.905 == pytest.approx(6.42, abs=5e-3)


def test_slow_electrons_obey_de_broglie_without_relativity():
    momentum = (2 * si.m_e * si.e * 10.0) ** 0.5
    assert wavelength_a(10.0) == pytest.approx(1e10 * si.h / momentum, rel=1e-5)


def test_interaction_parameter_at_200_kv():
    """Kirkland (2010), table 5.2: 0.7288 rad / (kV Å)."""
    assert interaction_per_ev_a(200e3) == pytest.approx(0.7288e-3, rel=1e-4)


@pytest.mark.parametrize("energy_ev", [60e3, 300e3])
def test_interaction_parameter_is_two_pi_over_wavelength_and_voltage(energy_ev):
    """Its other published form, 2 pi / (lambda E) (m c^2 + E) / (2 m c^2 + E)."""
    rest = si.m_e * si.c**2 / si.e
    relativity = (rest + energy_ev) / (2 * rest + energy_ev)
    expected = 2 * math.pi / (wavelength_a(energy_ev) * energy_ev) * relativity
    assert interaction_per_ev_a(energy_ev) == pytest.approx(expected, rel=1e-9)
