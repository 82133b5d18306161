import numpy as np
import pytest
from scipy import ndimage

from pacbed.analysis.fit.matching.library import build_library
from pacbed.analysis.fit.matching.match import IMAGE_SMOOTHING, choose_starts, match, standing
from pacbed.analysis.fit.matching.polar import ANGLES, angular_spectrum, polar_image
from pacbed.outline import find_outline
from pacbed.patterns import Geometry, polar_to_vector


@pytest.fixture(scope="module")
def library(tiny_bundle):
    return build_library(tiny_bundle.renderer, convergence_mrad=14.0, thickness_nm=(1.0, 10.0), mistilt_max_mrad=3.0)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("azimuth", [10.0, 100.0, 200.0, 330.0])
def test_the_first_match_is_near_the_truth(library, camera, azimuth, mirrored):
    """Any azimuth: in the wedge that was rendered, outside it by a rotation, outside it by a mirror."""
    geometry = Geometry((160, 150), 0.4, (70.3, 84.6), -33.0, mirrored)
    image = camera(thickness_nm=9.0, mistilt_mrad=2.5, azimuth_deg=azimuth, geometry=geometry)
    best = match(image, find_outline(image), library, mirrored=mirrored)[0].parameters
    frame = Geometry((1, 1), 1.0, (0.0, 0.0), best.rotation_deg, mirrored)
    truth = geometry.to_image(polar_to_vector(2.5, azimuth))
    assert best.thickness_nm == pytest.approx(9.0, abs=1.6)
    assert frame.to_image(np.array(best.mistilt_mrad)) == pytest.approx(truth, abs=1.2)
    assert best.center_px == pytest.approx(geometry.center_px, abs=2.0)
    assert best.pixel_mrad == pytest.approx(0.4, rel=0.05)


def test_matches_are_sorted_and_complete(library, camera):
    image = camera()
    found = match(image, find_outline(image), library)
    mismatch = [start.mismatch for start in found]
    assert mismatch == sorted(mismatch)
    assert 0 <= mismatch[0] < 0.3
    assert len(found) == 2 * len(library.thickness_nm)  # each entry and its mirror image


def test_starts_differ_and_cover_the_networks_candidates(library, camera):
    image = camera()
    matches = match(image, find_outline(image), library)
    starts = choose_starts(matches, count=3)
    assert len(starts) == 3
    assert starts[0] == matches[0]
    wanted = choose_starts(matches, count=1, thickness_nm=[2.0])
    assert wanted[-1].parameters.thickness_nm == pytest.approx(2.0, abs=2.0)
    assert len(wanted) == 2
    assert len(choose_starts(matches, count=1, thickness_nm=[matches[0].parameters.thickness_nm])) == 1


def test_a_pattern_of_the_library_itself_matches_nearly_perfectly(library, tiny_bundle):
    """An entry, rendered larger and turned: its thickness, tilt, rotation, centre and pixel come back."""
    index = int(np.flatnonzero(library.thickness_nm > 7.9)[-1])
    tilt = library.mistilt_mrad[index]
    geometry = Geometry((150, 140), 0.37, (66.0, 72.5), 33.0)
    image = tiny_bundle.renderer.render(
        thickness_nm=library.thickness_nm[index], convergence_mrad=14.0, geometry=geometry, mistilt_mrad=tilt,
        blur_mrad=0.5,
    )  # fmt: skip
    best = match(image, find_outline(image), library)[0]
    assert best.mismatch < 0.12
    assert best.parameters.thickness_nm == library.thickness_nm[index]
    assert best.parameters.mistilt_in_image() == pytest.approx(geometry.to_image(tilt), abs=0.15)
    assert best.parameters.pixel_mrad == pytest.approx(0.37, rel=0.02)
    assert best.parameters.center_px == pytest.approx(geometry.center_px, abs=0.6)


