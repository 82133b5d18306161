import inspect

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import pacbed
from pacbed.analysis import predict as prediction
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse, predict
from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.errors import ParameterError, PatternError
from pacbed.patterns import Geometry, polar_to_vector


def test_a_pattern_gives_back_what_it_was_made_from(analysis):
    result = analysis.result
    truth = Geometry((1, 1), 1.0, (0.0, 0.0), 25.0).to_image(polar_to_vector(2.0, 70.0))
    assert result.thickness_nm.value == pytest.approx(8.0, abs=0.15)
    assert result.mistilt_mrad.value == pytest.approx(2.0, abs=0.15)
    assert (result.mistilt_x_mrad.value, result.mistilt_y_mrad.value) == pytest.approx(truth, abs=0.15)
    assert result.mistilt_azimuth_deg.value == pytest.approx(95.0, abs=5)
    assert result.pixel_mrad.value == pytest.approx(0.4, rel=0.01)
    assert result.scale.value == pytest.approx(0.4 / (45 / 32), rel=0.01)
    assert result.rotation_deg.value == pytest.approx(25.0, abs=1.5)
    assert result.convergence_mrad.value == pytest.approx(14.0, abs=0.1)
    assert result.blur_mrad.value == pytest.approx(0.4, abs=0.15)
    assert result.thickness_nm.std_model == pytest.approx(0.02 * result.thickness_nm.value)
    assert result.verdict == "ok"
    assert set(result.networks) == {"scale", "thickness", "mistilt"}


def test_the_same_input_gives_the_same_result(tiny_bundle, camera, analysis):
    assert predict(tiny_bundle, camera(), convergence_mrad=14.0) == analysis.result


def test_provenance_names_input_bundle_and_everything_assumed(tiny_bundle, analysis):
    source = analysis.result.provenance
    assert source.bundle_sha256 == tiny_bundle.sha256
    assert len(source.input_sha256) == 64
    assert source.parameters["given"] == {
        "convergence_mrad": 14.0, "energy_kev": None, "pixel_mrad": None, "mirrored": False, "mask": None
    }  # fmt: skip
    assert source.parameters["center_px"] == pytest.approx([70.3, 84.6], abs=0.5)
    assert {"priors", "thresholds", "preprocessing", "model_error", "scale_converged"} <= set(source.parameters)
    assert {"pacbed", "numpy", "python"} <= set(source.versions)


def test_what_the_file_states_is_used_and_overridden(tiny_bundle, camera):
    stated = Pattern(camera(), Calibration(pixel_mrad=0.4, energy_kev=300.0, convergence_mrad=14.0))
    result = predict(tiny_bundle, stated)
    assert result.verdict == "refused"
    assert "300 kV" in result.reasons[0]
    assert predict(tiny_bundle, stated, energy_kev=200.0).verdict == "ok"


def test_a_mirrored_camera_gives_the_mirrored_tilt(tiny_bundle, camera):
    geometry = Geometry((160, 150), 0.4, (70.3, 84.6), 25.0, mirrored=True)
    result = predict(tiny_bundle, camera(geometry=geometry), convergence_mrad=14.0, mirrored=True)
    truth = geometry.to_image(polar_to_vector(2.0, 70.0))
    assert (result.mistilt_x_mrad.value, result.mistilt_y_mrad.value) == pytest.approx(truth, abs=0.15)


def test_noise_is_refused(tiny_bundle):
    noise = np.random.default_rng(0).normal(100, 5, (100, 100))
    result = predict(tiny_bundle, noise, convergence_mrad=14.0)
    assert result.verdict == "refused"


def test_without_refinement_the_networks_decide(tiny_bundle, camera):
    result = analyse(tiny_bundle, camera(), PredictOptions(convergence_mrad=14.0, refine=False)).result
    assert result.thickness_nm.value == result.thickness_candidates[0].value
    assert 0 < result.misfit < 1  # of a rendered pattern near it
    assert not result.provenance.parameters["refined"]
    assert result.rotation_deg is None
    assert result.mistilt_azimuth_deg is None
    assert result.verdict in ("ok", "doubtful")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "convergence_mrad: got None.*does not state"),
        ({"convergence_mrad": 40.0}, "convergence_mrad: got 40.0, accepted: a number from"),
        ({"convergence_mrad": float("nan")}, "convergence_mrad: got nan"),
        ({"convergence_mrad": -3.0}, "convergence_mrad: got -3"),
        ({"convergence_mrad": 14.0, "pixel_mrad": 0.0}, "pixel_mrad: got 0"),
        ({"convergence_mrad": 14.0, "energy_kev": float("inf")}, "energy_kev: got inf"),
    ],
)
def test_bad_options_are_named(tiny_bundle, camera, options, text):
    with pytest.raises(ParameterError, match=text):
        predict(tiny_bundle, camera(), **options)


