"""Sampled apertures: pixels of a commensurate grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.lattice import cell_bins
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.aperture import mistilt_off_mirrors, sample_aperture


@pytest.fixture(scope="module")
def oblique(srtio3_slices):
    return replace(srtio3_slices, cell_a=np.array([[3.9, 0.0], [-1.2, 4.3]]))


def _sample(slices, **changes):
    options = {"alpha_mrad": 9.0, "mistilt_mrad": (1.0, -2.0), "field_mrad": 14.0, "directions": 40, "cells": 3}
    return sample_aperture(slices, **{**options, **changes})


def test_directions_fill_the_aperture_and_carry_the_mistilt(oblique) -> None:
    aperture = _sample(oblique)
    q_mrad = aperture.q * mrad_per_inverse_a(oblique.energy_ev)
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
    basis = np.linalg.inv(oblique.cell_a).T * mrad_per_inverse_a(oblique.energy_ev)
    left = (
        (aperture.nodes / aperture.steps)[:, None, None] + aperture.beams[:, None] + offsets / 3
    ) @ basis  # on the detector, relative to the aperture's axis [mrad]
    for number in (0, len(aperture.pixels) // 3, len(aperture.pixels) - 1):
        angle = aperture.pixels[number] / aperture.steps @ basis
        here = np.linalg.norm(left - angle, axis=-1) < 1e-6
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


@pytest.mark.parametrize("cells", [1, 2])
def test_no_beam_that_reaches_the_field_is_missing(oblique, cells) -> None:
    """Of a much larger set of beams, those that the aperture leaves out send nothing into its field."""
    aperture, (offsets, _) = _sample(oblique, cells=cells), cell_bins(cells)
    wide = np.stack(np.meshgrid(np.arange(-9, 10), np.arange(-9, 10), indexing="ij"), axis=-1).reshape(-1, 2)
    known = {tuple(beam) for beam in aperture.beams.tolist()}
    others = np.array([beam for beam in wide if tuple(beam) not in known])
    assert len(others) > 100
    nodes = aperture.nodes @ aperture.pitch_mrad
    bins = offsets * (aperture.steps // cells) @ aperture.pitch_mrad
    out = nodes[:, None, None] + (aperture.steps * others @ aperture.pitch_mrad)[:, None] + bins
    assert np.linalg.norm(out, axis=-1).min() > 14.0


def test_few_directions_weigh_an_aperture_off_all_mirrors(srtio3_slices) -> None:
    tilt = mistilt_off_mirrors(3.0)
    aperture = sample_aperture(srtio3_slices, alpha_mrad=12.0, mistilt_mrad=tilt, field_mrad=18.0)
    assert 150 <= len(aperture.nodes) < 400
    assert np.hypot(*tilt) == pytest.approx(3.0)
    azimuth = np.rad2deg(np.arctan2(tilt[1], tilt[0]))
    mirrors = {*range(0, 360, 30), *range(0, 360, 45)}  # of a hexagonal and of a square lattice
    assert min(abs(azimuth - mirror) for mirror in mirrors) > 9
    shift = aperture.q * mrad_per_inverse_a(srtio3_slices.energy_ev) - aperture.nodes @ aperture.pitch_mrad
    np.testing.assert_allclose(shift, np.broadcast_to(tilt, shift.shape), atol=1e-9)
    np.testing.assert_allclose(aperture.mistilt_mrad, tilt)


def test_beams_meet_where_disks_overlap(srtio3_slices) -> None:
    """With all intensities equal a pixel counts its beams: at the centre those with |G| <= alpha; SrTiO3 has 6.42."""
    aperture = sample_aperture(srtio3_slices, alpha_mrad=12.0, mistilt_mrad=(0.0, 0.0), field_mrad=18.0)
    counts = aperture.patterns(np.ones((1, len(aperture.nodes), len(aperture.beams))))[0] / aperture.direction_share
    centre = int(np.flatnonzero(np.all(aperture.pixels == 0, axis=1))[0])
    within = np.linalg.norm(aperture.beams, axis=1) * 6.42 <= 12.0
    assert within.sum() == 9
    assert counts[centre] == pytest.approx(within.sum())
    np.testing.assert_allclose(np.linalg.norm(aperture.beams_mrad, axis=1)[within].max(), 6.42 * 2**0.5, rtol=1e-2)
    assert aperture.direction_share * len(aperture.nodes) == pytest.approx(1.0, abs=0.05)
