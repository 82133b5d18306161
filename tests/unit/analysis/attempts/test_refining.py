from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.attempts import refining
from pacbed.analysis.attempts.refining import (
    ROUND_PERCENT,
    forward_model,
    restraints_of,
    starts_amid_tilts,
    starts_beside_vacuum,
)
from pacbed.analysis.fit.restraints import ELLIPSE_PERCENT
from pacbed.analysis.fit.sensitivity import restraint_deviations, restraint_slopes
from pacbed.analysis.options import Conditions, PredictOptions
from pacbed.analysis.steps import prepare
from pacbed.analysis.vacuum.beam import Beam
from pacbed.analysis.vacuum.disk import VacuumDisk

DISK = VacuumDisk((70.0, 84.0), 35.0, 0.02, (1.2, -0.7), 1.0, (0.0, 0.0), 6e7, 0.0, 0.05, 0.04)


@pytest.fixture
def lit(analysis):
    """The pattern with the beam that it was recorded with."""
    return replace(analysis.ready, beam=Beam(DISK, DISK.counts, None, "hole.npy"))


def test_without_a_vacuum_pattern_ellipse_and_angle_are_as_usual(analysis):
    known = restraints_of(analysis.ready)
    assert (known.ellipse_percent, known.ellipse_std_percent) == ((0.0, 0.0), ELLIPSE_PERCENT)
    assert known.radius_px is None and known.absolute is None and known.pixel_mrad is None
    widths = analysis.ready.bundle.meta.priors
    told = restraints_of(replace(analysis.ready, conditions=Conditions(14.0, pixel_mrad=0.4)))
    assert (told.pixel_mrad, told.pixel_relative) == (0.4, widths.pixel_relative)
    assert told.convergence_std_mrad == pytest.approx(14.0 * widths.convergence_relative)


def test_a_vacuum_disk_tells_ellipse_and_angle_over_pixel(lit):
    known = restraints_of(lit)
    assert (known.ellipse_percent, known.ellipse_std_percent) == ((1.2, -0.7), ROUND_PERCENT)
    assert known.radius_px == 35.0 and 0.003 <= known.radius_relative < 0.0032
    assert known.absolute.counts == DISK.counts


def test_intensity_is_a_restraint_for_fit_and_effects_alike(lit, analysis):
    """Of half the electrons: the shares are too large, and less so where less is absorbed."""
    model, at, known = forward_model(lit), analysis.parameters, restraints_of(lit)
    dim = replace(known, absolute=replace(known.absolute, counts=DISK.counts / 2))
    alone = replace(known, absolute=None)
    found, slopes = restraint_deviations(model, at, dim), restraint_slopes(model, at, dim)
    np.testing.assert_array_equal(found[:-2], restraint_deviations(model, at, alone))
    np.testing.assert_array_equal(slopes[:-2], restraint_slopes(model, at, alone))
    assert (found[-2:] > 3).all() and slopes.shape == (len(found), 11)
    assert not slopes[-2:, 1:].any()


def test_a_crystal_that_fills_the_area_needs_no_start_beside_vacuum(analysis):
    assert starts_beside_vacuum(analysis.ready) == []


def test_a_flat_crystal_needs_no_start_amid_tilts(analysis):
    assert starts_amid_tilts(analysis.ready) == []


def test_a_bent_crystal_has_starts_amid_tilts(tiny_bundle, camera):
    around = [camera(mistilt_mrad=3.0, azimuth_deg=azimuth) for azimuth in range(0, 360, 30)]
    ready = prepare(tiny_bundle, np.mean(around, axis=0), PredictOptions(convergence_mrad=14.0))
    starts = starts_amid_tilts(ready)
    assert 1 <= len(starts) <= 2
    assert min(abs(start.thickness_nm - 8.0) for start in starts) <= 1.0


def test_much_vacuum_has_starts_at_any_thickness(tiny_bundle, camera, monkeypatch):
    """A crystal of 8 nm, where starts of thin ones end at 4 nm."""
    monkeypatch.setattr(refining, "BESIDE_VACUUM_NM", 4.0)
    ready = prepare(tiny_bundle, 0.6 * camera() + 0.4 * camera(thickness_nm=0.0), PredictOptions(convergence_mrad=14.0))
    thin, thick = (starts_beside_vacuum(ready, thick=deep) for deep in (False, True))
    assert all(start.thickness_nm <= 4.0 for start in thin)
    assert min(abs(start.thickness_nm - 8.0) for start in thick) <= 1.0