def test_a_stack_of_patterns_is_refused_with_its_shape(tiny_bundle):
    with pytest.raises(PatternError, match=r"\(4, 4, 64, 64\)"):
        predict(tiny_bundle, np.ones((4, 4, 64, 64)), convergence_mrad=14.0)


def test_the_signature_shows_every_option(tiny_bundle):
    """But for the mask: in Python, pixels that do not count are NaN."""
    shown = inspect.signature(pacbed.predict).parameters
    options = {name: one for name, one in inspect.signature(PredictOptions).parameters.items() if name != "mask"}
    assert list(shown) == ["bundle", "pattern", *options]
    for name, option in options.items():
        assert shown[name].default == option.default
        assert shown[name].kind is inspect.Parameter.KEYWORD_ONLY


def test_a_misspelt_option_is_named(tiny_bundle):
    with pytest.raises(TypeError, match="convergance_mrad"):
        pacbed.predict(tiny_bundle, np.ones((64, 64)), convergance_mrad=14.0)
    with pytest.raises(TypeError, match="mirored"):
        PredictOptions(mirored=True)


def test_every_option_of_the_guide_is_taken(tiny_bundle, tmp_path):
    """Two data sets in one file, of a mirrored camera, with a calibration the file does not state; no refinement."""
    import h5py

    image = pacbed.render(tiny_bundle, thickness_nm=6.0, convergence_mrad=14.0, mistilt_mrad=1.0, pixels=64)
    with h5py.File(tmp_path / "two.h5", "w") as store:
        store["dark"], store["film"] = np.eye(64), image
    result = pacbed.predict(
        tiny_bundle, tmp_path / "two.h5", convergence_mrad=14.0, energy_kev=200.0, pixel_mrad=0.7, dataset="film",
        mirrored=True, refine=False,
    )  # fmt: skip
    given = {"convergence_mrad": 14.0, "energy_kev": 200.0, "pixel_mrad": 0.7, "mirrored": True, "mask": None}
    assert result.provenance.parameters["given"] == given
    assert result.provenance.parameters["refined"] is False


def test_a_bundle_without_networks_gives_the_same_answer_and_says_so(analysis, bare_analysis):
    alone, result = bare_analysis.result, analysis.result
    assert alone.thickness_nm.value == pytest.approx(result.thickness_nm.value, abs=0.02)
    assert alone.mistilt_mrad.value == pytest.approx(result.mistilt_mrad.value, abs=0.02)
    assert alone.verdict == "ok"
    assert alone.networks == {} and alone.thickness_candidates == []
    assert any(reason.startswith("no networks in this bundle") for reason in alone.reasons)
    assert alone.provenance.parameters["scale_rounds"] is None


@pytest.mark.parametrize("thickness_nm", [5.0, 9.5])
def test_without_networks_other_thicknesses_are_found_as_well(bare_bundle, camera, thickness_nm):
    result = predict(bare_bundle, camera(thickness_nm=thickness_nm), convergence_mrad=14.0)
    assert result.thickness_nm.value == pytest.approx(thickness_nm, abs=0.2)


def test_networks_alone_need_networks(bare_bundle, camera):
    with pytest.raises(ParameterError, match=r"refine: got False.*no networks in this bundle"):
        predict(bare_bundle, camera(), convergence_mrad=14.0, refine=False)


def test_numerical_libraries_have_one_thread_inside_and_theirs_again_after(tiny_bundle, camera, monkeypatch):
    def threads():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    inside, judged = [], prediction.judge_input
    monkeypatch.setattr(prediction, "judge_input", lambda *given: inside.append(threads()) or judged(*given))
    with threadpool_limits(2):
        predict(tiny_bundle, camera(), convergence_mrad=14.0)
        assert (inside, threads()) == ([{1}], {2})
