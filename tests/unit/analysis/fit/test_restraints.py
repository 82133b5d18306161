from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.restraints import Restraints


def test_deviations_are_in_units_of_their_widths(truth):
    both = Restraints(13.72, 0.28, 0.36, 0.03, ellipse_std_percent=None)
    assert both.deviations(truth) == pytest.approx([1.0, np.log(0.4 / 0.36) / 0.03])
    assert both.deviations(replace(truth, convergence_mrad=13.72, pixel_mrad=0.36)) == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize(
    "restraints", [Restraints(14.0), Restraints(14.0, None, 0.4), Restraints(14.0, None, None, 0.03)]
)
def test_without_a_width_nothing_is_restrained(restraints, truth):
    assert replace(restraints, ellipse_std_percent=None).deviations(truth).shape == (0,)


def test_every_camera_shows_nearly_a_circle_unless_its_ellipse_is_known(truth):
    bent = replace(truth, ellipse_percent=(1.5, -0.75))
    assert Restraints(14.0).deviations(bent) == pytest.approx([1.0, -0.5])
    known = Restraints(14.0, ellipse_percent=(1.4, -0.75), ellipse_std_percent=0.1)
    assert known.deviations(bent) == pytest.approx([1.0, 0.0])


def test_pixels_too_large_and_too_small_by_one_ratio_count_alike(truth):
    restraints = Restraints(14.0, None, 0.4, 0.03, ellipse_std_percent=None)
    larger, smaller = (restraints.deviations(replace(truth, pixel_mrad=0.4 * ratio)) for ratio in (1.1, 1 / 1.1))
    assert larger == pytest.approx(-smaller)
