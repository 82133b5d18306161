from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.cutout import FITTED_RADIUS, Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import NAMES
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.sensitivity import jacobian, rms
from pacbed.evaluation.budget.aperture_table import ApertureNumerics
from pacbed.evaluation.budget.thickness_bias import CUTOUT_PIXELS, Camera, biases_nm, refit
from pacbed.outline import find_outline
from pacbed.patterns import polar_to_vector

CAMERA = Camera(14.0)
TILT = tuple(float(value) for value in polar_to_vector(1.5, 20.0))


@pytest.fixture(scope="module")
def numerics(srtio3_slices, budget_settings):
    settings = budget_settings({"coarser_pitch": 1.0}, direction_pitch_mrad=0.8)
    return ApertureNumerics.of(srtio3_slices, settings, pixel_mrad=CAMERA.pixel_mrad)


@pytest.fixture(scope="module")
def tables(numerics, srtio3_slices, tmp_path_factory):
    """Renderers: the crystal, and ones whose atoms scatter 3 % more and less strongly."""
    folder = tmp_path_factory.mktemp("aperture")

    def make(name, factor):
        slices = replace(srtio3_slices, potential=srtio3_slices.potential * np.float32(factor))
        return numerics.renderer(slices, cone_mrad=17.5, thickness_max_nm=14.0, folder=folder / name)

    return {name: make(name, factor) for name, factor in (("model", 1.0), ("stronger", 1.03), ("weaker", 0.97))}


def test_a_pattern_of_the_model_itself_has_no_bias(tables):
    truths = [CAMERA.truth(t, tilt) for t in (5.0, 10.0) for tilt in ((0.0, 0.0), TILT)]
    found = biases_nm(tables["model"], CAMERA, lambda at: CAMERA.record(tables["model"], at), truths)
    assert found == pytest.approx([0.0] * 4, abs=1e-3)


def linear_response_nm(model, image, at):
    """Thickness step of least squares with the Jacobian of the analysis."""
    forward = ForwardModel(model, Cutout.around(image, find_outline(image), pixels=CUTOUT_PIXELS))
    residual = forward.residual(at)
    restraints = Restraints(at.convergence_mrad, 0.02 * at.convergence_mrad)
    slopes = jacobian(forward, at, restraints, rms(residual))
    target = np.concatenate([residual, np.zeros(len(slopes) - len(residual))])
    return float(-np.linalg.lstsq(slopes, target, rcond=None)[0][NAMES.index("thickness_nm")])


@pytest.mark.parametrize("tilt", [(0.0, 0.0), TILT], ids=["on", "off"])
@pytest.mark.parametrize("thickness_nm", [7.0, 11.0])
def test_stronger_scattering_looks_thicker_as_the_linear_response_says(tables, thickness_nm, tilt):
    at = CAMERA.truth(thickness_nm, tilt)
    found = {}
    for name in ("stronger", "weaker"):
        image = CAMERA.record(tables[name], at)
        found[name] = refit(tables["model"], image, at).parameters.thickness_nm - thickness_nm
        assert found[name] == pytest.approx(linear_response_nm(tables["model"], image, at), rel=0.25)
    assert found["stronger"] > 0.05
    assert found["weaker"] < -0.05


def test_the_fitted_circle_lies_in_the_picture_at_its_own_resolution():
    for angle in (5.0, 14.0, 25.0):
        camera = Camera(angle)
        assert 2 * FITTED_RADIUS * angle / camera.pixel_mrad == pytest.approx(CUTOUT_PIXELS)
        column, row = camera.geometry.center_px
        assert min(column, row) > FITTED_RADIUS * angle / camera.pixel_mrad
    assert CAMERA.truth(5.0, TILT).mistilt_mrad == TILT
