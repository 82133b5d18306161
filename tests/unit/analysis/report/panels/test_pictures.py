from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Polygon
from matplotlib.text import Annotation

from pacbed.analysis.report.panels.pictures import draw_pictures
from pacbed.patterns import Geometry


def pictures(analysis):
    """The axes of the three pictures."""
    figure = Figure()
    draw_pictures(figure, figure.add_gridspec(2, 3), analysis)
    return [axes for axes in figure.axes if axes.get_title()]


def marked(axes, name):
    """Where a mark lies [mrad]."""
    line = next(line for line in axes.lines if line.get_label() == name)
    return np.array([line.get_xdata()[0], line.get_ydata()[0]])


def test_the_pictures_are_pattern_model_and_their_difference(analysis):
    """In this order, in one unit, where the mask counts."""
    panels = [axes.images[0] for axes in pictures(analysis)]
    assert all(isinstance(panel, AxesImage) for panel in panels) and len(panels) == 3
    measured, best, difference = (np.ma.filled(panel.get_array(), np.nan) for panel in panels)
    mask = analysis.model.cutout.mask
    for picture in (measured, best, difference):
        np.testing.assert_array_equal(np.isfinite(picture), mask)
    np.testing.assert_allclose(difference[mask], (measured - best)[mask], atol=1e-12)
    ratio = best[mask] / analysis.model.image(analysis.parameters)[mask]
    assert np.nanpercentile(best, 99.8) == pytest.approx(1.0)
    np.testing.assert_allclose(ratio, ratio[0])


def test_the_optic_axis_is_at_the_origin_of_the_pictures(analysis):
    left, right, lower, upper = pictures(analysis)[0].images[0].get_extent()
    ny, nx = analysis.model.cutout.values.shape
    assert (right - left) / nx == pytest.approx((lower - upper) / ny)
    geometry = analysis.model.cutout.geometry(analysis.parameters, mirrored=False)
    assert -left / geometry.pixel_mrad - 0.5 == pytest.approx(geometry.center_px[0])
    assert -upper / geometry.pixel_mrad - 0.5 == pytest.approx(geometry.center_px[1])


def test_the_cross_is_the_zone_axis_and_the_arrow_leads_from_it_to_the_beam(analysis):
    axes, result = pictures(analysis)[0], analysis.result
    cross = marked(axes, "zone axis")
    np.testing.assert_allclose(cross, [-result.mistilt_x_mrad.value, -result.mistilt_y_mrad.value], rtol=0.02)
    np.testing.assert_array_equal(marked(axes, "beam"), 0)
    arrow = next(child for child in axes.get_children() if isinstance(child, Annotation))
    np.testing.assert_allclose(arrow.xyann, cross)
    assert arrow.xy == (0, 0)


def test_rim_and_zone_axis_are_distorted_as_the_picture_is(analysis):
    """Half as large again along x, so much smaller along y."""
    at = replace(analysis.parameters, ellipse_percent=(100 * np.log(1.5), 0.0))
    axes = pictures(replace(analysis, parameters=at))[0]
    rim = next(patch for patch in axes.patches if isinstance(patch, Polygon)).get_xy()
    np.testing.assert_allclose(np.abs(rim).max(axis=0), at.convergence_mrad * np.array([1.5, 1 / 1.5]), rtol=1e-3)
    np.testing.assert_allclose(marked(axes, "zone axis"), at.mistilt_in_image() * [-1.5, -1 / 1.5])


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_pattern_is_symmetric_about_the_zone_axis_inside_its_direct_disk(tiny_bundle, mirrored):
    """Minus the mistilt is where the incident direction is the zone axis: its twofold axis shows there."""
    geometry = Geometry((121, 121), 0.05, (60.0, 60.0), 31.0, mirrored)
    tilt = np.array([0.9, 0.5])  # crystal frame
    image = tiny_bundle.renderer.render(
        thickness_nm=9.0, convergence_mrad=3.0, mistilt_mrad=tilt, geometry=geometry, edge_mrad=0.0
    )

    def unevenness(center_mrad):
        column, row = np.round(60 + center_mrad / 0.05).astype(int)
        around = image[row - 20 : row + 21, column - 20 : column + 21]
        return np.abs(around - around[::-1, ::-1]).mean() / np.ptp(image[30:91, 30:91])

    assert unevenness(-geometry.to_image(tilt)) < 0.02
    assert unevenness(geometry.to_image(tilt)) > 0.1
