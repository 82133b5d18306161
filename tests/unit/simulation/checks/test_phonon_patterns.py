"""Patterns of a vibrating crystal: sums over the aperture, in batches, of what the engine says of its directions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.crystal.slicing import slice_potentials
from pacbed.patterns import relative_l2
from pacbed.simulation.checks import phonon_patterns as module
from pacbed.simulation.checks.phonon_patterns import PhononNumerics, phonon_patterns
from pacbed.simulation.multislice.aperture import sample_aperture
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine

STRUCTURES = Path(__file__).parents[4] / "structures"
NUMERICS = PhononNumerics(cells=2, configurations=2, pool=6, seed=3)
PLANES = {"planes": [0, 2], "periods_per_plane": 3}


@pytest.fixture(scope="module")
def slices():
    oriented = orient(read_cif(STRUCTURES / "srtio3.cif"), (0, 0, 1))
    return slice_potentials(
        oriented, zone_axis=(0, 0, 1), energy_ev=200e3, grid=(24, 24), slices=2, thermal_model="frozen_phonons"
    )


@pytest.fixture(scope="module")
def aperture(slices):
    return sample_aperture(slices, alpha_mrad=9.0, mistilt_mrad=(1.0, 0.4), field_mrad=14.0, directions=40, cells=2)


@pytest.fixture(scope="module")
def patterns(slices, aperture):
    return phonon_patterns(slices, aperture, NUMERICS, **PLANES)


def test_thicknesses_are_whole_periods(slices, patterns):
    np.testing.assert_allclose(patterns.thickness_nm, [0.0, 6 * slices.period_a / 10])
    assert patterns.totals.shape == (2, *patterns.elastic.shape)
    np.testing.assert_allclose(patterns.total, patterns.totals.mean(axis=0))


def test_the_elastic_part_is_that_of_the_mean_potential(slices, aperture, patterns):
    """Plane waves through the thermal mean of the transmission functions, without any displaced atom."""
    engine = PlaneWaveEngine(slices)
    rocking = engine.run(aperture.q, beams=aperture.beams, planes=2, periods_per_plane=3)
    direct = aperture.patterns(rocking.intensity[[0, 2]])
    for found, expected in zip(patterns.elastic, direct, strict=True):
        assert relative_l2(found, expected) < 2e-3


def test_nothing_is_diffuse_at_the_entrance_surface_and_little_behind(patterns):
    np.testing.assert_allclose(patterns.totals[:, 0], [patterns.elastic[0]] * 2, atol=1e-7)
    diffuse = patterns.totals[:, 1] - patterns.elastic[1]
    assert diffuse.min() > -1e-7
    assert np.all((diffuse.sum(axis=1) > 1e-4) & (diffuse.sum(axis=1) < 0.05))


def test_configurations_are_independent_and_follow_from_the_seed(slices, aperture, patterns):
    assert relative_l2(patterns.totals[0, 1], patterns.totals[1, 1]) > 1e-5
    again = phonon_patterns(slices, aperture, NUMERICS._replace(configurations=1), **PLANES)
    np.testing.assert_array_equal(again.totals[0], patterns.totals[0])
    other = phonon_patterns(slices, aperture, NUMERICS._replace(configurations=1, seed=4), **PLANES)
    assert relative_l2(other.totals[0, 1], patterns.totals[0, 1]) > 1e-5
    np.testing.assert_allclose(other.elastic, patterns.elastic, rtol=1e-3, atol=1e-6)


def test_batches_make_no_difference(slices, aperture, patterns, monkeypatch):
    """A direction meets the same atoms in any batch."""
    monkeypatch.setattr(module, "DIRECTIONS_PER_BATCH", 7)
    in_sevens = phonon_patterns(slices, aperture, NUMERICS._replace(configurations=1), **PLANES)
    np.testing.assert_allclose(in_sevens.totals[0], patterns.totals[0], rtol=1e-4, atol=1e-8)
