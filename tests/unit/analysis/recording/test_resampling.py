import numpy as np
import pytest

from pacbed.analysis.recording.resampling import resample
from pacbed.patterns import Geometry


def test_resampling_agrees_with_rendering(tiny_bundle):
    source = Geometry((300, 280), 0.17, (150.2, 131.7), 35.0)
    target = Geometry.field_of_view(64, 22.5)
    settings = {"thickness_nm": 8.0, "convergence_mrad": 14.0, "mistilt_mrad": (2.5, 1.0), "edge_mrad": 0.7}
    image = tiny_bundle.renderer.render(geometry=source, **settings) / source.pixel_mrad**2
    direct = tiny_bundle.renderer.render(geometry=target, blur_mrad=0.3, **settings) / target.pixel_mrad**2
    near = np.linalg.norm(resample(image, source, target) - direct)
    turned = resample(image, source, Geometry(target.shape, target.pixel_mrad, target.center_px, 90.0))
    assert near < 0.05 * np.linalg.norm(direct)
    assert np.linalg.norm(turned - direct) > 1.5 * near


def test_resampling_onto_the_same_pixels_changes_nothing():
    image = np.random.default_rng(1).random((40, 44)).astype(np.float32)
    geometry = Geometry((40, 44), 0.5, (20.0, 19.0), 30.0)
    np.testing.assert_allclose(resample(image, geometry, geometry)[1:-1, 1:-1], image[1:-1, 1:-1], atol=1e-5)


def test_what_was_not_recorded_is_dark():
    image = np.full((40, 40), 7.0, dtype=np.float32)
    image[:4] = 2.0  # a tenth: the second percentile
    source, target = Geometry((40, 40), 0.5, (19.5, 19.5)), Geometry((40, 40), 1.5, (19.5, 19.5))
    seen = resample(image, source, target)
    assert seen[0, 0] == pytest.approx(2.0) and seen[20, 20] == pytest.approx(7.0, abs=0.1)


def test_a_mirrored_source_is_seen_right_way_round():
    image = np.random.default_rng(2).random((41, 41)).astype(np.float32)
    plain, mirrored = Geometry((41, 41), 0.5, (20.0, 20.0)), Geometry((41, 41), 0.5, (20.0, 20.0), 0.0, mirrored=True)
    np.testing.assert_allclose(resample(image, mirrored, plain), image[::-1], atol=1e-5)
