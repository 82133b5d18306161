import numpy as np
import pytest

from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.analysis.libraries.of_angle import library_for
from pacbed.analysis.maps.constants import Constants
from pacbed.analysis.maps.frame_match import FrameMatch
from pacbed.outline import find_outline


def constants_of(at, *, mirrored=False):
    return Constants(
        at.pixel_mrad, at.rotation_deg, at.convergence_mrad, at.blur_mrad, (0.0, 0.0), mirrored, 10, 0.0, 0.0, 0.1
    )


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("tilt", [(1.8, 0.6), (-1.2, 1.5), (-0.5, -2.0), (2.0, -0.8)])
def test_the_best_match_of_a_rendered_pattern_is_near_it(tiny_bundle, tilt, mirrored):
    """In every quarter: symmetry is applied to the entries, which lie in a wedge of azimuths."""
    at = PatternParameters(7.0, tilt, (33.0, 30.0), 0.7, 25.0, 14.0, 0.4)
    image = render_pattern(tiny_bundle.renderer, at, at.geometry((64, 64), mirrored=mirrored))
    match = FrameMatch(library_for(tiny_bundle, 14.0), tiny_bundle.table.group, constants_of(at, mirrored=mirrored))
    best, *others = match.starts(image, find_outline(image), 3)
    assert best.parameters.thickness_nm == pytest.approx(7.0, abs=1.5)
    assert np.hypot(*np.subtract(best.parameters.mistilt_mrad, tilt)) < 0.9
    assert best.parameters.center_px == pytest.approx(at.center_px, abs=1.0)
    assert best.parameters.rotation_deg == 25.0 and best.parameters.pixel_mrad == 0.7
    assert best.correlation > 0.97
    assert all(one.correlation <= best.correlation for one in others)


def test_a_thickness_that_is_wrong_matches_worse(tiny_bundle):
    at = PatternParameters(9.0, (1.0, 0.5), (31.5, 31.5), 0.7, 10.0, 14.0, 0.4)
    image = render_pattern(tiny_bundle.renderer, at, at.geometry((64, 64)))
    match = FrameMatch(library_for(tiny_bundle, 14.0), tiny_bundle.table.group, constants_of(at))
    best, near = match.mismatch(image, find_outline(image), near_nm=9.0)
    assert near == pytest.approx(best, abs=0.02)
    _, far = match.mismatch(image, find_outline(image), near_nm=3.0)
    assert far > 1.5 * best
