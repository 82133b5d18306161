"""Plane-wave multislice: reciprocity, the kinematic limit, bookkeeping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import interaction_per_ev_a
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine


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
