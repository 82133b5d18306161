"""Plane-wave multislice: free space, two beams, reciprocity, the kinematic limit, bookkeeping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import interaction_per_ev_a, wavelength_a
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.plane_wave import (
    PlaneWaveEngine,
    below_band_limit,
    grid_indices,
    transmission_functions,
)


@pytest.fixture(scope="module")
def polar():
    """A slab without any symmetry, with and without absorption, on a small oblique cell."""
    rng = np.random.default_rng(3)
    n, cell = (24, 20), np.array([[4.0, 0.0], [-1.2, 3.6]])
    smooth = np.zeros((3, *n), dtype=complex)
    index = np.stack(np.meshgrid(*(np.fft.fftfreq(m, 1 / m) for m in n), indexing="ij"), -1)
    damp = np.exp(-0.35 * np.sum((index @ np.linalg.inv(cell).T) ** 2, -1)) * (np.abs(index).max(-1) < 9)
    for level in range(3):
        smooth[level] = np.fft.fft2(rng.normal(size=n)) * damp
    potential = np.fft.ifft2(smooth).real * 300
    return SlicePotentials(
        potential=potential.astype(np.float32),
        absorption=np.zeros((3, *n), dtype=np.float32),
        cell_a=cell,
        slice_depth_a=1.5,
        energy_ev=100e3,
        group=np.eye(2, dtype=int)[None],
        formula="X",
        zone_axis=(0, 0, 1),
        thermal_model="none",
        parametrization="lobato",
        source="test",
    )


def _amplitude_squared(slices, q, beams, **options):
    engine = PlaneWaveEngine(slices, **options)
    return engine.run(np.atleast_2d(q), beams=beams, planes=1, periods_per_plane=4).intensity[1]


@pytest.mark.parametrize("propagator", ["exact", "fresnel"])
def test_reciprocity(polar, propagator):
    """S(k, q; slab) = S(-q, -k; reversed slab): source and detector exchanged."""
    # Transmit-then-propagate: the reversed slab starts with propagation, which changes no intensity.
    reversed_slab = replace(polar, potential=polar.potential[::-1].copy())
    beams = cone_nodes(polar.reciprocal, 0.9)
    q = np.array([0.11, -0.07])
    forward = _amplitude_squared(polar, q, beams, propagator=propagator)[0]
    k = q + beams @ polar.reciprocal
    for index in (3, 8, len(beams) // 2, len(beams) - 1):
        backward = _amplitude_squared(reversed_slab, -k[index], beams, propagator=propagator)[0]
        same = int(np.flatnonzero(np.all(beams == beams[index], axis=1))[0])
        assert backward[same] == pytest.approx(forward[index], rel=2e-3, abs=2e-6)
    assert forward.std() > 1e-3


def test_thin_slice_is_kinematic(polar):
    """One weak slice scatters |sigma V_G|^2 into beam G."""
    weak = replace(polar, potential=polar.potential[:1] * 1e-3, absorption=polar.absorption[:1], slice_depth_a=0.01)
    beams = cone_nodes(polar.reciprocal, 0.8)
    got = PlaneWaveEngine(weak).run(np.zeros((1, 2)), beams=beams, planes=1, periods_per_plane=1).intensity[1, 0]
    coefficients = np.fft.fft2(weak.potential[0]) / weak.potential[0].size
    expected = np.abs(interaction_per_ev_a(100e3) * coefficients[tuple(beams.T)]) ** 2
    scattered = np.any(beams != 0, axis=1)
    # complex64 rounding of the unscattered wave of amplitude 1 sets the absolute floor
    np.testing.assert_allclose(got[scattered], expected[scattered], rtol=2e-2, atol=1e-13)
    assert expected[scattered].max() > 1e-10


def test_bookkeeping(srtio3_slices):
    """1 = recorded beams + beams outside the field + absorbed + lost to the band limit."""
    engine = PlaneWaveEngine(srtio3_slices)
    everything = cone_nodes(srtio3_slices.reciprocal, srtio3_slices.band_limit + 0.3)
    q = np.array([[0.0, 0.0], [0.2, 0.1]])
    run = engine.run(q, beams=everything, planes=4, periods_per_plane=6)
    np.testing.assert_allclose(run.intensity.sum(axis=2) + run.absorbed + run.lost, 1.0, atol=2e-5)
    assert np.all(np.diff(run.absorbed, axis=0) > 0)
    assert np.all(run.lost[1:] > 0)
    assert np.all(run.lost < 0.02)
    still = replace(srtio3_slices, absorption=np.zeros_like(srtio3_slices.absorption))
    assert not PlaneWaveEngine(still).run(q, beams=everything, planes=1, periods_per_plane=6).absorbed.any()


def test_unknown_propagator(srtio3_slices):
    with pytest.raises(SimulationError, match="propagator: got 'paraxial'"):
        PlaneWaveEngine(srtio3_slices, propagator="paraxial")


@pytest.mark.parametrize("propagator", ["exact", "fresnel"])
def test_free_space_changes_nothing(polar, propagator):
    """Without potential a plane wave stays itself, whatever its tilt; nothing is scattered, absorbed or lost."""
    empty = replace(polar, potential=np.zeros_like(polar.potential))
    beams = cone_nodes(polar.reciprocal, 0.9)
    q = np.array([[0.0, 0.0], [0.4, -0.3], [1.1, 0.8]])
    run = PlaneWaveEngine(empty, propagator=propagator).run(q, beams=beams, planes=3, periods_per_plane=10)
    expected = np.broadcast_to(np.all(beams == 0, axis=1), run.intensity.shape)
    np.testing.assert_allclose(run.intensity, expected, atol=5e-5)  # 90 slices in single precision
    np.testing.assert_allclose(run.lost, 0.0, atol=5e-5)
    assert not run.absorbed.any()


def _two_beams(deviation: float) -> tuple[SlicePotentials, np.ndarray, float, float]:
    """A weak cosine potential, a direction near its Bragg angle, the coupling [1/Å] and the excitation error [1/Å]."""
    energy, coupling, edge, depth = 200e3, 5e-4, 2.0, 2.0
    x = np.cos(2 * np.pi * np.arange(8) / 8)[:, None] * np.ones((8, 8))
    potential = 2 * coupling * depth / interaction_per_ev_a(energy) * x
    slices = SlicePotentials(
        potential=potential[None].astype(np.float32),
        absorption=np.zeros((1, 8, 8), dtype=np.float32),
        cell_a=edge * np.eye(2),
        slice_depth_a=depth,
        energy_ev=energy,
        group=np.eye(2, dtype=int)[None],
        formula="X",
        zone_axis=(0, 0, 1),
        thermal_model="none",
        parametrization="lobato",
        source="test",
    )
    g = 1 / edge
    q = np.array([-g / 2 + deviation, 0.0])
    wavenumber = 1 / wavelength_a(energy)
    error = np.sqrt(wavenumber**2 - (q[0] + g) ** 2) - np.sqrt(wavenumber**2 - q[0] ** 2)
    return slices, q, coupling, float(error)


@pytest.mark.parametrize("deviation", [0.0, 0.01, -0.02])
def test_two_beams_exchange_their_intensity(deviation):
    """Pendellösung at and off the Bragg angle, I_g = k^2 sin^2(z w) / w^2 with w^2 = k^2 + (pi s)^2 (Hirsch 1965)."""
    slices, q, coupling, error = _two_beams(deviation)
    run = PlaneWaveEngine(slices).run(q[None], beams=np.array([[0, 0], [1, 0]]), planes=40, periods_per_plane=50)
    depth = np.arange(41) * 50 * slices.period_a
    rate = np.hypot(coupling, np.pi * error)
    expected = (coupling / rate * np.sin(rate * depth)) ** 2
    np.testing.assert_allclose(run.intensity[:, 0, 1], expected, atol=4e-3)
    np.testing.assert_allclose(run.intensity[:, 0, 0], 1 - expected, atol=4e-3)
    assert expected.max() > (0.99 if not deviation else 0.05)


def test_the_sign_of_a_deviation_is_that_of_the_ewald_sphere():
    """A smaller angle than Bragg's leaves the reflection outside: s < 0 for g, and the mirrored beam is further off."""
    slices, q, _, error = _two_beams(0.02)
    assert error < 0
    beams = np.array([[1, 0], [-1, 0]])
    right, left = (PlaneWaveEngine(slices).run(sign * q[None], beams=beams * sign, planes=1, periods_per_plane=300)
                   for sign in (1, -1))  # fmt: skip
    np.testing.assert_allclose(right.intensity, left.intensity, atol=1e-6)
    assert right.intensity[1, 0, 0] > 20 * right.intensity[1, 0, 1]


