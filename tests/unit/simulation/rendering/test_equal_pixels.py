"""Images halved by symmetry: what is rendered, what is copied, and that nobody can tell."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.patterns import Geometry, polar_to_vector
from pacbed.simulation.multislice.aperture import LatticeGeometry
from pacbed.simulation.rendering.equal_pixels import EqualPixels
from pacbed.simulation.rendering.renderer import Renderer

SIGNS = [(a, b) for a in (1, -1) for b in (1, -1)]
SQUARE = np.array([np.diag(signs) for signs in SIGNS] + [np.diag(signs)[::-1] for signs in SIGNS])
EVEN, ODD = Geometry.field_of_view(24, 22.0), Geometry.field_of_view(25, 22.0)
HEXAGONAL = LatticeGeometry((21, 21), 1.0, (10.0, 10.0), pitch_mrad=np.array([[2.0, 0.0], [-1.0, 3.0**0.5]]))


@pytest.mark.parametrize(
    ("geometry", "mistilt_mrad", "copied"),
    [
        (EVEN, polar_to_vector(3.0, 0.0), 12 * 24),
        (ODD, polar_to_vector(3.0, 90.0), 12 * 25),
        (EVEN, polar_to_vector(3.0, 45.0), 12 * 23),
        (ODD, polar_to_vector(3.0, 135.0), 12 * 25),
        (EVEN, np.zeros(2), 12 * 24),
        (EVEN, polar_to_vector(3.0, 44.9), 0),  # on no mirror
        (Geometry((24, 24), 1.8, (11.5, 11.0)), polar_to_vector(3.0, 0.0), 0),  # not centred
        (Geometry((24, 24), 1.8, (11.0, 11.5)), polar_to_vector(3.0, 0.0), 12 * 24),  # centred as this mirror needs it
        (Geometry((20, 24), 1.8, (11.5, 9.5)), polar_to_vector(3.0, 45.0), 0),  # not square
        (Geometry((24, 24), 1.8, (11.5, 11.5), rotation_deg=10.0), polar_to_vector(3.0, 0.0), 0),  # turned
        (Geometry((24, 24), 1.8, (11.5, 11.5), rotation_deg=45.0), polar_to_vector(3.0, 0.0), 12 * 23),
    ],
)
def test_half_of_the_pixels_serve_all(geometry, mistilt_mrad, copied):
    equal = EqualPixels.of(SQUARE, mistilt_mrad, geometry)
    assert len(equal.target) == len(equal.source) == copied
    rendered = np.zeros(geometry.shape, dtype=bool)
    for row, (begin, end) in enumerate(equal.spans):
        rendered[row, begin:end] = True
    flat = rendered.ravel()
    assert flat[equal.source].all() and not flat[equal.target].any()
    assert flat.sum() + copied == flat.size


def test_copies_lie_across_the_mirror():
    """Mistilt along +x: rows above the axis stand for those below it, column by column."""
    image = np.arange(2 * 24 * 24, dtype=np.float32).reshape(2, 24, 24)
    upper = image[:, :12].copy()
    EqualPixels.of(SQUARE, polar_to_vector(3.0, 0.0), EVEN).copy(image)
    np.testing.assert_array_equal(image, np.concatenate([upper, upper[:, ::-1]], axis=1))


def test_oblique_pixels():
    """Mirrors of a hexagonal lattice of pixels, of which a rhombus keeps the two along its diagonals."""
    for line_deg in (60.0, 150.0):
        double = np.deg2rad(2 * line_deg)
        mirror = np.array([[np.cos(double), np.sin(double)], [np.sin(double), -np.cos(double)]])
        equal = EqualPixels.of(np.array([np.eye(2), mirror]), polar_to_vector(2.0, line_deg), HEXAGONAL)
        assert len(equal.target) == 10 * 21
        angles = np.stack(HEXAGONAL.angles_mrad()).reshape(2, -1)
        np.testing.assert_allclose(mirror @ angles[:, equal.source], angles[:, equal.target], atol=1e-9)


@pytest.mark.parametrize("azimuth_deg", [0.0, 45.0, 90.0, 225.0])
@pytest.mark.parametrize("blur_mrad", [0.0, 0.7])
def test_series_equal_single_patterns(tiny_table, azimuth_deg, blur_mrad):
    """Single patterns are rendered whole, also where the image reaches beyond the field."""
    renderer, geometry = Renderer(tiny_table), Geometry.field_of_view(31, 30.0)
    thicknesses = np.linspace(0.5, 9.7, 8)
    options = {"geometry": geometry, "mistilt_mrad": polar_to_vector(3.0, azimuth_deg), "blur_mrad": blur_mrad}
    assert len(EqualPixels.of(tiny_table.exact_group, options["mistilt_mrad"], geometry).target) == 15 * 31
    angles = (7.0, 9.5)
    for angle, series in zip(angles, renderer.render_nested_series(thicknesses, angles, **options), strict=True):
        for image, thickness in zip(np.moveaxis(series, -1, 0), thicknesses, strict=True):
            single = renderer.render(thickness_nm=thickness, convergence_mrad=angle, **options)
            np.testing.assert_allclose(image, single, atol=3e-4 * single.max())
