"""The renderer against a naive sum, its limits, and its symmetry."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.simulation.geometry import Geometry, polar_to_vector
from pacbed.simulation.intensity_code import decode
from pacbed.simulation.renderer import Renderer, lagrange

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
    assert not image[radius > 13.3 + edge].any()
    assert image.sum() == pytest.approx(1.0, abs=1e-3)


def test_naive_sum_on_the_nodes(renderer, tiny_table):
    """On nodes and planes the pattern is a plain sum over stored pairs, expanded with the operations one by one."""
    table, plane, alpha = tiny_table, 7, 11.0
    stored = {}
    for direction, node in enumerate(table.nodes):
        for pair in range(table.offset[direction], table.offset[direction + 1]):
            value = float(decode(table.intensity[plane, pair : pair + 1])[0])
            for operation in table.operations:
                stored[(*(operation @ node), *(operation @ table.beams[table.beam[pair]]))] = value
    tilt_node = np.array([2, -1])
    tilt = tilt_node @ table.pitch_mrad
    pixels = [np.array([3, 5]), np.array([-14, 2]), np.array([0, 0]), np.array([20, -22])]
    for pixel in pixels:
        k = pixel @ table.pitch_mrad
        expected = 0.0
        for beam in table.beams:
            if np.linalg.norm(k - beam @ table.reciprocal_mrad) <= alpha:
                expected += stored[(*(pixel - beam * np.array(table.steps) + tilt_node), *beam)]
        geometry = Geometry((1, 1), 0.1, (-k[0] / 0.1, -k[1] / 0.1))
        image = renderer.render(
            thickness_nm=plane * table.plane_spacing_nm,
            convergence_mrad=alpha,
            geometry=geometry,
            mistilt_mrad=tilt,
            edge_mrad=0.0,
        )
        assert image[0, 0] == pytest.approx(expected * 0.1**2 / (np.pi * alpha**2), rel=1e-4)


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


def test_series_equals_single_patterns(renderer):
    geometry = Geometry.field_of_view(24, FIELD)
    options = {"convergence_mrad": 12.5, "geometry": geometry, "mistilt_mrad": (1.0, -1.0), "blur_mrad": 0.5}
    series = renderer.render_series([2.0, 7.7], **options)
    single = renderer.render(thickness_nm=7.7, **options)
    np.testing.assert_allclose(series[1], single, atol=1e-6 * single.max())
    assert np.abs(series[0] - series[1]).max() > 1e-6


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


def test_lagrange_reproduces_cubics():
    nodes = np.arange(3, 7)
    assert lagrange(4.3, nodes) @ nodes**3.0 == pytest.approx(4.3**3)
