import numpy as np
import pytest

from pacbed.analysis.networks import Asked, ask_networks, framed
from pacbed.bundle.meta import Preprocessing
from pacbed.networks.calibration import Calibration
from pacbed.networks.classes import TaskClasses
from pacbed.networks.description import NetworkDescription
from pacbed.networks.frame import PolarFrame
from pacbed.networks.inputs import ConvergenceNormalisation
from pacbed.networks.trained import Answer
from pacbed.outline import Outline, find_outline


class StubbornScale:
    """A scale network that sees the true pixel size, or always the same scale."""

    class_values = np.round(np.arange(0.7, 1.41, 0.02), 2)
    pixels, max_angle_mrad = 32, 22.5
    description = NetworkDescription(
        TaskClasses("scale", class_values), pixels, max_angle_mrad, ConvergenceNormalisation(14.0, 1.0)
    )

    def __init__(self, scale):
        self.scale, self.images = scale, []

    def answer(self, image, convergence_mrad):
        self.images.append(image)
        scale = self.scale(len(self.images))
        weight = np.exp(-0.5 * ((self.class_values - scale) / 0.02) ** 2)
        return Answer(weight / weight.sum())


@pytest.fixture
def asked(tiny_bundle, camera):
    image = camera()

    def ask(scale, pixel):
        networks = {**tiny_bundle.networks, "scale": StubbornScale(scale)}
        return ask_networks(networks, Asked(image, find_outline(image), 14.0, pixel), Preprocessing(scale_iterations=5))

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


class PolarNetwork:
    """A network that answers with one class, and looks where a frame's brightest pixel lies."""

    def __init__(self, task, values, chosen, *, calibration=None):
        self.class_values = np.array(values)
        self.description = NetworkDescription(
            TaskClasses(task, self.class_values),
            64,
            22.5,
            ConvergenceNormalisation(14.0, 1.0),
            frame=PolarFrame(),
            calibration=calibration or Calibration(),
        )
        self.chosen, self.images = chosen, []

    def answer(self, image, convergence_mrad):
        self.images.append(image)
        probability = (np.arange(len(self.class_values)) == self.chosen).astype(float)
        y, x = np.unravel_index(np.argmax(image), image.shape)
        direction = complex(x - 31.5, y - 31.5)
        return Answer(probability, direction / abs(direction) if self.description.classes.task == "mistilt" else None)


@pytest.fixture
def spot():
    """A recorded pattern: a bright region of 60 pixels' radius, and a spot right of its centre and below."""

    def make(**changes):
        y, x = np.mgrid[:260, :240]
        array = ((x - 110) ** 2 + (y - 140) ** 2 < 60**2).astype(float)
        array += 3.0 * np.exp(-((x - 140) ** 2 + (y - 165) ** 2) / 50)
        return Asked(array, Outline((110.0, 140.0), 60.0, 5.0, 1.0), 14.0, 1.0, **changes)

    return make


@pytest.fixture
def polar():
    """Three polar networks."""
    calibration = Calibration(1.0, (0.0, 1.0), (0.01, 0.02))
    return {
        "scale": PolarNetwork("scale", [0.9, 1.0, 1.1, 1.2, 1.3], 2, calibration=calibration),
        "thickness": PolarNetwork("thickness", [10.0, 20.0, 30.0], 1),
        "mistilt": PolarNetwork("mistilt", [0.0, 1.0, 2.0], 2),
    }


def test_the_frame_holds_the_bright_region(spot):
    """A disk of the frame's unit radius, about the middle."""
    image = framed(spot(), PolarFrame())
    y, x = (np.mgrid[:64, :64] + 0.5) / 32 - 1
    radius = 1.8 * np.hypot(x, y)
    assert image[(radius < 0.9)].min() > 0.9
    assert np.abs(image[radius > 1.1]).max() < 0.1


def test_a_large_camera_is_seen_as_a_small_one(spot):
    asked = spot()
    large = np.kron(asked.array, np.ones((4, 4)))
    outline = Outline((4 * 110 + 1.5, 4 * 140 + 1.5), 240.0, 5.0, 1.0)
    frame = PolarFrame()
    np.testing.assert_allclose(framed(Asked(large, outline, 14.0, 1.0), frame), framed(asked, frame), atol=0.15)


def test_polar_networks_need_no_pixel_size_and_give_it(polar, spot):
    """The radius of the bright region is the scale times the convergence angle."""
    answers = ask_networks(polar, spot(), Preprocessing())
    assert answers.reference_pixel_mrad == pytest.approx(14.0 / 60)
    assert answers.pixel_mrad == pytest.approx(1.1 * 14.0 / 60)
    assert answers.pixel_std_mrad == pytest.approx(0.01 * 14.0 / 60)
    assert answers.scales == pytest.approx((1.1,))
    assert answers.scale_converged
    assert answers.candidates[0].value == 20.0
    assert answers.mistilt.value == 2.0
    assert [len(network.images) for network in polar.values()] == [1, 1, 1]


@pytest.mark.parametrize("end", [0, 4])
def test_a_scale_at_the_end_of_its_range_is_none(polar, spot, end):
    polar["scale"].chosen = end
    assert not ask_networks(polar, spot(), Preprocessing()).scale_converged


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_direction_is_that_in_the_image_of_the_camera(polar, spot, mirrored):
    """The spot lies 30 pixels right and 25 below, whether or not the camera mirrors the pattern."""
    direction = ask_networks(polar, spot(mirrored=mirrored), Preprocessing()).direction
    assert direction.azimuth == pytest.approx(np.arctan2(25, 30), abs=0.06)
