from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import Displacement
from pacbed.analysis.fit.refinement import fit, refine
from pacbed.analysis.fit.restraints import Restraints
from pacbed.outline import find_outline
from pacbed.patterns import Geometry

AWAY = Displacement(
    thickness_nm=-1.5,
    mistilt_x_mrad=0.4,
    mistilt_y_mrad=-0.4,
    center_x_mrad=0.5,
    center_y_mrad=0.5,
    pixel_percent=2.0,
    rotation_deg=4.0,
    convergence_mrad=-0.2,
    blur_mrad=0.1,
)
RESTRAINTS = Restraints(14.0, 0.28)
HELD_ROUND = Restraints(14.0, 0.28, ellipse_std_percent=1e-4)


@pytest.fixture(scope="module")
def found(tiny_bundle, image, outline, truth):
    """A refinement from three wrong starts."""
    starts = [truth.moved(AWAY), truth.moved(-4 * np.array(AWAY)), replace(truth.moved(AWAY), thickness_nm=3.0)]
    return refine(tiny_bundle.renderer, image, outline, starts, restraints=RESTRAINTS)


def test_the_truth_is_found_from_several_starts(found, truth):
    best = found.best.parameters
    assert best.thickness_nm == pytest.approx(8.0, abs=0.15)
    assert best.mistilt_mrad == pytest.approx(truth.mistilt_mrad, abs=0.15)
    assert best.center_px == pytest.approx(truth.center_px, abs=0.4)
    assert best.pixel_mrad == pytest.approx(0.4, rel=0.005)
    assert best.rotation_deg == pytest.approx(25.0, abs=1.0)
    assert best.convergence_mrad == pytest.approx(14.0, abs=0.1)
    assert best.blur_mrad == pytest.approx(0.4, abs=0.1)
    assert found.best.misfit == pytest.approx(found.noise, rel=0.3)


def test_the_truth_lies_within_the_error_bar(found, truth):
    best, std = found.best.parameters, found.covariance.std
    assert 0 < std.thickness_nm < 0.1
    assert abs(best.thickness_nm - truth.thickness_nm) < 4 * std.thickness_nm
    assert abs(best.rotation_deg - truth.rotation_deg) < 4 * std.rotation_deg
    assert abs(best.convergence_mrad - truth.convergence_mrad) < 4 * std.convergence_mrad


def test_other_basins_fit_worse_and_are_sorted(found):
    misfits = [found.best_at_middle.misfit, *(other.misfit for other in found.others)]
    assert misfits == sorted(misfits)
    for other in found.others:
        assert other.parameters.differs(found.best_at_middle.parameters, nm=1.0, mrad=0.5)


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_a_fit_from_either_side_ends_in_the_same_place(model, truth, direction):
    end = fit(model, truth.moved(0.7 * direction * np.array(AWAY)), RESTRAINTS, steps=12)
    best = fit(model, truth, RESTRAINTS, steps=12)
    assert end.misfit == pytest.approx(best.misfit, rel=0.03)
    assert end.parameters.thickness_nm == pytest.approx(best.parameters.thickness_nm, abs=0.05)
    assert end.parameters.mistilt_in_image() == pytest.approx(best.parameters.mistilt_in_image(), abs=0.06)


def test_an_ellipse_is_found(tiny_bundle, camera, truth):
    """Of a ratio of axes of 1.06, from a circle; the ellipse of the example without one is none."""
    geometry = Geometry((160, 150), 0.4, (70.3, 84.6), 25.0, ellipse_percent=(2.5, -1.5))
    image = camera(geometry=geometry)
    model = ForwardModel(tiny_bundle.renderer, Cutout.around(image, find_outline(image), pixels=60))
    end = fit(model, truth.moved(0.3 * np.array(AWAY)), RESTRAINTS, steps=12)
    assert end.parameters.ellipse_percent == pytest.approx((2.5, -1.5), abs=0.3)
    assert end.parameters.thickness_nm == pytest.approx(8.0, abs=0.15)
    round_one = fit(model, replace(end.parameters, ellipse_percent=(0.0, 0.0)), HELD_ROUND, steps=12)
    assert end.misfit < 0.6 * round_one.misfit


def test_a_pattern_without_an_ellipse_keeps_a_circle(found):
    assert found.best.parameters.ellipse_percent == pytest.approx((0.0, 0.0), abs=0.15)
    assert 0 < found.covariance.std.ellipse_plus_percent < 0.3


def test_a_fit_never_ends_worse_than_it_began(model, truth):
    start = truth.moved(AWAY)
    assert fit(model, start, RESTRAINTS, steps=2).misfit < model.misfit(model.residual(start))


def test_a_refinement_stays_inside_the_table(model, truth):
    for thickness in (0.25, model.renderer.table.thickness_max_nm - 0.15):
        end = fit(model, replace(truth, thickness_nm=thickness, blur_mrad=0.0), RESTRAINTS, steps=2).parameters
        assert 0.2 < end.thickness_nm < model.renderer.table.thickness_max_nm
        assert end.blur_mrad > 0


def test_a_tight_restraint_holds_and_a_missing_one_does_not(model, truth):
    """A nominal angle that is 3 % off: believed to a thousandth it stays, otherwise the pattern corrects it."""
    start = replace(truth, convergence_mrad=14.42)
    held = fit(model, start, Restraints(14.42, 1e-4), steps=10).parameters
    free = fit(model, start, Restraints(14.42), steps=10).parameters
    assert held.convergence_mrad == pytest.approx(14.42, abs=0.01)
    assert abs(free.convergence_mrad - 14.0) < 0.3 * abs(held.convergence_mrad - 14.0)


def test_a_mirrored_camera_is_fitted_as_one(tiny_bundle, image, outline, truth):
    """The same pattern with its columns reversed: the mirrored model fits it, at the mirrored rotation."""
    middle = image.shape[1] - 1
    flipped = replace(outline, center_px=(middle - outline.center_px[0], outline.center_px[1]))
    cutout = Cutout.around(image[:, ::-1], flipped, reach=1.3, pixels=45)
    # Turned by φ and reversed left to right is mirrored up and down first, then turned by 180° - φ.
    at = replace(truth, center_px=(middle - truth.center_px[0], truth.center_px[1]), rotation_deg=180.0 - 25.0)
    seen, unseen = (ForwardModel(tiny_bundle.renderer, cutout, mirrored=mirrored) for mirrored in (True, False))
    end = fit(seen, at, RESTRAINTS, steps=5)
    assert end.misfit < 0.5 * unseen.misfit(unseen.residual(at))
    assert end.parameters.rotation_deg == pytest.approx(155.0, abs=1.0)
