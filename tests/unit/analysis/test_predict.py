import json

import numpy as np
import pytest
import tifffile

from pacbed.analysis.predict import analyse, predict, render
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.report.predict_pattern import predict_pattern
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
        "convergence_mrad": 14.0, "energy_kev": None, "pixel_mrad": None, "mirrored": False
    }  # fmt: skip
    assert source.parameters["center_px"] == pytest.approx([70.3, 84.6], abs=0.5)
    assert {"priors", "thresholds", "preprocessing", "model_error", "scale_converged"} <= set(source.parameters)
    assert {"pacbed", "numpy", "python"} <= set(source.versions)


def test_what_the_file_states_is_used_and_overridden(tiny_bundle, camera):
    stated = Pattern(camera(), pixel_mrad=0.4, energy_kev=300.0, convergence_mrad=14.0)
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
    result = analyse(tiny_bundle, camera(), convergence_mrad=14.0, refine=False).result
    assert result.thickness_nm.value == result.thickness_candidates[0].value
    assert result.misfit is None
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


def test_result_and_sheet_are_written(tiny_bundle, camera, tmp_path):
    tifffile.imwrite(tmp_path / "film.tif", camera().astype(np.uint16))
    files = {"out_json": tmp_path / "out" / "film.json", "out_png": tmp_path / "out" / "film.png"}
    result = predict_pattern(tiny_bundle, tmp_path / "film.tif", convergence_mrad=14.0, **files)
    assert json.loads(files["out_json"].read_text())["provenance"]["input"] == "film.tif"
    assert result.thickness_nm.value == pytest.approx(8.0, abs=0.2)
    assert files["out_png"].read_bytes()[:4] == b"\x89PNG"
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["film.json", "film.png"]


def test_rendering_uses_the_bundles_frame_by_default(tiny_bundle):
    image = render(tiny_bundle, thickness_nm=5.0, convergence_mrad=14.0)
    direct = tiny_bundle.renderer.render(
        thickness_nm=5.0, convergence_mrad=14.0, geometry=Geometry.field_of_view(32, 22.5)
    )
    np.testing.assert_array_equal(image, direct)
    other = render(
        tiny_bundle,
        thickness_nm=5.0,
        convergence_mrad=14.0,
        mistilt_mrad=2.0,
        azimuth_deg=90.0,
        pixels=20,
        max_angle_mrad=18,
    )
    assert other.shape == (20, 20)
    assert not np.allclose(other, other[::-1], rtol=1e-3)
    np.testing.assert_allclose(other, other[:, ::-1], rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [{"thickness_nm": 99.0}, {"pixels": 0}, {"pixels": 100_000}, {"max_angle_mrad": 500.0}, {"mistilt_mrad": 30}],
)
def test_rendering_outside_the_bundle_is_refused(tiny_bundle, options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        render(tiny_bundle, **{"thickness_nm": 5.0, "convergence_mrad": 14.0, **options})
