import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.report.comparison.candidate import MARK, Wanted, compare
from pacbed.analysis.report.comparison.kept import Kept
from pacbed.analysis.report.panels.misfit_profile import misfit_profile
from pacbed.errors import ParameterError


def tiles(png):
    image = iio.imread(png).astype(float)
    side = image.shape[0]
    assert image.shape == (side, 3 * side, 3)
    return [image[:, index * side : (index + 1) * side] for index in range(3)]


def test_the_best_match_looks_like_the_pattern(tiny_bundle, kept, analysis):
    found = compare(tiny_bundle, kept, Wanted())
    measured, candidate, difference = tiles(found.png)
    assert np.abs(measured - candidate).mean() < 12
    assert found.place.ratio == pytest.approx(1.0, abs=0.05)
    assert found.place.thickness_nm == pytest.approx(analysis.result.thickness_nm.value)
    assert found.place.mistilt_mrad == pytest.approx(analysis.result.mistilt_mrad.value)
    assert found.place.azimuth_deg == pytest.approx(analysis.result.mistilt_azimuth_deg.value)
    assert (np.abs(measured - MARK).max(axis=-1) == 0).sum() > 100 and 250 < len(difference) < 400


def test_another_thickness_does_not_and_its_difference_shows_it(tiny_bundle, kept):
    best, other = (compare(tiny_bundle, kept, one) for one in (Wanted(), Wanted(thickness_nm=4.0)))
    assert other.place.ratio > 2 and other.place.mistilt_mrad == pytest.approx(best.place.mistilt_mrad)
    saturation = [np.ptp(tiles(one.png)[2], axis=-1).mean() for one in (best, other)]
    assert saturation[1] > 2 * saturation[0]
    np.testing.assert_array_equal(tiles(best.png)[0].shape, tiles(other.png)[0].shape)


def test_a_point_of_the_curve_has_the_misfit_that_the_curve_shows(tiny_bundle, kept):
    for point in (0, len(kept.curve) // 2):
        found = compare(tiny_bundle, kept, Wanted(point=point))
        assert found.place.ratio == pytest.approx(kept.curve[point].ratio, rel=1e-3)
        assert found.place.thickness_nm == kept.curve[point].thickness_nm


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (Wanted(thickness_nm=-1.0), "thickness_nm"),
        (Wanted(thickness_nm=1e4), "thickness_nm"),
        (Wanted(convergence_mrad=99.0), "convergence_mrad"),
        (Wanted(mistilt_mrad=50.0), "mistilt_mrad"),
        (Wanted(point=10_000), "point"),
    ],
)
def test_what_the_bundle_cannot_render_is_refused(tiny_bundle, kept, wanted, name):
    with pytest.raises(ParameterError, match=f"{name}: got .*, accepted"):
        compare(tiny_bundle, kept, wanted)


def test_a_disk_at_the_edge_of_the_frame_makes_squares_as_well(tiny_bundle, camera):
    """The recorded part is no square then; the rest is grey."""
    from pacbed.patterns import Geometry

    image = camera(geometry=Geometry((160, 100), 0.4, (47.3, 84.6), 25.0))
    one = analyse(tiny_bundle, image, PredictOptions(convergence_mrad=14.0, refine=False))
    kept = Kept.of(one, misfit_profile(one))
    assert not any(point.refined for point in kept.curve) and kept.effects == ()
    measured, candidate, difference = tiles(compare(tiny_bundle, kept, Wanted()).png)
    for tile in (measured, candidate, difference):
        assert (tile[:, -3:] == 127).all() and not (tile[:, :20] == 127).all()
