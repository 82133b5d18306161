from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from pacbed.analysis.report.panels.misfit_curve import draw_misfit_curve
from pacbed.analysis.report.panels.misfit_profile import MisfitProfile, Rival

PROFILE = MisfitProfile(np.array([1.0, 4.0, 8.0, 10.0]), np.array([4.0, 3.0, 1.0, 1.5]), (Rival(3.0, 1.2),))


@pytest.fixture
def axes(analysis):
    axes = Figure().add_subplot()
    draw_misfit_curve(axes, PROFILE, analysis.result)
    return axes


def line(axes, start):
    """The line whose label begins so."""
    return next(one for one in axes.lines if one.get_label().startswith(start))


def test_the_curve_is_the_profile(axes):
    curve = line(axes, "best match")
    np.testing.assert_array_equal(curve.get_xydata(), np.column_stack([PROFILE.thickness_nm, PROFILE.ratio]))
    low, high = axes.get_ylim()
    assert low < 1 and high > 4 and axes.get_xlim() == (1.0, 10.0)


def test_answer_rival_and_limit_are_marked(axes, analysis):
    assert line(axes, "answer").get_xdata()[0] == analysis.result.thickness_nm.value
    assert line(axes, "ambiguous below 1.15").get_ydata()[0] == 1.15
    assert line(axes, "refined elsewhere").get_xydata().tolist() == [[3.0, 1.2]]


def test_the_least_misfit_has_its_tick(axes):
    axes.figure.draw_without_rendering()
    assert [label.get_text() for label in axes.get_yticklabels()][:4] == ["1", "1.5", "2", "3"]


def test_labels_do_not_overlap_where_nothing_else_fits(analysis):
    """A pattern without noise, in a panel of the sheet's height: other thicknesses have a thousand times the misfit."""
    figure = Figure(figsize=(5, 1.0))
    axes = figure.add_subplot()
    steep = PROFILE._replace(ratio=np.array([1500.0, 900.0, 1.0, 400.0]))
    draw_misfit_curve(axes, steep, analysis.result)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axes.get_yticklabels() if label.get_text()]
    assert len(boxes) >= 3
    assert all(low.y1 < high.y0 for low, high in pairwise(boxes))
