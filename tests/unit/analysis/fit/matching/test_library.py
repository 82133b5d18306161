import numpy as np
import pytest

from pacbed.analysis.fit.matching.library import BLUR_MRAD, build_library, mistilt_grid
from pacbed.analysis.fit.matching.polar import angular_spectrum, polar_image
from pacbed.outline import find_outline
from pacbed.patterns import Geometry


@pytest.fixture(scope="module")
def library(tiny_bundle):
    return build_library(tiny_bundle.renderer, convergence_mrad=14.0, thickness_nm=(2.0, 6.0), mistilt_max_mrad=1.5)


def test_mistilts_fill_the_wedge_evenly():
    tilts = mistilt_grid(3.0, (0.0, 45.0))
    size, azimuth = np.hypot(*tilts.T), np.rad2deg(np.arctan2(tilts[:, 1], tilts[:, 0]))
    assert size.max() == pytest.approx(3.0)
    assert (size == 0).sum() == 1
    assert (azimuth[size > 0] > 0).all()
    assert (azimuth < 45).all()
    assert len(mistilt_grid(0.0, (0.0, 360.0))) == 1


def test_neighbouring_mistilts_lie_one_step_apart():
    tilts = mistilt_grid(3.0, (0.0, 90.0))
    apart = np.linalg.norm(tilts[:, None] - tilts[None], axis=-1) + 10 * np.eye(len(tilts))
    assert apart.min() > 0.4 and apart.min(axis=1).max() < 1.0


def test_every_thickness_has_every_mistilt(library):
    thickness, tilts = np.unique(library.thickness_nm), np.unique(library.mistilt_mrad, axis=0)
    assert thickness.tolist() == [2.0, 4.0, 6.0]
    assert len(library.thickness_nm) == len(thickness) * len(tilts)
    assert np.hypot(*tilts.T).max() == pytest.approx(1.5)
    shapes = [len(getattr(library, name)) for name in ("mistilt_mrad", "center_mrad", "radius_mrad", "spectrum")]
    assert shapes == [len(library.thickness_nm)] * 4


def test_an_entry_is_the_rendered_pattern_in_its_own_frame(library, tiny_bundle):
    """One entry, rendered alone on other pixels."""
    index = len(library.thickness_nm) - 1
    geometry = Geometry.field_of_view(80, 22.4)
    image = tiny_bundle.renderer.render(
        thickness_nm=library.thickness_nm[index], convergence_mrad=14.0, geometry=geometry,
        mistilt_mrad=library.mistilt_mrad[index], blur_mrad=BLUR_MRAD,
    )  # fmt: skip
    outline = find_outline(image, dark=0.0)
    center = (np.array(outline.center_px) - geometry.center_px) * geometry.pixel_mrad
    assert library.radius_mrad[index] == pytest.approx(outline.radius_px * geometry.pixel_mrad, rel=0.02)
    assert library.center_mrad[index] == pytest.approx(center, abs=0.15)
    spectrum = angular_spectrum(polar_image(image, outline))
    twice = np.where(np.arange(spectrum.shape[1]) % 60 == 0, 1.0, 2.0)
    assert float(np.real(np.sum(twice * spectrum * library.spectrum[index].conj()))) > 0.98


def test_a_mirror_of_the_crystal_is_kept(library, tiny_bundle):
    """SrTiO3 [001] has mirror lines: its reflection is an orthogonal matrix that is its own inverse."""
    assert np.linalg.det(library.mirror) == pytest.approx(-1)
    np.testing.assert_allclose(library.mirror @ library.mirror, np.eye(2), atol=1e-12)
