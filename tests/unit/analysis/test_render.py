import numpy as np
import pytest

from pacbed.analysis.render import render
from pacbed.errors import ParameterError
from pacbed.patterns import Geometry


def test_rendering_uses_the_bundles_frame_by_default(tiny_bundle):
    image = render(tiny_bundle, thickness_nm=5.0, convergence_mrad=14.0)
    direct = tiny_bundle.renderer.render(
        thickness_nm=5.0, convergence_mrad=14.0, geometry=Geometry.field_of_view(32, 22.5)
    )
    np.testing.assert_array_equal(image, direct)
    other = render(
        tiny_bundle,
        thickness_nm=5.0,
        convergence_mrad=14.0,
        mistilt_mrad=2.0,
        azimuth_deg=90.0,
        pixels=20,
        max_angle_mrad=18,
    )
    assert other.shape == (20, 20)
    assert not np.allclose(other, other[::-1], rtol=1e-3)
    np.testing.assert_allclose(other, other[:, ::-1], rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [{"thickness_nm": 99.0}, {"pixels": 0}, {"pixels": 100_000}, {"max_angle_mrad": 500.0}, {"mistilt_mrad": 30}],
)
def test_rendering_outside_the_bundle_is_refused(tiny_bundle, options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        render(tiny_bundle, **{"thickness_nm": 5.0, "convergence_mrad": 14.0, **options})


def test_a_bundle_may_be_a_path(tiny_bundle, tiny_bundle_file):
    asked = {"thickness_nm": 4.0, "convergence_mrad": 13.5, "pixels": 16}
    np.testing.assert_array_equal(render(str(tiny_bundle_file), **asked), render(tiny_bundle, **asked))


def test_the_whole_beam_is_in_a_wide_view(tiny_bundle):
    """A thin crystal keeps nearly every electron within the field of the table."""
    image = render(tiny_bundle, thickness_nm=1.0, convergence_mrad=14.0, pixels=64, max_angle_mrad=34.0)
    assert 0.9 < image.sum() <= 1.001
