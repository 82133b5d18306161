from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.errors import ParameterError
from pacbed.evaluation.direct.patterns import DirectNumerics, add_sums, direct_patterns, whole_thickness_nm
from pacbed.patterns import Geometry, relative_l2
from pacbed.simulation.rendering.renderer import Renderer

NUMERICS = DirectNumerics(field_mrad=35.0)
SHAPE = (120, 120)


def parameters(slices, thickness_nm, convergence_mrad, mistilt_mrad):
    return PatternParameters(
        thickness_nm=whole_thickness_nm(slices, thickness_nm, deepest_nm=10.0), mistilt_mrad=mistilt_mrad,
        center_px=(57.2, 62.9), pixel_mrad=0.35, rotation_deg=23.0, convergence_mrad=convergence_mrad, blur_mrad=0.6,
    )  # fmt: skip


@pytest.fixture(scope="module")
def drawn(srtio3_slices):
    return [
        parameters(srtio3_slices, 4.1, 13.3, (0.4, -1.1)),
        parameters(srtio3_slices, 10.0, 14.6, (-2.0, 1.3)),
    ]


@pytest.fixture(scope="module")
def direct(srtio3_slices, drawn):
    return direct_patterns([srtio3_slices], drawn, NUMERICS, rng=np.random.default_rng(3))


@pytest.mark.parametrize("number", [0, 1])
def test_direct_truth_equals_rendered_truth(direct, drawn, tiny_table, number):
    """The table's interpolation and the direct sum share nothing but the slices."""
    at, pattern = drawn[number], direct[number]
    geometry = at.geometry(SHAPE)
    rendered = render_pattern(Renderer(tiny_table), at, geometry, edge_mrad=pattern.lattice.step_mrad)
    assert relative_l2(pattern.image(geometry, at.blur_mrad), rendered) < 2e-3


def test_all_patterns_at_once_are_each_alone(direct, drawn, srtio3_slices):
    (alone,) = direct_patterns([srtio3_slices], drawn[:1], NUMERICS, rng=np.random.default_rng(8))
    assert not np.allclose(alone.lattice.offset, direct[0].lattice.offset)
    geometry = drawn[0].geometry(SHAPE)
    assert relative_l2(alone.image(geometry, 0.6), direct[0].image(geometry, 0.6)) < 1.5e-3


def test_nothing_of_the_beam_is_lost_but_what_leaves_the_field(direct):
    for pattern in direct:
        assert 0.8 < pattern.sums.sum() < 1.002
    wide = Geometry.field_of_view(160, 60.0)
    assert direct[0].image(wide, 0.5).sum() == pytest.approx(direct[0].sums.sum(), rel=1e-3)


def test_a_surface_counted_twice_changes_nothing(drawn, srtio3_slices):
    thin = [replace(drawn[0], thickness_nm=srtio3_slices.period_a / 10)]
    once, twice = (
        direct_patterns([srtio3_slices] * count, thin, NUMERICS, rng=np.random.default_rng(3))[0] for count in (1, 2)
    )
    np.testing.assert_allclose(twice.sums, once.sums, rtol=1e-5, atol=1e-9)


def test_a_narrow_blur_and_a_broken_thickness_are_refused(direct, drawn, srtio3_slices):
    with pytest.raises(ParameterError, match=r"blur_mrad: got 0\.1, accepted: at least 0\.3"):
        direct[0].image(drawn[0].geometry(SHAPE), 0.1)
    broken = replace(drawn[0], thickness_nm=4.0)
    with pytest.raises(ParameterError, match=r"thickness_nm: got 4\.0, accepted: a multiple of the period, 0\.39"):
        direct_patterns([srtio3_slices], [broken], NUMERICS, rng=np.random.default_rng(3))


@pytest.mark.parametrize(("asked", "periods"), [(0.01, 1), (4.0, 10), (10.0, 25), (11.0, 25)])
def test_thickness_is_rounded_to_periods_inside_the_table(srtio3_slices, asked, periods):
    period = srtio3_slices.period_a / 10
    assert whole_thickness_nm(srtio3_slices, asked, deepest_nm=10.0) == pytest.approx(periods * period)


def test_sums_add_shares_of_what_directions_scatter():
    sums = np.zeros((2, 3))
    targets = np.array([[0, 1], [1, -1]])
    intensity = [np.array([[0.7, 0.3], [0.5, 0.5]]), np.array([[1.0, 0.0], [0.25, 0.75]])]
    add_sums(sums, targets, np.array([[0.5, 0.5], [0.0, 2.0]]), intensity)
    np.testing.assert_allclose(sums, [[0.35, 0.15 + 0.25, 0], [0, 0.5, 0]])
