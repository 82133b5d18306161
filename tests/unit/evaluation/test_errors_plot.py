import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.evaluation.errors_plot import Example, plot_errors
from pacbed.evaluation.scores import FLOOR, Score

RNG = np.random.default_rng(2)
BLUE, ORANGE, GREY = (0, 114, 178), (230, 159, 0), (153, 153, 153)  # refinement, networks, nearest image
EXAMPLES = [Example(0.0, np.zeros((16, 16))), Example(0.1, np.ones((16, 16)))]


def score(method, noise, pattern, error):
    thickness = 20.0 + pattern
    return Score(
        method, noise, pattern, thickness, 1.0, 13.5, thickness_nm=None if method == FLOOR else thickness + error,
        thickness_error_nm=error, mistilt_error_mrad=0.1 * abs(error),
    )  # fmt: skip


def scores(*methods):
    return [
        score(method, noise, pattern, float(RNG.normal(0, 0.1 + noise)))
        for method in methods
        for noise in (0.0, 0.1)
        for pattern in range(3)
    ]


def has(image, colour, near=12):
    return bool((np.abs(image[..., :3].astype(int) - colour).max(axis=-1) < near).any())


@pytest.fixture
def drawn(tmp_path):
    def draw(shown, examples=EXAMPLES):
        plot_errors(shown, examples, tmp_path / "errors.png")
        assert [path.name for path in tmp_path.iterdir()] == ["errors.png"]
        return iio.imread(tmp_path / "errors.png")

    return draw


def test_every_method_is_drawn_in_its_colour(drawn):
    image = drawn(scores("networks", "refinement", FLOOR))
    assert has(image, BLUE) and has(image, ORANGE)
    alone = drawn(scores("networks"))
    assert has(alone, ORANGE) and not has(alone, BLUE)


def test_examples_stand_above_the_errors(drawn):
    image = drawn(scores("networks"))
    third = len(image) // 3
    assert has(image[:third], (0, 0, 0), near=1)  # the dark example
    more = drawn(scores("networks"), [*EXAMPLES, *EXAMPLES, *EXAMPLES, *EXAMPLES])
    assert more.shape == image.shape, "six of eight are shown"


def test_a_method_without_answers_leaves_the_rest(drawn):
    silent = [Score("nearest_image", noise, 0, 20.0, 1.0, 13.5) for noise in (0.0, 0.1)]
    assert has(drawn([*scores("refinement"), *silent]), BLUE)
