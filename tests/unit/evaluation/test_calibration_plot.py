import imageio.v3 as iio
import numpy as np

from pacbed.evaluation.answers import Answer
from pacbed.evaluation.calibration_plot import plot_calibration

BLUE, ORANGE = (0, 114, 178), (230, 159, 0)


def answers(method, count):
    errors = np.random.default_rng(3).normal(0, 0.2, count)
    return [
        Answer("varied", 0.1, None, number, method, 20.0, 1.0, 1.0, 13.5, thickness_nm=20 + float(error),
               thickness_std_nm=0.3, thickness_std_statistical_nm=0.2)
        for number, error in enumerate(errors)
    ]  # fmt: skip


def has(image, colour):
    return bool((np.abs(image[..., :3].astype(int) - colour).max(axis=-1) < 12).any())


def test_methods_with_enough_answers_are_drawn(tmp_path):
    groups = {"varied": [*answers("networks_refinement", 40), *answers("networks", 3)]}
    plot_calibration(groups, tmp_path / "one.png", "varied crystals")
    image = iio.imread(tmp_path / "one.png")
    assert has(image, BLUE) and not has(image, ORANGE)
    plot_calibration(groups | {"rendered": answers("networks", 40)}, tmp_path / "two.png")
    both = iio.imread(tmp_path / "two.png")
    assert has(both, BLUE) and has(both, ORANGE) and both.shape[1] > image.shape[1]