def test_the_nearest_match_is_the_best_of_those_near_a_thickness(library, camera):
    image = camera()
    matches = match(image, find_outline(image), library)
    for thickness in (2.0, 5.0, 9.0):
        at = match(image, find_outline(image), library.near(thickness))[0].parameters
        near = [start for start in matches if abs(start.parameters.thickness_nm - at.thickness_nm) < 1e-9]
        assert abs(at.thickness_nm - thickness) <= 2.0
        assert min(near, key=lambda start: start.mismatch).parameters == at


def test_a_thickness_stands_by_the_best_match_near_it(library, camera):
    image = camera()
    matches = match(image, find_outline(image), library)
    right, wrong = standing(matches, 8.0), standing(matches, 2.0)
    assert right.mismatch == right.best == wrong.best == matches[0].mismatch
    assert right.best_nm == pytest.approx(8.0, abs=1.5)
    assert wrong.mismatch > 1.5 * wrong.best
    beyond = standing(matches, 60.0)  # only the thickest are near
    assert beyond.mismatch == min(one.mismatch for one in matches if one.parameters.thickness_nm == 10.0)


def test_only_matches_nearly_as_good_as_the_best_are_started_from(library, camera):
    image = camera()
    matches = match(image, find_outline(image), library)
    every = choose_starts(matches, count=30)
    some = choose_starts(matches, count=30, within=2.0)
    assert 1 <= len(some) < len(every)
    assert some == [start for start in every if start.mismatch**2 <= 2.0 * every[0].mismatch ** 2]
    assert choose_starts(matches, count=30, within=1.0) == every[:1]


def test_matches_agree_with_the_correlation_of_turned_patterns(library, camera):
    """The definition, entry by entry: rings turned step by step, and their overlap."""
    image = camera()
    outline = find_outline(image)
    matches = match(image, outline, library)
    smooth = ndimage.gaussian_filter(image, IMAGE_SMOOTHING * outline.radius_px)
    rings = np.fft.irfft(angular_spectrum(polar_image(smooth, outline)), ANGLES, axis=1)
    count = len(library.thickness_nm)
    for place in (0, 5, len(matches) - 1):
        reflected, entry = divmod(int(matches.order[place]), count)
        spectrum = library.spectrum[entry].conj() if reflected else library.spectrum[entry]
        other = np.fft.irfft(spectrum, ANGLES, axis=1)
        overlap = [ANGLES * float(np.sum(rings * np.roll(other, turn, axis=1))) for turn in range(ANGLES)]
        best = max(overlap)
        assert matches[place].mismatch == pytest.approx(np.sqrt(1 - max(0.0, best) ** 2), abs=2e-3)
        assert overlap[round(matches.turns.turn_deg[entry + reflected * count] / 360 * ANGLES)] == pytest.approx(best)


def test_a_pattern_on_many_pixels_matches_as_on_few(library, tiny_bundle):
    """Of a camera of 16 million pixels, which is binned before it is smoothed."""
    settings = {"thickness_nm": 6.0, "convergence_mrad": 14.0, "mistilt_mrad": (1.0, 2.0), "blur_mrad": 0.3}
    few, many = Geometry((140, 150), 0.4, (70.0, 74.0), 20.0), Geometry((1120, 1200), 0.05, (563.5, 595.5), 20.0)
    found = []
    for geometry in (few, many):
        image = tiny_bundle.renderer.render(geometry=geometry, **settings)
        found.append(match(image, find_outline(image), library))
    coarse, fine = (one[0].parameters for one in found)
    assert (fine.thickness_nm, fine.mistilt_mrad) == (coarse.thickness_nm, coarse.mistilt_mrad)
    assert fine.pixel_mrad == pytest.approx(coarse.pixel_mrad / 8, rel=0.01)
    assert fine.center_px == pytest.approx(tuple(8 * value + 3.5 for value in coarse.center_px), abs=3)
    np.testing.assert_allclose(np.sort(found[1].mismatch), np.sort(found[0].mismatch), atol=0.01)
