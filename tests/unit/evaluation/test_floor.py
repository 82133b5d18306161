from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.errors import ParameterError
from pacbed.evaluation.floor import FREE, cramer_rao_floor, smallest_covariance
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

SHAPE = (48, 48)
TRUTH = PatternParameters(
    thickness_nm=7.3,
    mistilt_mrad=(1.2, 0.7),
    center_px=(23.0, 24.2),
    pixel_mrad=0.9,
    rotation_deg=25.0,
    convergence_mrad=13.4,
    blur_mrad=0.4,
)


@pytest.fixture(scope="module")
def renderer(tiny_table):
    return Renderer(tiny_table)


def pattern(renderer, thickness_nm, x_mrad, y_mrad):
    geometry = Geometry(SHAPE, TRUTH.pixel_mrad, TRUTH.center_px, TRUTH.rotation_deg)
    return renderer.render(
        thickness_nm=thickness_nm, convergence_mrad=13.4, mistilt_mrad=(x_mrad, y_mrad), geometry=geometry,
        blur_mrad=0.4, edge_mrad=0.9,
    ).ravel()  # fmt: skip


def test_gain_alone_has_the_textbook_bound(renderer):
    image = pattern(renderer, 7.3, 1.2, 0.7)
    floor = cramer_rao_floor(renderer, TRUTH, SHAPE, noise=0.1, free=("gain",))
    assert floor.std["gain"] == pytest.approx(0.1 * image.max() / np.linalg.norm(image), rel=1e-5)


def test_least_squares_reaches_the_bound_and_does_not_beat_it(renderer):
    free = ("thickness_nm", "mistilt_x_mrad", "mistilt_y_mrad")
    floor = cramer_rao_floor(renderer, TRUTH, SHAPE, noise=0.05, free=free)
    true = np.array([TRUTH.thickness_nm, *TRUTH.mistilt_mrad])
    clean = pattern(renderer, *true)
    rng = np.random.default_rng(3)
    scale = np.array(list(floor.std.values()))
    normal = []
    for _ in range(40):
        seen = clean + 0.05 * clean.max() * rng.standard_normal(clean.size)
        found = least_squares(lambda p, seen=seen: pattern(renderer, *p) - seen, true, x_scale=scale, diff_step=1e-2)
        normal.append((found.x - true) / scale)
    # 40 draws: the standard deviation of a standard deviation is 11 %.
    np.testing.assert_allclose(np.std(normal, axis=0), 1.0, atol=0.35)


def test_bound_is_proportional_to_noise_and_grows_with_what_is_unknown(renderer):
    little, much = (cramer_rao_floor(renderer, TRUTH, SHAPE, noise=noise) for noise in (0.01, 0.1))
    assert little.names == FREE
    for name in FREE:
        assert much.std[name] == pytest.approx(10 * little.std[name], rel=1e-6)
    alone = cramer_rao_floor(renderer, TRUTH, SHAPE, noise=0.1, free=("thickness_nm",))
    assert alone.std["thickness_nm"] < much.std["thickness_nm"]
    assert much.mistilt_mrad == pytest.approx(np.hypot(much.std["mistilt_x_mrad"], much.std["mistilt_y_mrad"]))


def test_ten_million_electrons_beat_a_tenth_of_a_million_tenfold(renderer):
    few, many = (cramer_rao_floor(renderer, TRUTH, SHAPE, electrons=dose) for dose in (1e5, 1e7))
    assert few.std["thickness_nm"] / many.std["thickness_nm"] == pytest.approx(10, rel=0.1)
    assert 1e-4 < many.std["thickness_nm"] < few.std["thickness_nm"] < 1


def test_prior_replaces_an_unknown(renderer):
    known = tuple(name for name in FREE if name != "convergence_mrad")
    fixed = cramer_rao_floor(renderer, TRUTH, SHAPE, noise=0.1, free=known)
    prior = cramer_rao_floor(renderer, TRUTH, SHAPE, noise=0.1, prior_std={"convergence_mrad": 1e-5})
    assert prior.std["thickness_nm"] == pytest.approx(fixed.std["thickness_nm"], rel=1e-3)


