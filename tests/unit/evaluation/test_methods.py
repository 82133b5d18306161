from dataclasses import replace

import numpy as np
import pytest

from pacbed.evaluation.answers import FLOOR, METHODS, RENDERED, AnswerBook, Key, Recording
from pacbed.evaluation.methods import Workshop, answer_all, without_networks
from pacbed.evaluation.noise import Noise
from pacbed.evaluation.truths import Stack, draw_truths

LEVELS = [Noise(0.0), Noise(0.2), Noise(0.0, 1e6)]


@pytest.fixture(scope="module")
def stack(parts):
    return Stack.load(parts["stack_dir"])


@pytest.fixture(scope="module")
def truths(tiny_bundle, stack):
    return list(draw_truths(tiny_bundle.renderer, stack, 2, rng=np.random.default_rng(4)))


@pytest.fixture(scope="module")
def file(tiny_bundle, stack, truths, tmp_path_factory):
    file = tmp_path_factory.mktemp("answers") / "answers.jsonl"
    answer_all(Workshop(tiny_bundle, stack, seed=4), AnswerBook(file, {}), RENDERED, truths, LEVELS)
    return file


@pytest.fixture
def answers(file):
    return AnswerBook(file, {}).answers


def test_every_method_answers_every_pattern_at_every_level(answers):
    asked = {Key(RENDERED, level.label, n, method) for level in LEVELS for n in (0, 1) for method in METHODS}
    assert asked <= answers.keys()
    assert answers.keys() - asked == {Key(RENDERED, level.label, n, FLOOR) for level in LEVELS[1:] for n in (0, 1)}


def test_answers_are_held_against_the_truth(answers, truths):
    for key, answer in answers.items():
        at = truths[key.pattern].parameters
        assert answer.true_thickness_nm == at.thickness_nm
        assert answer.true_mistilt_mrad == pytest.approx(np.hypot(*at.mistilt_mrad))
        assert (answer.cpu_s is None) == (key.method == FLOOR)
    for number in (0, 1):
        fit = answers[Key(RENDERED, "0", number, "match_refinement")]
        # The thin, tilted patterns of the tiny table leave some freedom even without noise.
        assert abs(fit.thickness_error_nm) < 0.2 and fit.mistilt_vector_error_mrad < 0.2
        assert abs(fit.scale_error_percent) < 1
        assert fit.candidates_nm == (fit.thickness_nm,)


def test_the_floor_falls_with_the_noise_and_no_fit_is_far_below(answers):
    for number in (0, 1):
        floor = answers[Key(RENDERED, "0.2", number, FLOOR)].thickness_std_nm
        assert 0.001 < floor < 2
        fit = answers[Key(RENDERED, "0.2", number, "match_refinement")]
        assert fit.thickness_std_statistical_nm > 0.3 * floor


def test_nothing_is_asked_twice(file, tiny_bundle, stack, truths, monkeypatch):
    before = file.read_text()

    def refuse(*_, **__):
        raise AssertionError("asked again")

    for name in ("_answered", "_floor", "_least_squares"):
        monkeypatch.setattr(f"pacbed.evaluation.methods.{name}", refuse)
    answer_all(Workshop(tiny_bundle, stack, seed=4), AnswerBook(file, {}), RENDERED, truths, LEVELS)
    assert file.read_text() == before


def test_what_is_missing_is_answered_as_before(file, answers, tiny_bundle, stack, truths, tmp_path):
    lost = [Key(RENDERED, "0.2", 1, method) for method in ("match", "least_squares", FLOOR)]
    book = AnswerBook(tmp_path / "answers.jsonl", {})
    book.add(answer for key, answer in answers.items() if key not in lost)
    answer_all(Workshop(tiny_bundle, stack, seed=4), book, RENDERED, truths, LEVELS)
    assert book.answers.keys() == answers.keys()
    for key in lost:
        assert replace(book.answers[key], cpu_s=None) == replace(answers[key], cpu_s=None)


def test_patterns_that_are_not_fitted_are_answered_by_all_other_methods(tiny_bundle, stack, truths, answers, tmp_path):
    book = AnswerBook(tmp_path / "answers.jsonl", {})
    answer_all(Workshop(tiny_bundle, stack, seed=4), book, RENDERED, truths, LEVELS[:1], fitted={1})
    assert {key.method for key in book.answers if key.pattern == 1} >= {"match_refinement", "networks_refinement"}
    assert {key.method for key in book.answers if key.pattern == 0} == set(METHODS[:4])
    for key, answer in book.answers.items():
        assert replace(answer, cpu_s=None) == replace(answers[key], cpu_s=None)


def test_recordings_depend_on_seed_number_and_level_alone(truths):
    one = Recording(RENDERED, 0, truths[0], Noise(0.1), 4)
    assert np.array_equal(one.camera, one.camera) and np.array_equal(one.aligned, one.aligned)
    for other in (replace(one, seed=5), replace(one, number=1), replace(one, noise=Noise(0.0, 1e5))):
        assert not np.array_equal(one.camera, other.camera)


def test_counts_come_to_the_stack_on_its_scale(truths):
    aligned = Recording(RENDERED, 0, truths[0], Noise(0.0, 1e8), 4).aligned
    np.testing.assert_allclose(aligned, truths[0].aligned, atol=0.02)


def test_a_bundle_without_networks_shares_the_rest(tiny_bundle):
    bare = without_networks(tiny_bundle)
    assert not bare.networks and set(tiny_bundle.networks) == {"scale", "thickness", "mistilt"}
    assert bare.renderer is tiny_bundle.renderer


def test_methods_with_networks_are_passed_over_without(tiny_bundle, stack):
    shop = Workshop(without_networks(tiny_bundle), stack, 1)
    assert shop.asked == [name for name in METHODS if "networks" not in name]
