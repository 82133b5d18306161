"""The renderer against a naive sum, its limits, and its symmetry."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.patterns import Geometry, polar_to_vector
from pacbed.simulation.multislice.aperture import LatticeGeometry
from pacbed.simulation.rendering.kernels.detector import detector_box, pixel_weights
from pacbed.simulation.rendering.renderer import FEW_THICKNESSES, Renderer
from pacbed.simulation.table.codes import decode_coefficients
from pacbed.simulation.table.spline import spline_weights

FIELD = 22.0


@pytest.fixture(scope="module")
def renderer(tiny_table):
    return Renderer(tiny_table)


def test_zero_thickness_is_a_flat_disk(renderer):
    """Area of the disk within 0.1 %, value 1 / (pi alpha^2) per solid angle inside, nothing outside."""
    geometry = Geometry.field_of_view(160, FIELD)
    image = renderer.render(thickness_nm=0.0, convergence_mrad=13.3, geometry=geometry)
    radius = np.hypot(*geometry.angles_mrad())
    flat = geometry.pixel_mrad**2 / (np.pi * 13.3**2)
    edge = np.linalg.norm(renderer.table.pitch_mrad, axis=1).max()
    np.testing.assert_allclose(image[radius < 13.3 - edge], flat, rtol=1e-4)
    assert np.abs(image[radius > 13.3 + edge]).max() < 1e-5 * flat  # sums of 32-bit numbers that cancel
    assert image.sum() == pytest.approx(1.0, abs=1e-3)


def expanded(table):
    """Every coefficient of the whole cone by (m1, m2, h, k), expanded with the operations one by one."""
    values = decode_coefficients(table.codes).T
    stored, at = {}, 0
    for beam, m1, m2, count in table.rows:
        for step in range(count):
            for operation in table.operations:
                key = (*(operation @ [m1, m2 + step]), *(operation @ table.beams[beam]))
                stored[tuple(int(part) for part in key)] = values[at + step]
        at += count
    return stored


@pytest.mark.parametrize("edge", [0.0, 1.3])
def test_naive_sum(renderer, tiny_table, edge):
    """Beam by beam, node by node: apertures times splines, also where disks end; one pattern and a series."""
    table, thickness, alpha, tilt = tiny_table, 7.3, 11.0, np.array([1.3, -0.6])
    stored = expanded(table)
    rng = np.random.default_rng(3)
    height = thickness / table.plane_spacing_nm
    along = slice(int(height) - 1 - table.first_plane, int(height) + 3 - table.first_plane)
    rim = alpha + np.array([-0.4, 0.0, 0.4])[:, None] * max(edge, 0.5)
    points = [*rng.uniform(-15, 15, (30, 2)), *(rim * np.array([np.cos(0.7), np.sin(0.7)]))]
    for k in points:
        expected = 0.0
        position = (k + tilt) @ np.linalg.inv(table.pitch_mrad)
        below = np.floor(position).astype(int)
        w1, w2 = spline_weights(position - below)
        for beam in table.beams:
            distance = np.linalg.norm(k - beam @ table.reciprocal_mrad)
            share = np.clip((alpha + edge / 2 - distance) / edge, 0, 1) if edge else float(distance <= alpha)
            if share:
                first = below - beam * np.array(table.steps)
                spline = sum(
                    w1[a] * w2[b] * stored[(int(first[0]) - 1 + a, int(first[1]) - 1 + b, *map(int, beam))][along]
                    for a in range(4)
                    for b in range(4)
                )
                expected += share * (spline @ spline_weights(height - int(height)))
        geometry = Geometry((1, 1), 0.1, (-k[0] / 0.1, -k[1] / 0.1))
        options = {"convergence_mrad": alpha, "geometry": geometry, "mistilt_mrad": tilt, "edge_mrad": edge}
        expected *= 0.1**2 / (np.pi * alpha**2)
        one = renderer.render(thickness_nm=thickness, **options)[0, 0]
        few = renderer.render_series([3.0, thickness], **options)[1, 0, 0]
        many = renderer.render_series([*np.linspace(1, 9, FEW_THICKNESSES), thickness], **options)[-1, 0, 0]
        assert one == pytest.approx(expected, rel=2e-4, abs=1e-9)
        assert few == pytest.approx(expected, rel=2e-4, abs=1e-9)
        assert many == pytest.approx(expected, rel=5e-4, abs=1e-9)  # from the components along thickness


def test_pixels_of_an_image_are_those_of_single_points(renderer):
    """The sum over beams with its corrections at the edges equals rendering each pixel alone."""
    geometry = Geometry((9, 7), 3.1, (3.3, 4.1), rotation_deg=17.0)
    options = {"thickness_nm": 6.0, "convergence_mrad": 12.0, "mistilt_mrad": (1.0, 2.0)}
    image = renderer.render(geometry=geometry, **options)
    for row, column in [(0, 0), (4, 3), (8, 6), (2, 5), (6, 1)]:
        alone = Geometry((1, 1), 3.1, (3.3 - column, 4.1 - row), rotation_deg=17.0)
        assert image[row, column] == pytest.approx(renderer.render(geometry=alone, **options)[0, 0], rel=1e-4)
    assert len(np.unique(image)) > 20


def test_rotation_and_mirror_are_coordinates(renderer):
    """Turning the image by 90 deg permutes its pixels; the tilt turns with the crystal."""
    base = Geometry.field_of_view(40, FIELD)
    options = {"thickness_nm": 8.3, "convergence_mrad": 12.0, "mistilt_mrad": (2.0, 0.7)}
    straight = renderer.render(geometry=base, **options)
    turned = renderer.render(
        geometry=Geometry(base.shape, base.pixel_mrad, base.center_px, rotation_deg=90.0), **options
    )
    # +x of the crystal appears at azimuth 90 deg, which is down: row = old column, column = -old row.
    np.testing.assert_allclose(turned, np.rot90(straight, k=-1), atol=1e-9)
    mirrored = renderer.render(geometry=Geometry(base.shape, base.pixel_mrad, base.center_px, mirrored=True), **options)
    np.testing.assert_allclose(mirrored, straight[::-1], atol=1e-9)
    assert np.abs(turned - straight).max() > 0.05 * straight.max()


def test_symmetry_of_the_pattern(renderer):
    """4mm: tilts related by a mirror give mirrored patterns."""
    geometry = Geometry.field_of_view(40, FIELD)
    one = renderer.render(thickness_nm=9.0, convergence_mrad=12.0, geometry=geometry, mistilt_mrad=(2.0, 0.7))
    other = renderer.render(thickness_nm=9.0, convergence_mrad=12.0, geometry=geometry, mistilt_mrad=(-2.0, 0.7))
    np.testing.assert_allclose(other, one[:, ::-1], atol=1e-7)


@pytest.mark.parametrize("few", [True, False])
def test_series_equals_single_patterns(renderer, few):
    """A few are rendered one by one, many from the components along thickness."""
    geometry = Geometry.field_of_view(24, FIELD)
    options = {"convergence_mrad": 12.5, "geometry": geometry, "mistilt_mrad": (1.0, -1.0), "blur_mrad": 0.5}
    thicknesses = [2.0, 7.7, 3.1] if few else np.linspace(0.5, 9.7, 12)
    series = renderer.render_series(thicknesses, **options)
    for image, thickness in zip(series, thicknesses, strict=True):
        single = renderer.render(thickness_nm=thickness, **options)
        np.testing.assert_allclose(image, single, atol=3e-4 * single.max())
    assert np.abs(series[0] - series[1]).max() > 1e-6


@pytest.mark.parametrize(("rotation_deg", "mirrored"), [(0.0, True), (90.0, False), (180.0, False), (25.0, False)])
def test_series_of_turned_images(renderer, rotation_deg, mirrored):
    """Rows of pixels may run along either axis of the nodes, or along none."""
    geometry = Geometry((26, 31), 2 * FIELD / 30, (14.2, 13.1), rotation_deg=rotation_deg, mirrored=mirrored)
    options = {"convergence_mrad": 11.0, "geometry": geometry, "mistilt_mrad": (1.3, -0.4)}
    thicknesses = np.linspace(0.5, 9.7, 8)
    series = renderer.render_series(thicknesses, **options)
    for image, thickness in zip(series, thicknesses, strict=True):
        single = renderer.render(thickness_nm=thickness, **options)
        np.testing.assert_allclose(image, single, atol=3e-4 * single.max())


@pytest.mark.parametrize(
    ("geometry", "edge_mrad"),
    [
        (Geometry((40, 31), 2.5, (22.0, 11.0)), None),  # corners and whole rows beyond the field
        (Geometry((12, 1), 3.0, (0.0, 5.5)), None),
        (Geometry((24, 24), 2.4, (11.5, 11.5), rotation_deg=41.0), 6.0),
        (LatticeGeometry((30, 30), 1.0, (14.0, 13.0), pitch_mrad=np.array([[1.9, 0.0], [0.95, 1.645]])), 1.8),
    ],
    ids=["field", "column", "wide edge", "oblique"],
)
def test_pixels_of_a_series_are_those_of_single_points(renderer, geometry, edge_mrad):
    options = {"convergence_mrad": 9.0, "mistilt_mrad": (1.2, -0.6)}
    edge = geometry.pixel_mrad if edge_mrad is None else edge_mrad
    thicknesses = np.linspace(1.0, 9.7, FEW_THICKNESSES)
    series = renderer.render_series(thicknesses, geometry=geometry, edge_mrad=edge, **options)
    kx, ky = geometry.angles_mrad()
    for row, column in np.random.default_rng(3).integers(0, geometry.shape, (60, 2)):
        at = (-kx[row, column] / geometry.pixel_mrad, -ky[row, column] / geometry.pixel_mrad)
        alone = Geometry((1, 1), geometry.pixel_mrad, at)
        for step in (2, 7):
            point = renderer.render(thickness_nm=thicknesses[step], geometry=alone, edge_mrad=edge, **options)
            assert series[step, row, column] == pytest.approx(point[0, 0], abs=3e-4 * float(series[step].max()))
    single = renderer.render(thickness_nm=thicknesses[5], geometry=geometry, edge_mrad=edge, **options)
    np.testing.assert_allclose(series[5], single, atol=3e-4 * single.max())


def test_one_row_of_weights_serves_all_rows_of_an_image():
    """Only where an axis of the nodes runs along rows or columns of pixels."""
    inverse = np.linalg.inv(np.array([[0.5, 0.0], [0.25, 0.4]]))  # oblique nodes: the second index moves with y alone
    for rotation_deg, counts in ((0.0, (6 * 9, 6)), (90.0, (6 * 9, 9)), (10.0, (6 * 9, 6 * 9))):
        lines = Geometry((6, 9), 0.3, (4.0, 2.5), rotation_deg=rotation_deg).lines_mrad()
        tilt = np.array([0.4, -0.1])
        box = detector_box(lines, (6, 9), tilt, inverse)
        below1, weights1, below2, weights2, steps = pixel_weights(lines, tilt, inverse, (6, 9), box)
        assert (len(below1), len(below2)) == counts
        for row, column in ((0, 0), (2, 7), (5, 8)):
            position = (lines[0] + row * lines[1] + column * lines[2] + tilt) @ inverse
            at1, at2 = row * steps[0] + column * steps[1], row * steps[2] + column * steps[3]
            for u, below, weights in (
                (position[0], below1[at1], weights1[at1]),
                (position[1], below2[at2], weights2[at2]),
            ):
                assert below == np.floor(u)
                np.testing.assert_allclose(weights, spline_weights(u - below), atol=1e-6)


@pytest.mark.parametrize("rotation_deg", [0.0, 90.0, 20.0])
@pytest.mark.parametrize("edge_mrad", [0.0, None, 4.0])
def test_nested_series_equal_each_alone(renderer, rotation_deg, edge_mrad):
    """Angles grow from the one before, or start anew: far from it, and where no axis of nodes runs along the rows."""
    geometry = Geometry((30, 26), 1.1, (14.2, 12.9), rotation_deg=rotation_deg)
    options = {"geometry": geometry, "mistilt_mrad": (0.7, -1.2), "edge_mrad": edge_mrad}
    thicknesses, angles = np.linspace(1.0, 9.0, 9), [6.0, 6.3, 6.7, 6.9, 7.0, 7.1, 7.2, 7.3, 7.4, 9.1, 9.1, 9.9]
    nested = [series.copy() for series in renderer.render_nested_series(thicknesses, angles, **options)]
    for series, angle in zip(nested, angles, strict=True):
        for step in range(0, 9, 4):
            single = renderer.render(thickness_nm=thicknesses[step], convergence_mrad=angle, **options)
            np.testing.assert_allclose(series[..., step], single, atol=3e-4 * single.max())
    grown, alone = nested[-3], np.moveaxis(renderer.render_series(thicknesses, convergence_mrad=9.1, **options), 0, -1)
    np.testing.assert_allclose(grown, alone, atol=2e-6 * alone.max())


@pytest.mark.parametrize("count", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("shape", [(7, 1), (6, 3), (5, 9)])
def test_nested_series_of_any_size_as_integers(renderer, count, shape):
    """Patterns are worked on in blocks of thicknesses and pixels, the last of which are smaller."""
    options = {"geometry": Geometry(shape, 2.5, (2.2, 1.4)), "mistilt_mrad": (0.3, 0.4)}
    thicknesses, angles, unit = np.linspace(1.0, 9.0, count), [6.0, 6.5], 2e-6
    integers = [series.copy() for series in renderer.render_nested_series(thicknesses, angles, unit=unit, **options)]
    for counts, angle in zip(integers, angles, strict=True):
        alone = np.stack([renderer.render(thickness_nm=t, convergence_mrad=angle, **options) for t in thicknesses], -1)
        assert counts.dtype == np.uint16 and counts.shape == alone.shape
        np.testing.assert_allclose(counts, np.minimum(alone / unit, 65_535), atol=0.51 + 3e-4 * alone.max() / unit)
    blurred = next(renderer.render_nested_series(thicknesses, angles, unit=unit, blur_mrad=1e-9, **options))
    assert np.abs(blurred.astype(int) - integers[0]).max() <= 1


def test_nested_series_refuse_angles_that_do_not_ascend(renderer):
    options = {"geometry": Geometry.field_of_view(30, FIELD)}
    thicknesses, angles = np.linspace(1.0, 9.0, 9), [6.0, 6.3]
    for wrong in (angles[::-1], []):
        with pytest.raises(ParameterError, match="convergences_mrad"):
            renderer.render_nested_series(thicknesses, wrong, **options)


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"thickness_nm": 40.0}, "thickness_nm"),
        ({"thickness_nm": -1.0}, "thickness_nm"),
        ({"thickness_nm": float("nan")}, "thickness_nm"),
        ({"mistilt_mrad": (9.0, 3.0)}, "mistilt_mrad"),
        ({"convergence_mrad": 0.0}, "convergence_mrad"),
        ({"blur_mrad": -1.0}, "blur_mrad"),
    ],
)
def test_values_outside_the_table(renderer, change, argument):
    options = {"thickness_nm": 5.0, "convergence_mrad": 12.0, "geometry": Geometry.field_of_view(8, FIELD), **change}
    with pytest.raises(ParameterError, match=argument):
        renderer.render(**options)


def test_geometry_vectors_go_back_and_forth():
    geometry = Geometry((5, 7), 0.4, (2.5, 1.0), rotation_deg=33.0, mirrored=True)
    vector = polar_to_vector(3.0, 50.0)
    np.testing.assert_allclose(geometry.to_crystal(geometry.to_image(vector)), vector)
    kx, ky = geometry.angles_mrad()
    np.testing.assert_allclose(geometry.to_image([kx[3, 6], ky[3, 6]]), [(6 - 2.5) * 0.4, (3 - 1.0) * 0.4])
