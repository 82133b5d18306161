"""Which end of a polar axis the beam meets, and sites that several elements share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.electron import interaction_per_ev_a, wavelength_a
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.scattering.form_factors import projected_coefficient
from pacbed.crystal.slicing import slice_potentials
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine

CELL = np.diag([4.0, 5.0, 8.0])
FRACTIONAL = np.array([[0.10, 0.05, 0.05], [0.45, 0.60, 0.30], [0.75, 0.25, 0.85]])
ENERGY = 80e3


def _polar() -> Crystal:
    """Orthorhombic, without a symmetry operation that turns c over or reverses the plane."""
    return Crystal(CELL, ["Sr", "Ti", "O"], FRACTIONAL @ CELL, np.ones(3), np.zeros((3, 3, 3)), "OSrTi", "polar")


def _slices(zone_axis) -> SlicePotentials:
    return slice_potentials(
        orient(_polar(), zone_axis), zone_axis=zone_axis, energy_ev=ENERGY, grid=(48, 60), slices=20,
        thermal_model="none",
    )  # fmt: skip


def _kinematic(slices: SlicePotentials, beams: np.ndarray, q: np.ndarray, zone_axis, periods: int) -> np.ndarray:
    """Intensities up to a factor: a sum over the atoms of the published cell, with the beam travelling along -[uvw]."""
    z = -np.array(zone_axis) / np.linalg.norm(zone_axis)
    frame = np.array([[1, 0, 0], np.cross(z, [1, 0, 0]), z])
    wavenumber = 1 / wavelength_a(ENERGY)

    def wave_vector(k: np.ndarray) -> np.ndarray:
        return np.array([*k, np.sqrt(wavenumber**2 - k @ k)]) @ frame

    found = []
    for g in beams @ slices.reciprocal:
        change = wave_vector(q + g) - wave_vector(q)
        atoms = sum(
            projected_coefficient(symbol, np.linalg.norm(g), "lobato") * np.exp(-2j * np.pi * (change @ position))
            for symbol, position in zip(_polar().symbols, FRACTIONAL @ CELL, strict=True)
        )
        found.append(np.abs(atoms * np.exp(-2j * np.pi * (change @ CELL[2]) * np.arange(periods)).sum()) ** 2)
    return np.array(found)


@pytest.mark.parametrize("zone_axis", [(0, 0, 1), (0, 0, -1)])
def test_the_zone_axis_points_to_the_source(zone_axis):
    """First Laue zone of a weak slab: |F(h k 1)| and |F(h k -1)| differ, and the beam's direction chooses."""
    slices = _slices(zone_axis)
    weak = replace(slices, potential=1e-3 * slices.potential)
    q, periods = np.array([0.05, -0.08]), 10
    everything = cone_nodes(slices.reciprocal, slices.band_limit - 0.15)
    length = np.linalg.norm(q + everything @ slices.reciprocal, axis=1)
    ring = np.sqrt(2 / (wavelength_a(ENERGY) * slices.period_a))  # first layer [1/Å]
    beams = everything[np.abs(length - ring) < 0.15]
    assert len(beams) > 20
    got = PlaneWaveEngine(weak).run(q[None], beams=beams, planes=1, periods_per_plane=periods).intensity[1, 0]

    def misfit(axis) -> float:
        """Relative L2 after the common factor, which is not what this test is about, is fitted."""
        expected = _kinematic(slices, beams, q, axis, periods)
        return float(np.linalg.norm(got - expected * (got @ expected) / (expected @ expected)) / np.linalg.norm(got))

    assert misfit(zone_axis) < 0.02
    # The same in-plane frame, the beam reversed: what a wrong sign of the zone axis would give.
    expected = _kinematic(slices, beams * [1, -1], q * [1, -1], tuple(-np.array(zone_axis)), periods)
    fitted = expected * (got @ expected) / (expected @ expected)
    assert np.linalg.norm(got - fitted) > 0.2 * np.linalg.norm(got)


def test_the_two_ends_of_a_polar_axis_look_different():
    """Same thickness, same plane seen in a mirror; only the order of the atoms along the beam differs."""
    up, down = _slices((0, 0, 1)), _slices((0, 0, -1))
    beams = cone_nodes(up.reciprocal, 1.0)
    run = {"planes": 1, "periods_per_plane": 20}
    one = PlaneWaveEngine(up).run(np.zeros((1, 2)), beams=beams, **run).intensity[1, 0]
    other = PlaneWaveEngine(down).run(np.zeros((1, 2)), beams=beams * [1, -1], **run).intensity[1, 0]
    assert np.linalg.norm(one - other) > 0.02 * np.linalg.norm(one)
    both = [slices.potential.sum(axis=0) for slices in (up, down)]
    mirrored = np.roll(both[1][:, ::-1], 1, axis=1)  # y -> -y on the grid
    np.testing.assert_allclose(both[0], mirrored, atol=1e-3 * both[0].max())


def test_a_mixed_site_is_the_weighted_sum_of_its_elements():
    """Transmission and hence patterns: Sr or Ba on one site, a quarter to three quarters."""
    cell, place = np.diag([3.9, 3.9, 3.9]), np.array([[0.2, 0.3, 0.1]])
    tensor = np.array([np.diag([0.006, 0.008, 0.007])])

    def slices(symbols, occupancy) -> SlicePotentials:
        count = len(symbols)
        mixed = Crystal(
            cell, symbols, np.repeat(place, count, 0) @ cell, np.array(occupancy), np.repeat(tensor, count, 0), "x", "x"
        )
        return slice_potentials(orient(mixed, (0, 0, 1)), zone_axis=(0, 0, 1), energy_ev=200e3, grid=(32, 32), slices=2)

    mixed, strontium, barium = slices(["Sr", "Ba"], [0.25, 0.75]), slices(["Sr"], [1.0]), slices(["Ba"], [1.0])
    sigma = interaction_per_ev_a(200e3)
    mean, *pure = (
        np.exp(1j * sigma * part.potential.astype(float) - part.absorption) for part in (mixed, strontium, barium)
    )
    np.testing.assert_allclose(mean, 0.25 * pure[0] + 0.75 * pure[1], atol=1e-4)
    assert np.abs(pure[1] - pure[0]).max() > 0.1
