import pytest
from matplotlib.figure import Figure

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.report.panels.network_curves import draw_other_curves, draw_thickness_curve


def test_the_thickness_curve_keeps_the_axis_it_shares(analysis):
    above, below = Figure().subplots(2, 1, sharex=True)
    above.set_xlim(0, 50)
    draw_thickness_curve(below, analysis.result)
    assert below.get_xlim() == above.get_xlim() == (0, 50)
    marks = [line.get_xdata()[0] for line in below.lines if line.get_marker() == "v" and len(line.get_xdata())]
    assert marks == [one.value for one in analysis.result.thickness_candidates]


def test_refined_values_stand_in_the_networks_own_units(analysis):
    axes = Figure().subplots(1, 2)
    draw_other_curves(axes, analysis.result)
    mistilt, scale = ([line.get_xdata()[0] for line in one.lines if line.get_color() == "#c0392b"] for one in axes)
    assert mistilt == [analysis.result.mistilt_mrad.value]
    reference = analysis.result.provenance.parameters["scale_reference_pixel_mrad"]
    assert scale == [pytest.approx(analysis.result.pixel_mrad.value / reference)]


def test_networks_alone_mark_no_refined_value(tiny_bundle, camera):
    """Though there is a misfit, of a rendered pattern near their answer."""
    alone = analyse(tiny_bundle, camera(), PredictOptions(convergence_mrad=14.0, refine=False)).result
    assert alone.misfit is not None
    axes = Figure().subplots(1, 2)
    draw_other_curves(axes, alone)
    assert not [line for one in axes for line in one.lines if line.get_color() == "#c0392b"]