def test_uniform_absorption_takes_an_exponential_share(polar):
    """Each slice takes 1 - exp(-2 mu) of what reaches it; the pattern loses as much and nothing else changes."""
    mu, beams = 0.004, cone_nodes(polar.reciprocal, 0.9)
    q, run = np.array([[0.1, 0.2]]), {"planes": 3, "periods_per_plane": 4}
    clear = PlaneWaveEngine(polar).run(q, beams=beams, **run)
    dim = PlaneWaveEngine(replace(polar, absorption=np.full_like(polar.absorption, mu))).run(q, beams=beams, **run)
    share = np.exp(-2 * mu * len(polar.potential) * 4 * np.arange(4))
    np.testing.assert_allclose(dim.intensity, clear.intensity * share[:, None, None], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(dim.absorbed[:, 0], 1 - share, atol=1e-4 + np.max(clear.lost))


def test_directions_do_not_depend_on_their_company(srtio3_slices):
    beams = cone_nodes(srtio3_slices.reciprocal, 1.2)
    q = np.random.default_rng(1).uniform(-0.6, 0.6, (37, 2))
    engine = PlaneWaveEngine(srtio3_slices)
    together = engine.run(q, beams=beams, planes=2, periods_per_plane=5)
    for index in (0, 15, 16, 36):
        alone = engine.run(q[index : index + 1], beams=beams, planes=2, periods_per_plane=5)
        for name in ("intensity", "absorbed", "lost"):
            np.testing.assert_array_equal(getattr(alone, name)[:, 0], getattr(together, name)[:, index])


def test_fewer_planes_are_planes_of_the_longer_run(srtio3_slices):
    beams, q = cone_nodes(srtio3_slices.reciprocal, 1.2), np.array([[0.1, 0.3]])
    engine = PlaneWaveEngine(srtio3_slices)
    every = engine.run(q, beams=beams, planes=12, periods_per_plane=1)
    third = engine.run(q, beams=beams, planes=4, periods_per_plane=3)
    np.testing.assert_array_equal(third.intensity, every.intensity[::3])
    np.testing.assert_array_equal(third.absorbed, every.absorbed[::3])


def test_transmission_functions_have_the_phase_of_the_potential(srtio3_slices):
    """On a grid that carries all of it, exp(i sigma V); what is removed lies above the band limit."""
    smooth = replace(
        srtio3_slices,
        potential=np.full((1, 32, 32), 12.0, dtype=np.float32),
        absorption=np.full((1, 32, 32), 0.01, dtype=np.float32),
    )
    phase = interaction_per_ev_a(200e3) * 12.0
    np.testing.assert_allclose(transmission_functions(smooth), np.exp(1j * phase - 0.01), atol=1e-6)
    coefficients = np.fft.fft2(transmission_functions(srtio3_slices))
    frequency = np.linalg.norm(grid_indices(srtio3_slices) @ srtio3_slices.reciprocal, axis=-1)
    above = frequency >= srtio3_slices.band_limit
    assert np.abs(coefficients[:, above]).max() < 1e-5 * np.abs(coefficients).max()
    np.testing.assert_array_equal(below_band_limit(srtio3_slices), ~above)
    assert 0.1 < above.mean() < 0.5
