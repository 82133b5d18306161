from dataclasses import replace

import numpy as np
import pytest

from pacbed.config.sections import ModelErrorConfig
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.evaluation.budget.effects import (
    Variant,
    effects_of,
    varied_slices,
)

CHOICES = ModelErrorConfig(
    displacement_relative=0.15,
    absorption_relative=0.2,
    energy_relative=0.002,
    lattice_relative=0.001,
    bonding_relative=0.03,
)


@pytest.fixture(scope="module")
def crystal():
    return orient(read_cif("structures/srtio3.cif"), (0, 0, 1))


@pytest.fixture
def varied(crystal, absorptive_slices):
    effects = {effect.name: effect for effect in effects_of(crystal, absorptive_slices, CHOICES)}

    def make(name, sign=1):
        return varied_slices(Variant(name, effects[name], sign), crystal, absorptive_slices)

    return make


def spectrum(slices, name="potential"):
    return np.fft.fft2(getattr(slices, name).sum(axis=0))


def test_displacements_damp_high_angles_more(varied, absorptive_slices):
    ratio = spectrum(varied("debye_waller")).real / spectrum(absorptive_slices).real
    assert ratio[0, 0] == pytest.approx(1, abs=1e-5)
    # All atoms add up in the beam (4, 0), |g| = 1.024/Å: 15 % more of some 0.0073 Å^2 damps it by some 2.3 %.
    assert ratio[4, 0] == pytest.approx(np.exp(-2 * np.pi**2 * 1.024**2 * 0.15 * 0.0073), abs=0.004)
    assert spectrum(varied("debye_waller", -1)).real[4, 0] > spectrum(absorptive_slices).real[4, 0]
    assert np.all(varied("debye_waller").absorption.sum() > absorptive_slices.absorption.sum())


def test_absorption_alone_is_scaled(varied, absorptive_slices):
    for name, sign, factor in (("absorption", 1, 1.2), ("absorption", -1, 0.8), ("no_absorption", -1, 0.0)):
        changed = varied(name, sign)
        np.testing.assert_array_equal(changed.potential, absorptive_slices.potential)
        np.testing.assert_allclose(changed.absorption, factor * absorptive_slices.absorption, rtol=1e-6)


def test_bonding_changes_low_angles_only(varied, absorptive_slices):
    ratio = spectrum(varied("bonding", -1)).real / spectrum(absorptive_slices).real
    assert ratio[0, 0] == pytest.approx(0.97, abs=1e-5)
    assert ratio[1, 1] == pytest.approx(0.97, abs=1e-4)  # 0.362/Å
    assert ratio[0, 2] == pytest.approx(1 - 0.03 * np.cos(0.25 * np.pi * (0.5121 - 0.4) / 0.1) ** 2, abs=1e-3)
    assert ratio[3, 0] == pytest.approx(1, abs=1e-3)  # 0.768/Å


def test_lattice_voltage_and_table_are_those_asked_for(varied, absorptive_slices):
    larger = varied("lattice")
    np.testing.assert_allclose(larger.cell_a, 1.001 * absorptive_slices.cell_a)
    assert larger.slice_depth_a == pytest.approx(1.001 * absorptive_slices.slice_depth_a)
    assert varied("high_tension", -1).energy_ev == pytest.approx(199.6e3)
    assert varied("parametrization").parametrization == "kirkland"
    assert 0 < np.abs(spectrum(varied("parametrization")) / spectrum(absorptive_slices) - 1)[1, 1] < 0.05


def test_thermal_effects_follow_the_thermal_model(crystal, absorptive_slices):
    elastic = replace(absorptive_slices, thermal_model="debye_waller", absorption=0 * absorptive_slices.absorption)

    def names(slices):
        return [effect.name for effect in effects_of(crystal, slices, CHOICES)]

    everywhere = ["parametrization", "high_tension", "lattice", "bonding", "inelastic"]
    assert names(absorptive_slices) == ["debye_waller", "absorption", "no_absorption", *everywhere]
    assert names(elastic) == ["debye_waller", *everywhere]
    assert names(replace(elastic, thermal_model="none")) == everywhere


def test_only_the_outer_bound_is_not_counted(crystal, absorptive_slices):
    assert [e.name for e in effects_of(crystal, absorptive_slices, CHOICES) if not e.counted] == ["no_absorption"]
