"""The polar frame: what it reads, how a turn shows, how a mirror shows, and how it is written down."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from pacbed.errors import FormatError
from pacbed.networks.frame import Placement, PolarFrame
from pacbed.simulation.rendering.renderer import Renderer

FRAME = PolarFrame()
STEP = 2 * np.pi / FRAME.angles


RADIUS = 16.5 / 32 * 1.5  # of row 16


def blob(azimuth, *, radius=RADIUS, center=(0.0, 0.0), scale=1.0):
    """A bright spot at a radius and azimuth about a centre, in units of the bright region."""
    grid = ((np.arange(FRAME.pixels) + 0.5) / FRAME.pixels * 2 - 1) * FRAME.half_width
    x = center[0] + scale * radius * np.cos(azimuth)
    y = center[1] + scale * radius * np.sin(azimuth)
    return np.exp(-((grid - x) ** 2 + (grid[:, None] - y) ** 2) / (0.02 * scale**2)).astype(np.float32)


def brightest(seen):
    """Row and column of the maximum."""
    return tuple(int(index) for index in np.unravel_index(np.argmax(seen), seen.shape))


def one(*, shift=(0.0, 0.0), radius=1.0, turn=0.0, mirrored=False):
    """Placement of one map."""
    return Placement(np.array([shift]), np.array([radius]), np.array([turn]), np.array([mirrored]))


def seen(image, **placement):
    return FRAME.maps(image[None], one(**placement))[0]


def test_rows_are_radii_and_columns_azimuths():
    assert seen(blob(0.0)).shape == (32, 64)
    for column in (0, 5, 16, 40):
        assert brightest(seen(blob(column * STEP))) == (16, column)


@pytest.mark.parametrize("placement", [{"shift": (0.2, -0.1)}, {"radius": 1.15}])
def test_maps_follow_centre_and_radius(placement):
    image = blob(9 * STEP, center=placement.get("shift", (0.0, 0.0)), scale=placement.get("radius", 1.0))
    np.testing.assert_allclose(seen(image, **placement), seen(blob(9 * STEP)), atol=0.06)


def test_a_turn_of_the_pattern_is_a_shift_along_the_angles(tiny_table):
    """Rendered patterns of two rotations; y runs down, so azimuths grow clockwise on the screen."""
    renderer = Renderer(tiny_table)

    def rendered(rotation_deg):
        geometry = FRAME.geometry
        view = type(geometry)(geometry.shape, geometry.pixel_mrad * 15.0, geometry.center_px, rotation_deg)
        return renderer.render(thickness_nm=8.0, convergence_mrad=14.0, mistilt_mrad=(2.5, 1.0), geometry=view)

    straight, turned = (seen(rendered(angle)) for angle in (0.0, 7 * np.rad2deg(STEP)))
    far, near = (np.linalg.norm(turned - np.roll(straight, columns, axis=1)) for columns in (0, 7))
    assert near < 0.03 * np.linalg.norm(straight)
    assert far > 1.5 * near


def test_turned_and_mirrored_maps():
    image = blob(9 * STEP)
    row = brightest(seen(image))[0]
    assert brightest(seen(image, turn=4 * STEP)) == (row, 5)
    assert brightest(seen(image, turn=4 * STEP, mirrored=True)) == (row, FRAME.angles - 5)


@pytest.mark.parametrize("mirrored", [False, True])
def test_azimuths_go_back_and_forth(mirrored):
    """What a map shows at a column lies in the image at the azimuth that the placement says."""
    placement = one(turn=0.7, mirrored=mirrored)
    azimuth = np.array([1.9])
    found = brightest(seen(blob(azimuth[0]), turn=0.7, mirrored=mirrored))[1] * STEP
    difference = placement.seen_azimuth(azimuth)[0] - found
    assert abs(np.angle(np.exp(1j * difference))) <= STEP / 2 + 1e-6
    np.testing.assert_allclose(placement.image_azimuth(placement.seen_azimuth(azimuth)), azimuth)


def test_reading_is_bilinear():
    """Against SciPy, at random places."""
    rng = np.random.default_rng(3)
    image = rng.random((64, 64), dtype=np.float32)
    found = seen(image, shift=(0.03, -0.02), radius=1.04, turn=0.3)
    radius = (np.arange(32) + 0.5) / 32 * 1.5 * 1.04
    azimuth = np.arange(64) * STEP + 0.3
    x = (radius[:, None] * np.cos(azimuth) + 0.03) / FRAME.pixel + 31.5
    y = (radius[:, None] * np.sin(azimuth) - 0.02) / FRAME.pixel + 31.5
    np.testing.assert_allclose(found, ndimage.map_coordinates(image, [y, x], order=1), atol=2e-4)


def test_beyond_the_image_its_edge_counts():
    assert seen(np.full((64, 64), 3.0, dtype=np.float32), shift=(1.0, 1.0)).tolist() == np.full((32, 64), 3.0).tolist()


def test_a_frame_is_read_as_it_was_written():
    frame = PolarFrame(pixels=48, reach=1.4)
    assert PolarFrame.from_json(frame.as_json()) == frame


@pytest.mark.parametrize("change", [{"radii": None}, {"reach": "wide"}, {"pixels": 0}])
def test_a_damaged_frame_is_refused(change):
    with pytest.raises(FormatError, match=r"frame: got .*, accepted: "):
        PolarFrame.from_json(FRAME.as_json() | change)
