from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import NAMES, render_pattern
from pacbed.analysis.fit.refinement import fit
from pacbed.analysis.fit.restraints import ELLIPSE_PERCENT, Restraints
from pacbed.analysis.fit.sensitivity import STEPS
from pacbed.evaluation.advice.expected import (
    BACKGROUND_SHARE,
    CIRCLE_PIXELS,
    FRAME_PIXELS,
    centred,
    expected_counts,
    expected_error,
    pixel_for,
)
from pacbed.evaluation.noise import BOUND_READOUT
from pacbed.outline import find_outline
from pacbed.simulation.rendering.renderer import Renderer

ANGLE, RESTRAINTS = 13.0, Restraints(13.0, 0.26)


@pytest.fixture(scope="module")
def renderer(tiny_table):
    return Renderer(tiny_table)


def test_the_frame_shows_the_fitted_circle_and_more():
    at = centred(8.0, ANGLE, (1.0, 0.5))
    assert at.pixel_mrad == pixel_for(ANGLE)
    assert CIRCLE_PIXELS * at.pixel_mrad == pytest.approx(2 * 1.35 * ANGLE)
    assert at.center_px == ((FRAME_PIXELS - 1) / 2,) * 2 and at.mistilt_mrad == (1.0, 0.5)


def test_counts_are_those_of_the_beam_and_of_the_background(renderer):
    at = centred(8.0, ANGLE)
    counts = expected_counts(renderer, at, 1e5)
    geometry = at.geometry((FRAME_PIXELS, FRAME_PIXELS))
    image = renderer.render(thickness_nm=8.0, convergence_mrad=ANGLE, geometry=geometry, blur_mrad=at.blur_mrad)
    beyond = counts - 1e5 * image
    assert beyond.min() > 0
    middle = FRAME_PIXELS // 2
    assert beyond[middle, middle] == pytest.approx(2 * BACKGROUND_SHARE * 1e5 * image.max(), rel=0.01)


def test_errors_fall_with_the_root_of_the_electrons_and_no_fit_beats_the_bound(renderer):
    at = centred(8.0, ANGLE, (1.5, 0.7))
    few, many = (expected_error(renderer, at, dose, RESTRAINTS) for dose in (1e6, 1e8))
    for name, least in (("thickness_nm", "smallest_thickness_nm"), ("mistilt_mrad", "smallest_mistilt_mrad")):
        assert 0 < getattr(few, least) < getattr(few, name) < 1.6 * getattr(few, least)
        assert 4 < getattr(few, name) / getattr(many, name) < 10.5  # restraints do not shrink


def test_less_knowledge_is_a_larger_bound(renderer):
    at = centred(8.0, ANGLE, (1.5, 0.7))
    known, unknown = (
        expected_error(renderer, at, 1e5, replace(RESTRAINTS, convergence_std_mrad=width)) for width in (0.01, None)
    )
    assert known.smallest_thickness_nm < unknown.smallest_thickness_nm
    assert known.smallest_mistilt_mrad < unknown.smallest_mistilt_mrad


def all_derivatives(renderer, at, electrons):
    """Mean counts over the circle, and their derivatives: eleven unknowns by central differences, then four weights."""
    counts = expected_counts(renderer, at, electrons)
    cutout = Cutout.around(counts, find_outline(counts), pixels=130)
    assert cutout.factor == 1
    (column, row), (ny, nx) = cutout.origin_px, cutout.mask.shape

    def seen(point):
        image = render_pattern(renderer, point, point.geometry(counts.shape), edge_mrad=at.pixel_mrad)
        return electrons * image[row : row + ny, column : column + nx][cutout.mask].astype(float)

    columns = []
    for index, step in enumerate(STEPS):
        by = step * (np.arange(len(NAMES)) == index)
        columns.append((seen(at.moved(by)) - seen(at.moved(-by))) / (2 * step))
    columns += [seen(at), *(shape[cutout.mask] for shape in cutout.background)]
    return counts[row : row + ny, column : column + nx][cutout.mask], np.stack(columns, axis=1)


def test_both_errors_are_those_of_all_fifteen_unknowns_at_once(renderer):
    """A slow and obvious implementation: nothing is projected or solved for inside, one large matrix is inverted."""
    at = centred(8.0, ANGLE, (1.5, 0.7))
    mean, slopes = all_derivatives(renderer, at, 1e6)
    known = np.zeros(slopes.shape[1])
    known[NAMES.index("convergence_mrad")] = 0.26**-2
    known[[NAMES.index("ellipse_plus_percent"), NAMES.index("ellipse_cross_percent")]] = ELLIPSE_PERCENT**-2
    unit = np.linalg.norm(slopes, axis=0)  # so that the matrix is not ill-conditioned by its units alone
    slopes, known = slopes / unit, np.diag(known / unit**2)
    variance = mean + BOUND_READOUT**2
    level = variance.mean()
    inverse = np.linalg.inv(slopes.T @ slopes + level * known)
    fitted = inverse @ (slopes.T @ (variance[:, None] * slopes) + level**2 * known) @ inverse
    smallest = np.linalg.inv(slopes.T @ (slopes / variance[:, None]) + known)
    found = expected_error(renderer, at, 1e6, RESTRAINTS)
    for covariance, thickness, tilt in (
        (fitted, found.thickness_nm, found.mistilt_mrad),
        (smallest, found.smallest_thickness_nm, found.smallest_mistilt_mrad),
    ):
        std = np.sqrt(np.diag(covariance)) / unit
        assert thickness == pytest.approx(std[NAMES.index("thickness_nm")], rel=0.05)
        crystal = np.hypot(*std[[NAMES.index("mistilt_x_mrad"), NAMES.index("mistilt_y_mrad")]])
        assert tilt == pytest.approx(crystal, rel=0.1)  # in the image the rotation's error counts as well


def test_fits_scatter_by_what_is_promised(renderer):
    at = centred(8.0, ANGLE, (1.5, 0.7))
    promised = expected_error(renderer, at, 1e6, RESTRAINTS)
    rng, thickness, tilt = np.random.default_rng(5), [], []
    for _ in range(16):
        truth = replace(at, convergence_mrad=ANGLE + 0.26 * float(rng.standard_normal()))
        counts = rng.poisson(expected_counts(renderer, truth, 1e6)).astype(float)
        model = ForwardModel(renderer, Cutout.around(counts, find_outline(counts), pixels=130))
        found = fit(model, at, RESTRAINTS, steps=8).parameters
        thickness.append(found.thickness_nm - at.thickness_nm)
        tilt.append(found.mistilt_in_image() - truth.mistilt_in_image())
    # 16 draws: the standard deviation of a standard deviation is 18 %; the ellipse of these is as stated, not off.
    assert np.sqrt(np.mean(np.square(thickness))) == pytest.approx(promised.thickness_nm, rel=0.5)
    assert np.sqrt(np.mean(np.sum(np.square(tilt), axis=1))) == pytest.approx(promised.mistilt_mrad, rel=0.5)


def test_what_a_pattern_does_not_tell_is_infinite(renderer):
    """A vanishing crystal is a disk, whichever way it is tilted or turned."""
    found = expected_error(renderer, centred(0.0, ANGLE), 1e4, RESTRAINTS)
    assert found.mistilt_mrad > 1e2
