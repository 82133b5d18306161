from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tifffile

from pacbed.analysis.attempts.refining import forward_model
from pacbed.analysis.fit.effects.gamma import Gamma
from pacbed.analysis.fit.effects.shading import Shading
from pacbed.analysis.fit.tried import TriedEffect
from pacbed.analysis.report import match_image as match_image_module
from pacbed.analysis.report.image_file import write_image
from pacbed.analysis.report.match_image import match_image
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS


@pytest.fixture(scope="module")
def found(analysis):
    return match_image(analysis)


def test_it_lies_on_the_pixels_of_the_pattern_in_its_counts(found, analysis):
    recorded = analysis.ready.array
    inside = np.isfinite(found)
    assert found.shape == recorded.shape and found.dtype == np.float32
    left = recorded[inside] - found[inside]
    assert abs(left.mean()) < 2e-3 * recorded[inside].mean()
    # Least squares of gain and background on these very pixels leaves hardly less.
    row, column = np.indices(recorded.shape)
    center, radius = analysis.ready.outline.center_px, analysis.ready.outline.radius_px
    distance = np.hypot(column - center[0], row - center[1]) / radius
    shapes = [found, np.ones(found.shape), *(np.exp(-0.5 * (distance / width) ** 2) for width in BACKGROUND_WIDTHS)]
    columns = np.stack([shape[inside] for shape in shapes], axis=1).astype(float)
    _, least, *_ = np.linalg.lstsq(columns, recorded[inside].astype(float), rcond=None)
    assert np.sum(left.astype(float) ** 2) < 1.02 * least[0]


def test_a_camera_of_many_pixels_gets_as_many(found, analysis, monkeypatch):
    """Rendered on fewer: here on half of them, which are as coarse as those of no camera that is binned."""
    monkeypatch.setattr(match_image_module, "MOST_PIXELS", max(found.shape) - 1)
    coarse = match_image(analysis)
    assert coarse.shape == found.shape and coarse.dtype == np.float32
    np.testing.assert_array_equal(np.isfinite(coarse), np.isfinite(found))
    inside = np.isfinite(found)
    assert np.std(coarse[inside] - found[inside]) < 0.02 * np.ptp(found[inside])


def test_only_the_circle_that_was_fitted_has_values(found, analysis):
    row, column = np.indices(found.shape)
    center, radius = analysis.ready.outline.center_px, analysis.ready.outline.radius_px
    distance = np.hypot(column - center[0], row - center[1]) / radius
    np.testing.assert_array_equal(np.isfinite(found), distance <= 1.35)


def test_a_mirrored_pattern_has_a_mirrored_match(analysis):
    """Turned and mirrored as the pattern is: the wrong hand fits worse."""
    at = replace(analysis.parameters, rotation_deg=analysis.parameters.rotation_deg + 20)
    wrong, right = match_image(replace(analysis, parameters=at)), match_image(analysis)
    left = [np.nanstd(analysis.ready.array - image) for image in (wrong, right)]
    assert left[0] > 1.5 * left[1]


@pytest.mark.parametrize("gamma", [1.0, 0.6])
def test_it_has_the_effects_of_the_answer_and_only_used_pixels_tell_the_gain(analysis, gamma):
    """A shaded picture, half of whose disk is masked; with a gamma in the second case, which the answer knows."""
    shading = partial(Shading().applied, amounts=np.array([4.0, 0.0]))
    power = partial(Gamma().applied, amounts=Gamma().amounts(gamma))
    changes = (shading,) if gamma == 1 else (shading, power)
    shaded = replace(analysis.refinement, changes=(shading,), model=shading(analysis.model))
    plain = replace(analysis, attempt=replace(analysis.attempt, refinement=shaded))
    truth = np.nan_to_num(match_image(plain))
    recorded = (truth.max() * (np.maximum(truth, 0) / truth.max()) ** gamma).astype(np.float32)
    used = np.indices(recorded.shape)[1] > analysis.ready.outline.center_px[0]
    picture = replace(analysis.ready.picture, array=recorded, used=used)
    ready = replace(analysis.ready, picture=picture)
    model = forward_model(ready)
    for change in changes:
        model = change(model)
    tried = TriedEffect("gamma", "", gamma, 0.01, 1.0, 0.5, True, 0.0, 0.0)
    refinement = replace(analysis.refinement, changes=changes, effects=(tried,), model=model)
    found = match_image(replace(analysis, attempt=replace(analysis.attempt, ready=ready, refinement=refinement)))
    inside = np.isfinite(found)
    left = found[inside] - recorded[inside]
    assert np.sqrt(np.mean(left**2)) < 0.01 * recorded.max()


def test_the_file_states_the_pixel_size(found, analysis, tmp_path):
    write_image(found, tmp_path / "match.tif", pixel_mrad=0.25)
    with tifffile.TiffFile(tmp_path / "match.tif") as file:
        across, unit = file.pages[0].tags["XResolution"].value, file.imagej_metadata["unit"]
        np.testing.assert_array_equal(file.asarray(), found)
    assert unit == "mrad" and across[1] / across[0] == pytest.approx(0.25)
