from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.attempts.refining import forward_model, refine_from
from pacbed.analysis.fit.refinement import FINE
from pacbed.analysis.libraries.of_angle import library_for
from pacbed.analysis.options import Conditions, PredictOptions
from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.steps import network_answers, prepare
from pacbed.errors import ParameterError


@pytest.fixture(scope="module")
def ready(tiny_bundle, camera):
    image = camera()
    image[5, 7] = np.inf
    return prepare(tiny_bundle, image, PredictOptions(convergence_mrad=14.0))


def test_a_pattern_is_made_ready(ready):
    assert ready.conditions == Conditions(14.0)
    assert ready.picture.counts == {"missing": 1} and np.isfinite(ready.array).all()
    assert ready.outline.center_px == pytest.approx((70, 85), abs=4)
    assert ready.library.convergence_mrad == 14.0


def test_the_callers_word_counts_more_than_the_files(tiny_bundle, camera):
    stated = Pattern(camera(), Calibration(pixel_mrad=0.41, energy_kev=80.0, convergence_mrad=13.5))
    found = prepare(tiny_bundle, stated, PredictOptions(energy_kev=200.0, mirrored=True)).conditions
    assert found == Conditions(13.5, 200.0, 0.41, mirrored=True)


def test_a_path_a_pattern_and_an_array_are_the_same(ready, tiny_bundle_file, tmp_path):
    np.save(tmp_path / "film.npy", ready.recorded.array)
    again = prepare(str(tiny_bundle_file), tmp_path / "film.npy", PredictOptions(convergence_mrad=14.0))
    np.testing.assert_array_equal(again.array, ready.array)
    assert again.outline == ready.outline


def test_a_library_reaches_as_far_as_bundle_and_table_do(tiny_bundle):
    library = library_for(tiny_bundle, 14.03)
    assert library.convergence_mrad == 14.0
    low, high = tiny_bundle.meta.trained.thickness_nm
    assert library.thickness_nm.min() == low
    assert library.thickness_nm.max() == min(high, tiny_bundle.table.thickness_max_nm)
    largest = np.hypot(*library.mistilt_mrad.T).max()
    assert largest <= tiny_bundle.meta.trained.mistilt_mrad[1]
    assert largest <= tiny_bundle.renderer.mistilt_max_mrad(14.0)


def test_the_scale_loop_starts_from_the_pixel_that_is_known(ready):
    """The networks' answers multiply up from it to the last pixel, damped as in eq. (1) of Oberaigner et al. 2023."""
    settings = ready.bundle.meta.preprocessing
    answers = network_answers(replace(ready, conditions=Conditions(14.0, pixel_mrad=0.37)))
    pixel = 0.37
    for k, scale in enumerate(answers.scales):
        if abs(scale - 1) > settings.scale_tolerance:
            pixel *= (k + (settings.scale_iterations - k) * scale) / settings.scale_iterations
    assert answers.pixel_mrad == pytest.approx(pixel)


def test_without_a_pixel_the_bright_region_gives_one(ready):
    """The size of the library's bright regions over that of the pattern's; 0.4 mrad is the truth."""
    guess = float(np.median(ready.library.radius_mrad)) / ready.outline.radius_px
    assert guess == pytest.approx(0.4, rel=0.05)
    told = replace(ready, conditions=Conditions(14.0, pixel_mrad=guess))
    assert network_answers(ready).scales == network_answers(told).scales


def test_a_pixel_that_is_known_restrains_the_fit(ready, analysis):
    """A calibration that is twice too large, so that the pull exceeds a fit's last step, pulls the pixel its way."""
    told = replace(ready, conditions=Conditions(14.0, pixel_mrad=0.8))
    pulled, free = refine_from(told, [analysis.parameters]), analysis.result.pixel_mrad
    assert free.value < pulled.best.parameters.pixel_mrad < 0.8
    assert pulled.covariance.std.pixel_percent < 1.1 * 100 * free.std / free.value


def test_the_model_of_a_sheet_is_as_fine_as_the_last_fit(ready):
    across = np.sqrt(4 / np.pi * forward_model(ready).cutout.mask.sum())
    assert across == pytest.approx(FINE.pixels, rel=0.3)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (PredictOptions(), "convergence_mrad: got None.*does not state"),
        (PredictOptions(convergence_mrad=5.0), "convergence_mrad: got 5.0, accepted: a number from 6.5"),
        (PredictOptions(convergence_mrad=14.0, energy_kev=-1.0), "energy_kev: got -1.0, accepted: a number above 0"),
    ],
)
def test_bad_conditions_are_named(tiny_bundle, camera, options, text):
    with pytest.raises(ParameterError, match=text):
        prepare(tiny_bundle, camera(), options)


def test_a_mask_leaves_its_pixels_out_of_the_fit(tiny_bundle, camera):
    image, mask = camera(), np.zeros((160, 150), dtype=np.uint8)
    mask[:90, 66:78] = 1
    image[mask > 0] = 150
    ready = prepare(tiny_bundle, image, PredictOptions(convergence_mrad=14.0, mask=mask))
    assert ready.conditions.mask == "array"
    assert not ready.picture.used[mask > 0].any()
    assert forward_model(ready).cutout.mask.sum() < forward_model(prepared_clean(tiny_bundle, camera)).cutout.mask.sum()
    assert ready.outline.center_px == pytest.approx((70, 85), abs=5)


def prepared_clean(tiny_bundle, camera):
    return prepare(tiny_bundle, camera(), PredictOptions(convergence_mrad=14.0))
