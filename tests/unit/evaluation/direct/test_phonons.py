from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.evaluation.direct.patterns import DirectNumerics, direct_patterns
from pacbed.evaluation.direct.phonons import DisplacedNumerics, displaced_patterns
from pacbed.patterns import Geometry
from pacbed.simulation.checks.referee_phonons import displaced_slices
from pacbed.simulation.multislice.phonon_pool import PhononSettings

SETTINGS = PhononSettings(cells=2, configurations=1, pool=8, seed=3)
PLANES = 4  # periods between planes


@pytest.fixture(scope="module")
def slices(srtio3_slices):
    return displaced_slices(srtio3_slices)


@pytest.fixture(scope="module")
def parameters(slices):
    plane_nm = PLANES * slices.period_a / 10
    thin = PatternParameters(
        thickness_nm=2 * plane_nm, mistilt_mrad=(0.7, 0.2), center_px=(19.5, 19.5), pixel_mrad=1.1, rotation_deg=0.0,
        convergence_mrad=6.0, blur_mrad=1.0,
    )  # fmt: skip
    return [thin, replace(thin, thickness_nm=5 * plane_nm)]


@pytest.fixture(scope="module")
def patterns(slices, parameters):
    elastic = DirectNumerics(field_mrad=45.0, pitch_mrad=1.0)
    numerics = DisplacedNumerics(elastic, SETTINGS, diffuse_pitch_mrad=3.3, periods_per_plane=PLANES)
    return displaced_patterns(slices, parameters, numerics, rng=np.random.default_rng(1))


def test_the_elastic_part_is_that_of_the_thermal_mean(slices, parameters, patterns):
    numerics = DirectNumerics(field_mrad=45.0, pitch_mrad=1.0)
    alone = direct_patterns([slices], parameters, numerics, rng=np.random.default_rng(1))
    for one, pattern in zip(alone, patterns, strict=True):
        np.testing.assert_array_equal(pattern.elastic.sums, one.sums)


def test_the_diffuse_part_grows_with_thickness_and_keeps_the_beam(patterns):
    thin, thick = (pattern.diffuse.sums.sum() for pattern in patterns)
    assert 0 < thin < 0.6 * thick
    for pattern in patterns:
        assert 0.6 < pattern.elastic.sums.sum() + pattern.diffuse.sums.sum() < 1.02


def test_an_image_is_the_sum_of_both_parts(patterns):
    pattern, geometry = patterns[1], Geometry.field_of_view(40, 30.0)
    least = pattern.diffuse.lattice.least_blur_mrad
    assert least > 1.0
    both = pattern.elastic.image(geometry, 1.0) + pattern.diffuse.image(geometry, least)
    np.testing.assert_allclose(pattern.image(geometry, 1.0), both)