def test_rotation_is_unknown_where_the_pattern_has_no_direction(renderer):
    flat = replace(TRUTH, thickness_nm=0.0, mistilt_mrad=(0.0, 0.0))
    floor = cramer_rao_floor(renderer, flat, SHAPE, noise=0.1, free=("rotation_deg",))
    assert floor.std["rotation_deg"] > 1e3


def test_inverse_marks_what_is_undetermined():
    # Parameters 0 and 1 act only as their sum; 2 stands alone; 3 does nothing.
    columns = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]])
    covariance = smallest_covariance(columns.T @ columns)
    assert np.all(np.isinf(np.diag(covariance)[[0, 1, 3]]))
    assert covariance[2, 2] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"noise": 0.1, "free": ("colour",)}, "colour"),
        ({}, "noise, electrons"),
        ({"noise": 0.1, "electrons": 1e6}, "noise, electrons"),
        ({"noise": 0.0}, "noise"),
        ({"electrons": -1.0}, "electrons"),
    ],
)
def test_refuses_and_names(renderer, change, named):
    with pytest.raises(ParameterError, match=named):
        cramer_rao_floor(renderer, TRUTH, SHAPE, **change)


def test_derivatives_are_one_sided_at_the_edge_of_the_table(renderer, tiny_table):
    deepest = replace(TRUTH, thickness_nm=tiny_table.thickness_max_nm, blur_mrad=0.0)
    inside = replace(TRUTH, thickness_nm=tiny_table.thickness_max_nm - 0.05, blur_mrad=0.0)
    at_edge, near = (
        cramer_rao_floor(renderer, at, SHAPE, noise=0.1, free=("thickness_nm",)).std["thickness_nm"]
        for at in (deepest, inside)
    )
    assert at_edge == pytest.approx(near, rel=0.1)


def test_the_bound_falls_as_one_over_the_root_of_the_dose(renderer):
    free = ("thickness_nm", "mistilt_x_mrad", "rotation_deg", "gain")
    doses = (1e9, 4e9, 1e11)  # where the noise of the readout no longer counts
    floors = [cramer_rao_floor(renderer, TRUTH, SHAPE, electrons=dose, free=free) for dose in doses]
    for name in free:
        scaled = [floor.std[name] * np.sqrt(dose) for floor, dose in zip(floors, doses, strict=True)]
        assert scaled == pytest.approx([scaled[0]] * 3, rel=1e-3)


def test_the_bound_of_two_parameters_follows_from_the_formula(renderer):
    """Fisher matrix by hand: derivatives from two renderings each, summed pixel by pixel."""
    step = 0.1
    upper, lower = (pattern(renderer, 7.3 + sign * step, 1.2, 0.7) for sign in (1, -1))
    image = pattern(renderer, 7.3, 1.2, 0.7).astype(float)
    slope = (upper.astype(float) - lower) / (2 * step)
    information = np.zeros((2, 2))
    for ours, gain in zip(slope, image, strict=True):
        information += np.outer([ours, gain], [ours, gain]) / (0.1 * image.max()) ** 2
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    floor = cramer_rao_floor(renderer, TRUTH, SHAPE, noise=0.1, free=("thickness_nm", "gain"))
    assert list(floor.std.values()) == pytest.approx(expected, rel=1e-4)


def test_a_mirrored_camera_knows_as_much(renderer):
    plain, mirrored = (
        cramer_rao_floor(renderer, replace(TRUTH, center_px=(23.5, 23.5), rotation_deg=0.0), SHAPE, noise=0.1,
                         mirrored=seen) for seen in (False, True)
    )  # fmt: skip
    for name in FREE:
        assert mirrored.std[name] == pytest.approx(plain.std[name], rel=0.02)
