import numpy as np
import pytest

from pacbed.analysis.networks import ask_networks, find_peaks, main_peak
from pacbed.analysis.recording.outline import find_outline
from pacbed.bundle.meta import Preprocessing

CLASSES = np.arange(1.0, 101.0)


def gaussians(*peaks):
    total = sum(share * np.exp(-0.5 * ((CLASSES - center) / 1.0) ** 2) for center, share in peaks)
    return total / total.sum()


def test_candidates_are_the_peaks_likeliest_first():
    peaks = find_peaks(gaussians((20.3, 0.3), (60.6, 0.6), (90, 0.1)), CLASSES, width=3, count=3, least=0.03)
    assert [peak.value for peak in peaks] == pytest.approx([60.6, 20.3, 90.0], abs=0.05)
    assert [peak.probability for peak in peaks] == pytest.approx([0.6, 0.3, 0.1], abs=0.01)
    assert peaks[0].std == pytest.approx(1.0, abs=0.1)


def test_the_shoulder_of_a_peak_is_no_candidate():
    shoulder = gaussians((52, 0.8), (48.4, 0.15), (30, 0.05))
    assert [round(peak.value) for peak in find_peaks(shoulder, CLASSES, width=2, count=3, least=0.03)] == [52, 48, 30]
    slope = np.where(CLASSES <= 50, np.exp((CLASSES - 50) / 5), 0.0)
    assert len(find_peaks(slope / slope.sum(), CLASSES, width=3, count=3, least=0.03)) == 1


def test_a_certain_network_has_one_candidate():
    certain = np.zeros(100)
    certain[41] = 1.0
    peaks = find_peaks(certain, CLASSES, width=3, count=3, least=0.03)
    assert [(peak.value, peak.std, peak.probability) for peak in peaks] == [(42.0, 0.0, 1.0)]


def test_main_peak_leaves_the_rest_out():
    assert main_peak(gaussians((20, 0.7), (60, 0.3)), CLASSES, width=5).value == pytest.approx(20, abs=0.01)
    assert main_peak(gaussians((20, 0.7), (60, 0.3)), CLASSES, width=np.inf).value == pytest.approx(32, abs=0.1)


class StubbornScale:
    """A scale network that sees the true pixel size, or always the same scale."""

    class_values = np.round(np.arange(0.7, 1.41, 0.02), 2)
    pixels, max_angle_mrad = 32, 22.5

    def __init__(self, answer):
        self.answer, self.images = answer, []

    def probability(self, image, convergence_mrad):
        self.images.append(image)
        scale = self.answer(len(self.images))
        weight = np.exp(-0.5 * ((self.class_values - scale) / 0.02) ** 2)
        return weight / weight.sum()


@pytest.fixture
def asked(tiny_bundle, camera):
    image = camera()

    def ask(answer, pixel):
        networks = {**tiny_bundle.networks, "scale": StubbornScale(answer)}
        settings = Preprocessing(scale_iterations=5)
        return ask_networks(
            networks, image, find_outline(image), convergence_mrad=14.0, pixel_mrad=pixel, settings=settings
        )

    return ask


def test_scale_loop_converges_and_damps(asked):
    pixel = [0.5]

    def answer(count):
        scale = 0.4 / pixel[-1]
        pixel.append(pixel[-1] * ((count - 1) + (6 - count) * scale) / 5)  # eq. (1) of the paper
        return scale

    answers = asked(answer, 0.5)
    assert answers.scale_converged
    assert answers.pixel_mrad == pytest.approx(0.4, rel=0.03)
    assert len(answers.scales) == 2


def test_a_loop_that_does_not_converge_says_so(asked):
    answers = asked(lambda count: 1.2, 0.4)
    assert not answers.scale_converged
    assert answers.scales == pytest.approx([1.2] * 5, abs=1e-3)
    steps = [1.2, (1 + 4 * 1.2) / 5, (2 + 3 * 1.2) / 5, (3 + 2 * 1.2) / 5, (4 + 1.2) / 5]
    assert answers.pixel_mrad == pytest.approx(0.4 * np.prod(steps), rel=1e-3)
    assert answers.reference_pixel_mrad == pytest.approx(0.4 * np.prod(steps[:4]), rel=1e-3)


def test_networks_answer_for_every_task(asked, tiny_bundle):
    answers = asked(lambda count: 1.0, 0.4)
    assert set(answers.probabilities) == {"scale", "thickness", "mistilt"}
    assert answers.probabilities["thickness"].sum() == pytest.approx(1)
    assert 1 <= len(answers.candidates) <= 3
    assert answers.pixel_mrad == 0.4
