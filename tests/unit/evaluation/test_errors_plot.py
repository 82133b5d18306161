import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.evaluation.answers import FLOOR, Answer
from pacbed.evaluation.errors_plot import Example, plot_errors

RNG = np.random.default_rng(2)
BLUE, ORANGE = (0, 114, 178), (230, 159, 0)  # refinement, networks
EXAMPLES = [Example("0", np.zeros((16, 16))), Example("0.1", np.ones((16, 16)))]


def answer(method, sigma, pattern, error, electrons=None):
    thickness = 20.0 + pattern
    return Answer(
        "rendered", sigma, electrons, pattern, method, thickness, 1.0, 1.0, 13.5,
        thickness_nm=None if method == FLOOR or error is None else thickness + error,
        thickness_std_nm=0.1 if method == FLOOR else None,
        mistilt_vector_error_mrad=None if error is None else 0.1 * abs(error),
    )  # fmt: skip


def answers(*methods):
    return [
        answer(method, sigma, pattern, float(RNG.normal(0, 0.1 + sigma)), electrons)
        for method in methods
        for sigma, electrons in ((0.0, None), (0.1, None), (0.0, 1e5))
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
    image = drawn(answers("networks", "networks_refinement", FLOOR))
    assert has(image, BLUE) and has(image, ORANGE)
    alone = drawn(answers("networks"))
    assert has(alone, ORANGE) and not has(alone, BLUE)


def test_examples_stand_above_the_errors(drawn):
    image = drawn(answers("networks"))
    third = len(image) // 3
    assert has(image[:third], (0, 0, 0), near=1)  # the dark example
    more = drawn(answers("networks"), [*EXAMPLES, *EXAMPLES, *EXAMPLES, *EXAMPLES])
    assert more.shape == image.shape, "the first eight are shown"


def test_examples_of_other_levels_are_left_out(drawn):
    shown = answers("networks")
    with_examples, elsewhere = drawn(shown), drawn(shown, [Example("0.02", np.ones((16, 16)))])
    assert len(elsewhere) < 0.8 * len(with_examples)
    assert np.array_equal(elsewhere, drawn(shown, []))


def test_the_floor_of_a_level_without_neighbours_is_seen(drawn):
    """A line through one point draws nothing."""
    noisy = [one for one in answers("networks", FLOOR) if one.sigma]
    image = drawn(noisy, [])[..., :3].astype(int)
    inside = slice(int(0.12 * image.shape[1]), int(0.28 * image.shape[1]))  # of the first axes
    dark = (image[:, inside] < 60).all(axis=-1).mean(axis=1)
    top, bottom = np.flatnonzero(dark > 0.95)[[0, -1]]
    assert np.any(dark[top + 3 : bottom - 3] > 0.3)


def test_a_method_without_answers_leaves_the_rest(drawn):
    silent = [answer("least_squares_no_tilt", sigma, 0, None) for sigma in (0.0, 0.1)]
    assert has(drawn([*answers("networks_refinement"), *silent]), BLUE)
