"""Sampled apertures: pixels of a commensurate grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import wavelength_a
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.aperture import sample_aperture
from pacbed.simulation.multislice.frozen_phonons import cell_bins


@pytest.fixture(scope="module")
def oblique(srtio3_slices):
    return replace(srtio3_slices, cell_a=np.array([[3.9, 0.0], [-1.2, 4.3]]))


def _sample(slices, **changes):
    options = {"alpha_mrad": 9.0, "mistilt_mrad": (1.0, -2.0), "field_mrad": 14.0, "directions": 40, "cells": 3}
    return sample_aperture(slices, **{**options, **changes})


def test_directions_fill_the_aperture_and_carry_the_mistilt(oblique) -> None:
    aperture = _sample(oblique)
    q_mrad = aperture.q * 1e3 * wavelength_a(oblique.energy_ev)
    assert aperture.steps % 3 == 0
    assert len(aperture.nodes) >= 40
    assert np.linalg.norm(q_mrad - (1.0, -2.0), axis=1).max() <= 9.0
    np.testing.assert_allclose(q_mrad.mean(axis=0), (1.0, -2.0), atol=1e-6)


def test_a_pattern_puts_each_part_where_it_leaves(oblique) -> None:
    """Against a naive sum; every direction, beam and bin has its own intensity."""
    aperture, (offsets, _) = _sample(oblique), cell_bins(3)
    rng = np.random.default_rng(1)
    shape = (1, len(aperture.nodes), len(aperture.beams), len(offsets))
    intensity = rng.uniform(size=shape)
    got = aperture.patterns(intensity, cells=3, offsets=offsets)[0] * np.pi * 81 / aperture.pixel_area_mrad2
    basis = np.linalg.inv(oblique.cell_a).T * wavelength_a(oblique.energy_ev) * 1e3
    left = (
        (aperture.nodes / aperture.steps)[:, None, None] + aperture.beams[:, None] + offsets / 3
    ) @ basis  # on the detector, relative to the aperture's axis [mrad]
    for number in (0, len(aperture.pixels) // 3, len(aperture.pixels) - 1):
        place = aperture.pixels[number] / aperture.steps @ basis
        here = np.linalg.norm(left - place, axis=-1) < 1e-6
        assert here.any()
        assert got[number] == pytest.approx(intensity[0][here].sum())


def test_an_undiffracted_beam_is_a_flat_disk_of_unit_content(oblique) -> None:
    aperture = _sample(oblique, directions=4000, cells=1)
    forward = np.all(aperture.beams == 0, axis=1)
    pattern = aperture.patterns(np.broadcast_to(forward, (1, len(aperture.nodes), len(forward))).astype(float))[0]
    inside = np.linalg.norm(aperture.pixels @ aperture.pitch_mrad, axis=1) <= 9.0
    assert len(set(pattern[inside])) == 1
    assert not pattern[~inside].any()
    assert pattern.sum() == pytest.approx(1.0, abs=0.01)


def test_senseless_apertures_are_refused(oblique) -> None:
    with pytest.raises(SimulationError, match=r"got \(0.0, 14.0, 40\), accepted: positive numbers"):
        _sample(oblique, alpha_mrad=0.0)


def test_a_renderer_sees_the_pixels_where_they_are(oblique) -> None:
    aperture = _sample(oblique)
    geometry = aperture.geometry
    for axis, angles in enumerate(geometry.angles_mrad()):
        assert angles.shape == geometry.shape
        np.testing.assert_allclose(aperture.pick(angles), (aperture.pixels @ aperture.pitch_mrad)[:, axis], atol=1e-9)


def test_a_picture_has_x_to_the_right_and_y_down(oblique) -> None:
    aperture = _sample(oblique)
    x, y = (aperture.pixels @ aperture.pitch_mrad).T
    for values, axis in ((x, 1), (y, 0)):
        picture = aperture.image(values, 50)
        assert picture.shape == (50, 50)
        assert np.isnan(picture[0, 0])
        steps = np.diff(np.nanmean(picture, axis=1 - axis))
        assert np.nanmin(steps) > -1.5 * np.linalg.norm(aperture.pitch_mrad, axis=1).max()
        assert np.nanmean(steps) > 0.3
