import numpy as np
import pytest

from pacbed.analysis.fit.absolute import Shares
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.vacuum.report import judge_intensity, judge_radius
from pacbed.analysis.verdicts.findings import Findings
from pacbed.patterns import Geometry, polar_to_vector

ELECTRONS = 2e7


@pytest.fixture(scope="module")
def session(tiny_bundle, vacuum, tmp_path_factory):
    """A pattern, and the options with the vacuum pattern of the same camera: 14 mrad on 35 pixels."""
    geometry = Geometry((160, 150), 0.4, (70.3, 84.6), 25.0)
    image = tiny_bundle.renderer.render(
        thickness_nm=8.0, convergence_mrad=14.0, mistilt_mrad=polar_to_vector(2.0, 70.0), geometry=geometry,
        blur_mrad=0.4,
    )  # fmt: skip
    file = tmp_path_factory.mktemp("vacuum") / "vacuum.npy"
    np.save(file, vacuum(radius_px=35.0, electrons=ELECTRONS / 4))
    pattern = np.random.default_rng(5).poisson(np.clip(image, 0, None) * ELECTRONS).astype(np.float32)
    return pattern, {"convergence_mrad": 14.0, "vacuum": file, "exposure_ratio": 4.0}


@pytest.fixture(scope="module")
def absolute(tiny_bundle, session):
    pattern, known = session
    return analyse(tiny_bundle, pattern, PredictOptions(**known)).result


def test_shares_of_the_beam_are_reported_and_lie_within_their_bounds(absolute):
    beam = absolute.beam
    low, high = beam.expected_share
    assert 0.7 < low < high < 1
    assert low * 0.98 < beam.fitted_share <= beam.recorded_share * 1.02 < high * 1.05
    assert not any("absolute intensity" in reason for reason in absolute.reasons)


def test_the_vacuum_disk_gives_angle_over_pixel(absolute, tiny_bundle, session):
    """Without a pixel size from elsewhere the disk ties it to the convergence angle."""
    pattern, _ = session
    free = analyse(tiny_bundle, pattern, PredictOptions(convergence_mrad=14.0)).result
    assert absolute.beam.radius_px == pytest.approx(35.0, abs=0.05)
    assert absolute.convergence_mrad.value / absolute.pixel_mrad.value == pytest.approx(35.0, rel=3e-3)
    assert absolute.pixel_mrad.std < 1.01 * free.pixel_mrad.std
    assert free.beam is None
    assert absolute.thickness_nm.value == pytest.approx(8.0, abs=0.15)


@pytest.mark.parametrize("ratio", [1.0, 8.0])
def test_a_beam_of_another_intensity_is_doubtful(tiny_bundle, session, ratio):
    pattern, known = session
    result = analyse(tiny_bundle, pattern, PredictOptions(**(known | {"exposure_ratio": ratio}))).result
    assert result.verdict == "doubtful"
    assert any(reason.startswith("absolute intensity: the pattern holds") for reason in result.reasons)
    assert result.thickness_nm.value == pytest.approx(8.0, abs=1.0)


def test_a_filtered_pattern_holds_less(tiny_bundle, session):
    pattern, known = session
    filtered = PredictOptions(**(known | {"zero_loss_nm": (100.0, 10.0)}))
    result = analyse(tiny_bundle, np.round(pattern * np.exp(-8.0 / 100.0)), filtered).result
    assert result.beam.expected_share[1] < np.exp(-7.9 / 100)
    assert result.beam.std_relative == pytest.approx(np.hypot(0.05, 0.08 * 0.1), rel=0.01)
    assert not any("absolute intensity" in reason for reason in result.reasons)
    assert result.thickness_nm.value == pytest.approx(8.0, abs=0.15)


@pytest.mark.parametrize(
    ("recorded", "fitted", "said"),
    [
        (0.9, 0.85, ""),
        (0.5, 0.5, "absolute intensity: the pattern holds 50 % of the beam, 80 to 95 % expected"),
        (1.2, 0.9, "absolute intensity: the pattern holds 120 % of the beam, 80 to 95 % expected"),
        (0.9, 0.5, "absolute intensity: 50 % of the beam looks like the best match, 80 to 95 % expected"),
    ],
)
def test_a_share_far_beyond_its_bounds_is_a_doubt(recorded, fitted, said):
    findings = Findings()
    judge_intensity(findings, Shares(recorded, fitted, 0.8, 0.95, 0.05))
    assert findings.reasons == ([said] if said else [])
    assert findings.verdict == ("doubtful" if said else "ok")


def test_a_disk_of_another_camera_length_is_a_doubt(absolute):
    findings = Findings()
    at = PatternParameters(8.0, (0.0, 0.0), (70.0, 80.0), 0.4, 0.0, 14.0, 0.4)
    judge_radius(findings, 35.2, at)
    assert not any(reason.startswith("vacuum pattern") for reason in [*findings.reasons, *absolute.reasons])
    judge_radius(findings, 38.5, at)
    assert findings.reasons == ["vacuum pattern: its disk has a radius of 38.5 pixels, the pattern fits 35.0"]
    assert findings.verdict == "doubtful"
