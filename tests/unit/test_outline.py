import numpy as np
import pytest

from pacbed.outline import find_outline
from pacbed.patterns import Geometry


def disk(shape, center, radius, level=1000.0, dark=100.0):
    row, column = np.indices(shape)
    distance = np.hypot(column - center[0], row - center[1])
    return dark + level * np.clip(radius - distance + 0.5, 0, 1)


@pytest.mark.parametrize(
    ("shape", "center", "radius"),
    [((256, 256), (127.5, 127.5), 60), ((300, 200), (80.2, 190.7), 45), ((1024, 1024), (550.0, 640.0), 140)],
)
def test_outline_of_a_disk_anywhere(shape, center, radius):
    rng = np.random.default_rng(1)
    found = find_outline(rng.poisson(disk(shape, center, radius)).astype(np.float32))
    assert found.center_px == pytest.approx(center, abs=0.02 * radius)
    assert found.radius_px == pytest.approx(radius, rel=0.03)
    assert found.inside == 1.0


def test_outline_tells_that_a_disk_is_cut_off():
    assert find_outline(disk((128, 128), (20.0, 64.0), 40)).inside < 0.9


def test_outline_is_the_same_frame_for_a_recorded_and_a_rendered_pattern(tiny_bundle, camera):
    """What the library search rests on: gain, offset, noise, pixel size and rotation do not move the frame."""
    recorded = Geometry((160, 150), 0.4, (70.3, 84.6), 25.0)
    rendered = Geometry.field_of_view(56, 22.5)
    image = tiny_bundle.renderer.render(
        thickness_nm=9.0, convergence_mrad=14.0, geometry=rendered, mistilt_mrad=(0.9, 2.4), blur_mrad=0.5
    )
    size = float(np.hypot(0.9, 2.4))
    azimuth = float(np.rad2deg(np.arctan2(2.4, 0.9)))
    seen = find_outline(camera(thickness_nm=9.0, mistilt_mrad=size, azimuth_deg=azimuth, geometry=recorded))
    own = find_outline(image, dark=0.0)
    shift = (np.array(own.center_px) - rendered.center_px) * rendered.pixel_mrad
    expected = np.array(recorded.center_px) + recorded.to_image(shift) / recorded.pixel_mrad
    assert seen.radius_px * 0.4 == pytest.approx(own.radius_px * rendered.pixel_mrad, rel=0.015)
    assert seen.center_px == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize(("center", "radius"), [((63.7, 64.2), 30.0), ((50.25, 71.5), 22.5), ((80.0, 58.3), 35.2)])
def test_center_and_radius_of_a_disk_to_a_fraction_of_a_pixel(center, radius):
    """Without noise; the radius is that of the circle of equal area, the border's softness costs a little of it."""
    found = find_outline(disk((128, 128), center, radius))
    assert found.center_px == pytest.approx(center, abs=0.1)
    assert found.radius_px == pytest.approx(radius, abs=0.6)


def test_the_outline_follows_a_shift_and_a_magnification():
    one = find_outline(disk((120, 120), (55.0, 60.0), 24.0))
    moved = find_outline(disk((120, 120), (62.0, 57.5), 24.0))
    larger = find_outline(disk((240, 240), (110.5, 120.5), 48.0))
    assert np.subtract(moved.center_px, one.center_px) == pytest.approx([7.0, -2.5], abs=0.05)
    assert larger.radius_px == pytest.approx(2 * one.radius_px, rel=0.01)
    assert np.array(larger.center_px) == pytest.approx(2 * np.array(one.center_px) + 0.5, abs=0.1)


def test_contrast_is_that_of_disk_and_frame():
    """1000 inside, 0 outside: the frame's mean is the share of its area; smoothing costs the disk some of its level."""
    found = find_outline(disk((128, 128), (63.5, 63.5), 30.0, dark=0.0), dark=0.0)
    assert found.contrast == pytest.approx(128**2 / (np.pi * 30**2), rel=0.1)


def test_a_large_frame_is_searched_on_coarser_pixels():
    found = find_outline(disk((700, 640), (300.4, 380.9), 110.0))
    assert found.center_px == pytest.approx((300.4, 380.9), abs=0.5)
    assert found.radius_px == pytest.approx(110.0, rel=0.01)


def spoilt(image, kind, seed=0):
    """The image with stray objects far brighter than it."""
    rng = np.random.default_rng(seed)
    image, (row, column) = image.copy(), np.indices(image.shape)
    for _ in range(3 if kind.endswith("s") else 1):
        y, x = rng.integers(8, np.array(image.shape) - 12)
        if kind.startswith("cluster"):
            size = rng.integers(3, 7)
            image[y : y + size, x : x + size] = 65535
        else:
            image += 6000 * np.exp(-0.5 * ((row - y) ** 2 + (column - x) ** 2) / 9)
    return image


@pytest.mark.parametrize("kind", ["cluster", "clusters", "spot", "spots"])
@pytest.mark.parametrize("seed", range(4))
def test_stray_objects_do_not_outshine_the_disk(kind, seed):
    clean = np.random.default_rng(seed).poisson(disk((160, 140), (72.0, 85.0), 42.0)).astype(float)
    one, other = find_outline(clean), find_outline(spoilt(clean, kind, seed))
    assert other.center_px == pytest.approx(one.center_px, abs=0.03 * one.radius_px)
    assert other.radius_px == pytest.approx(one.radius_px, rel=0.03)


@pytest.mark.parametrize("width", [1.2, 1.6, 2.5])
def test_a_small_disk_in_a_halo_is_the_disk(width):
    """The halo is wider, and it is no disk."""
    halo = disk((128, 128), (63.5, 63.5), 8.0)
    row, column = np.indices(halo.shape)
    halo += 250 * np.exp(-0.5 * (np.hypot(row - 63.5, column - 63.5) / (8.0 * width)) ** 2)
    assert find_outline(np.random.default_rng(1).poisson(halo)).radius_px < 11


def test_a_dark_border_that_is_not_used_does_not_count():
    image = disk((128, 128), (63.5, 63.5), 30.0, dark=1500.0)
    padded = np.pad(image, 40)
    used = np.pad(np.ones(image.shape, dtype=bool), 40)
    one, other = find_outline(image), find_outline(padded, used=used)
    assert np.array(other.center_px) == pytest.approx(np.array(one.center_px) + 40, abs=0.05)
    assert other.radius_px == pytest.approx(one.radius_px, rel=0.01)
    assert find_outline(padded).radius_px > 1.2 * one.radius_px
