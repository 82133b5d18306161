from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.analysis.maps.answer import NUMBERS, WindowAnswer, answer_of
from pacbed.analysis.maps.window_answer import WindowFitter
from pacbed.analysis.options import Conditions
from pacbed.analysis.recording.pattern_file import pattern_from_array


@pytest.fixture(scope="module")
def fitter(tiny_bundle, constants):
    return WindowFitter(tiny_bundle, Conditions(13.8, 200.0), constants, None)


def recorded(bundle, constants, thickness_nm, electrons=1e6, seed=1):
    at = constants.applied_to(PatternParameters(thickness_nm, (0.8, 0.4), (31.0, 32.0), 1.0, 0.0, 13.8, 0.4))
    image = render_pattern(bundle.renderer, at, at.geometry((64, 64), mirrored=constants.mirrored))
    return pattern_from_array(np.random.default_rng(seed).poisson(electrons * np.maximum(image, 0)).astype(np.float32))


@pytest.mark.parametrize("thickness_nm", [4.3, 6.1, 8.7])
def test_a_window_finds_its_thickness_and_says_ok(tiny_bundle, constants, fitter, thickness_nm):
    found = fitter.answer(recorded(tiny_bundle, constants, thickness_nm))
    assert found.thickness_nm == pytest.approx(thickness_nm, abs=0.4)
    assert found.verdict == "ok" and 0.5 < found.chi_square < 1.6
    assert found.thickness_std_statistical_nm >= np.hypot(constants.thickness_std_nm, constants.effects_nm)
    assert found.thickness_std_model_nm > 0 and found.bright_field > 0


def test_a_bare_disk_is_vacuum_and_has_no_thickness(tiny_bundle, constants, fitter):
    found = fitter.answer(recorded(tiny_bundle, constants, 0.0))
    assert found.verdict == "vacuum" and np.isnan(found.thickness_nm)
    assert found.reasons == ("no crystal: a bare disk fits as well",)


def test_another_voltage_is_refused(tiny_bundle, constants):
    other = WindowFitter(tiny_bundle, Conditions(13.8, 300.0), constants, None)
    assert other.answer(recorded(tiny_bundle, constants, 6.0)).verdict == "refused"


def test_a_pattern_of_nothing_is_not_believed(fitter):
    rng = np.random.default_rng(3)
    rings = 50 + 40 * np.sin(np.hypot(*np.indices((64, 64)) - 31) / 2)
    found = fitter.answer(pattern_from_array(rng.poisson(rings).astype(np.float32)))
    assert found.verdict in ("doubtful", "refused") and found.reasons


def test_a_masked_part_does_not_count(tiny_bundle, constants):
    """A bright spot below the mask is as if it were not there."""
    mask = np.zeros((64, 64), dtype=bool)
    mask[20:26, 20:26] = True
    clean = recorded(tiny_bundle, constants, 6.0)
    spoilt = replace(clean, array=np.where(mask, 1e5, clean.array).astype(np.float32))
    fitter = WindowFitter(tiny_bundle, Conditions(13.8, 200.0), constants, mask)
    assert fitter.answer(spoilt).thickness_nm == pytest.approx(fitter.answer(clean).thickness_nm, abs=1e-3)


def test_a_single_prediction_becomes_a_window(analysis):
    result = analysis.result
    found = answer_of(result, (31.0, 32.0), 7.0)
    assert found.thickness_nm == result.thickness_nm.value and found.center_x_px == 31.0
    assert found.mistilt_x_std_mrad == result.mistilt_x_mrad.std and found.bright_field == 7.0
    assert found.vacuum_share == 0.0  # it was tried, and not adopted
    undirected = result.model_copy(update={"mistilt_x_mrad": None, "misfit": None, "effects": None})
    bare = answer_of(undirected, (31.0, 32.0), 7.0)
    assert np.isnan([bare.mistilt_x_mrad, bare.misfit, bare.vacuum_share]).all()


def test_a_window_without_an_answer_knows_nothing():
    assert np.isnan([getattr(WindowAnswer(), name) for name in NUMBERS]).all()
    assert WindowAnswer().verdict == "unusable"
