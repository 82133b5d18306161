"""Answers that a bundle carries along come out again, and others are told."""

from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.repetition import Examples, answer_examples, repeat_examples
from pacbed.bundle.archive import EXAMPLES, members_of
from pacbed.bundle.reader import load_bundle
from pacbed.errors import FormatError


@pytest.fixture(scope="module")
def examples(tiny_bundle):
    return Examples.of(tiny_bundle)


def test_stored_answers_are_those_of_the_truth_and_come_out_again(tiny_bundle, examples):
    assert examples.pattern.dtype == np.uint16
    np.testing.assert_allclose(examples.refined_nm[:, 0], examples.true_nm, atol=0.1)
    again = repeat_examples(tiny_bundle, examples)
    assert again.patterns == 2
    assert again.networks_nm == pytest.approx(0, abs=1e-3)
    assert again.refined_nm < 0.05
    assert again.line().startswith("2 patterns of its evaluation, answered again: networks within 0.000 nm, refined")
    assert repeat_examples(tiny_bundle, examples, refine=False).refined_nm is None


@pytest.mark.parametrize("name", ["networks", "refined"])
def test_another_answer_is_told_with_both_values(tiny_bundle, examples, name):
    stored = getattr(examples, f"{name}_nm") + np.array([[0, 0], [1.5, 0]])
    narrow = replace(examples, **{f"{name}_nm": stored * [1, 0]})
    with pytest.raises(FormatError, match=rf"{name}: 1 of 2 patterns are answered otherwise .* instead of .* ± 0\.00"):
        repeat_examples(tiny_bundle, narrow)


def test_a_bundle_without_networks_repeats_what_was_refined(bare_bundle, examples, tiny_bundle):
    assert repeat_examples(bare_bundle, examples).networks_nm is None
    bare = answer_examples(bare_bundle, [examples.pattern[0]], [_truth(examples, 0)])
    assert np.isnan(bare.networks_nm).all()
    assert bare.refined_nm.shape == (1, 2)


def _truth(examples, index):
    from pacbed.analysis.fit.parameters import PatternParameters

    return PatternParameters(
        float(examples.true_nm[index]), (0.5, 0.2), (30, 32), 0.8, 10.0, float(examples.convergence_mrad[index]), 0.5
    )


def _listed(bundle, folder):
    """Write the ``bundle.json`` of what is in a folder."""
    known = bundle.meta.model_copy(update={"members": members_of(folder)})
    (folder / "bundle.json").write_text(known.model_dump_json())


def test_bundles_without_examples_have_none_and_damaged_ones_are_told(tiny_bundle_file, tmp_path):
    whole = load_bundle(tiny_bundle_file)
    whole.extract(tmp_path, without=("evaluation",))
    _listed(whole, tmp_path)
    assert Examples.of(load_bundle(tmp_path)) is None
    (tmp_path / EXAMPLES).parent.mkdir()
    (tmp_path / EXAMPLES).write_bytes(b"PK no archive")
    _listed(whole, tmp_path)
    with pytest.raises(FormatError, match=r"evaluation/patterns\.npz is missing or damaged"):
        Examples.of(load_bundle(tmp_path))
