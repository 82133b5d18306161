"""Form factors, absorption and slice potentials."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.electron import interaction_per_ev_a
from pacbed.crystal.orientation import orient
from pacbed.crystal.scattering.form_factors import absorptive_coefficient, projected_coefficient
from pacbed.crystal.slicing import slice_potentials
from pacbed.errors import StructureError

STRUCTURES = Path(__file__).parents[3] / "structures"


def test_form_factor_at_zero_angle():
    """f_e(0) of oxygen 1.983 Å and strontium 13.109 Å (Doyle & Turner, Acta Cryst. A24 (1968) 390), within 5 %."""
    for symbol, value in (("O", 1.983), ("Sr", 13.109)):
        assert projected_coefficient(symbol, np.array([0.0]), "lobato")[0] / 47.878 == pytest.approx(value, rel=0.05)


def test_absorption_against_a_brute_force_thermal_average():
    """The forward absorption of a random walk of displaced atoms: sigma^2 / 2 times the variance of v, integrated."""
    u, energy = 0.006, 200e3
    n, box = 384, 8.0
    frequency = np.fft.fftfreq(n, box / n)
    g = np.hypot(*np.meshgrid(frequency, frequency, indexing="ij"))
    spectrum = projected_coefficient("Ti", g, "lobato") * (g < 15)
    v = np.fft.ifft2(spectrum).real * (n / box) ** 2
    smear = np.exp(-2 * np.pi**2 * u * g**2)
    mean_square = np.fft.ifft2(np.fft.fft2(v**2) * smear).real
    square_mean = np.fft.ifft2(np.fft.fft2(v) * smear).real ** 2
    expected = 0.5 * interaction_per_ev_a(energy) ** 2 * np.sum(mean_square - square_mean) * (box / n) ** 2
    assert absorptive_coefficient("Ti", np.array([0.0]), u, energy, "lobato")[0] == pytest.approx(expected, rel=0.02)


def test_absorption_grows_with_the_vibration_and_vanishes_at_rest():
    g = np.linspace(0, 2, 5)
    small, large = (absorptive_coefficient("Sr", g, u, 200e3, "lobato")[0] for u in (0.004, 0.008))
    assert 0 < small < large
    assert not absorptive_coefficient("Sr", g, 0.0, 200e3, "lobato").any()


def test_mean_inner_potential_is_independent_of_the_slicing():
    oriented = orient(read_cif(STRUCTURES / "beryl.cif"), (0, 0, 1))
    totals = [
        slice_potentials(
            oriented, zone_axis=(0, 0, 1), energy_ev=300e3, grid=grid, slices=slices, thermal_model="debye_waller"
        )
        .potential.sum(axis=0)
        .mean()
        for grid, slices in (((40, 40), 4), ((48, 54), 8))
    ]
    assert totals[0] == pytest.approx(totals[1], rel=1e-5)


def test_absorptive_model_without_displacements_is_refused():
    crystal = replace(read_cif(STRUCTURES / "srtio3.cif"), displacement=np.zeros((5, 3, 3)))
    with pytest.raises(StructureError, match="thermal_model"):
        slice_potentials(orient(crystal, (0, 0, 1)), zone_axis=(0, 0, 1), energy_ev=200e3, grid=(24, 24), slices=2)


def test_damping_without_displacements_is_refused_and_nothing_else_needs_them():
    crystal = replace(read_cif(STRUCTURES / "srtio3.cif"), displacement=np.zeros((5, 3, 3)))
    asked = {"zone_axis": (0, 0, 1), "energy_ev": 200e3, "grid": (24, 24), "slices": 2}
    with pytest.raises(StructureError, match=r"accepted: 'none'.*crystal\.displacements .*Sr: 0\.00006"):
        slice_potentials(orient(crystal, (0, 0, 1)), thermal_model="debye_waller", **asked)
    assert slice_potentials(orient(crystal, (0, 0, 1)), thermal_model="none", **asked).potential.max() > 0
