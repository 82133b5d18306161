"""Free propagation against its analytic phase, frequency by frequency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import wavelength_a
from pacbed.simulation.multislice.propagators import free_propagators

Q = np.array([[0.0, 0.0], [0.31, -0.22], [2.7, 1.9]])


@pytest.fixture(scope="module")
def oblique(srtio3_slices):
    cell = np.array([[4.0, 0.0], [-1.2, 3.6]])
    shape = (2, 24, 21)
    return replace(srtio3_slices, potential=np.zeros(shape), absorption=np.zeros(shape), cell_a=cell)


def _frequency(slices, q, x, y, cells=1):
    """q + G / cells nearest to the axis along both axes of the grid, of all that a grid point stands for."""
    steps = np.linalg.solve((slices.reciprocal / cells).T, q)
    index = []
    for number, points, step in zip((x, y), slices.grid, steps, strict=True):
        candidates = number + cells * points * np.arange(-4, 5)
        index.append(candidates[np.argmin(np.abs(candidates + np.round(step)) - 1e-9 * (candidates + step < 0))])
    return q + np.array(index) @ slices.reciprocal / cells


@pytest.mark.parametrize("propagator", ["exact", "fresnel"])
@pytest.mark.parametrize("cells", [1, 2])
def test_each_frequency_has_its_analytic_phase(oblique, propagator, cells):
    wavelength, depth = wavelength_a(oblique.energy_ev), oblique.slice_depth_a
    found = free_propagators(oblique, Q, propagator, cells)
    assert found.shape == (3, 24 * cells, 21 * cells)
    assert found.dtype == np.complex64
    seen = 0
    for direction, x, y in np.random.default_rng(2).integers((0, 0, 0), (3, 24 * cells, 21 * cells), (300, 3)):
        k = _frequency(oblique, Q[direction], x, y, cells)
        if abs(np.linalg.norm(k) - oblique.band_limit) < 1e-6:
            continue
        if np.linalg.norm(k) > oblique.band_limit:
            assert found[direction, x, y] == 0
            continue
        path = np.sqrt(1 / wavelength**2 - k @ k) - 1 / wavelength
        if propagator == "fresnel":
            path = -wavelength * (k @ k) / 2
        assert found[direction, x, y] == pytest.approx(np.exp(2j * np.pi * depth * path), abs=2e-6)
        seen += 1
    assert seen > 100


def test_nothing_is_lost_below_the_band_limit_and_all_above(oblique):
    size = np.abs(free_propagators(oblique, Q, "exact"))
    inside = size > 0.5
    np.testing.assert_allclose(size[inside], 1.0, atol=1e-6)
    assert not size[~inside].any()
    # As many frequencies as lie in a circle of that radius, whatever the tilt.
    expected = np.pi * oblique.band_limit**2 * abs(np.linalg.det(oblique.cell_a))
    np.testing.assert_allclose(inside.sum(axis=(1, 2)), expected, rtol=0.05)


def test_a_direction_one_reciprocal_vector_on_sees_the_same_frequencies(oblique):
    """q + G is the same set of frequencies, of which another one is the incident beam."""
    here, there = free_propagators(oblique, np.array([Q[1], Q[1] + oblique.reciprocal @ [0, 0]]), "exact")
    np.testing.assert_array_equal(here, there)
    moved = free_propagators(oblique, (Q[1] + oblique.reciprocal[0])[None], "exact")[0]
    np.testing.assert_allclose(moved, np.roll(here, -1, axis=0), atol=2e-6)


def test_a_supercell_holds_the_frequencies_of_the_cell(oblique):
    np.testing.assert_allclose(
        free_propagators(oblique, Q[:2], "exact", 3)[:, ::3, ::3], free_propagators(oblique, Q[:2], "exact"), atol=2e-6
    )


def test_two_slices_propagate_as_one_of_twice_the_depth(oblique):
    double = replace(oblique, slice_depth_a=2 * oblique.slice_depth_a)
    single = free_propagators(oblique, Q, "exact")
    np.testing.assert_allclose(single * single, free_propagators(double, Q, "exact"), atol=5e-6)


@pytest.mark.parametrize("propagator", ["exact", "fresnel"])
def test_sheared_slices_take_the_layer_next_to_the_ewald_sphere(oblique, propagator):
    """Against a search of all layers, at 80 kV with a period of 8 Å, where the first layer is in reach."""
    sheared = replace(oblique, slope=np.array([0.4, -0.2]), slice_depth_a=4.0, energy_ev=80e3)
    wavelength, period = wavelength_a(80e3), sheared.period_a
    layers = np.arange(-20, 6)

    def path(k):
        squared = np.sum(np.square(k), axis=-1)
        if propagator == "fresnel":
            return -wavelength * squared / 2
        return np.sqrt(1 / wavelength**2 - squared) - 1 / wavelength

    q = np.array([[0.2, -0.1]])
    found = free_propagators(sheared, q, propagator)[0]
    chosen = []
    for x, y in np.random.default_rng(3).integers((0, 0), (24, 21), (200, 2)):
        k = _frequency(sheared, q[0], x, y)
        if np.linalg.norm(k) > sheared.band_limit - 1e-6:
            continue
        paths = path(k - layers[:, None] * sheared.slope / period)
        misses = np.abs(paths - path(q[0]) - layers / period)
        if np.diff(np.sort(misses)[:2])[0] < 0.2 / period:  # between two layers either may be taken
            continue
        best = np.argmin(misses)
        chosen.append(layers[best])
        assert found[x, y] == pytest.approx(np.exp(2j * np.pi * 4.0 * paths[best]), abs=5e-6)
    assert len(chosen) > 50
    assert {0, -1} <= set(chosen)
