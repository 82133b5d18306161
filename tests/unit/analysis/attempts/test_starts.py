import numpy as np
import pytest

from pacbed.analysis.attempts.starts import asked_starts, proposed_starts
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.errors import ParameterError


def test_asked_starts_have_the_thickness_asked_for_and_distinct_mistilts(analysis):
    starts = asked_starts(analysis.matches, (4.3, 7.0))
    assert sorted({start.thickness_nm for start in starts}) == [4.3, 7.0]
    for value in (4.3, 7.0):
        tilts = [start.mistilt_in_image() for start in starts if start.thickness_nm == value]
        assert 1 <= len(tilts) <= 3
        apart = [np.linalg.norm(a - b) for i, a in enumerate(tilts) for b in tilts[:i]]
        assert all(size > 1.2 for size in apart)


def test_more_starts_are_proposed_without_networks(analysis):
    with_networks = analyse_answers(analysis)
    assert len(proposed_starts(analysis.matches, with_networks)) <= 4 + len(with_networks.candidates)
    assert proposed_starts(analysis.matches, None)[0] == analysis.matches[0].parameters


def analyse_answers(analysis):
    from pacbed.analysis.steps import network_answers

    return network_answers(analysis.ready)


@pytest.mark.parametrize("value", [0.2, 40.0, float("nan")])
def test_a_thickness_that_the_bundle_does_not_hold_is_refused(tiny_bundle, camera, value):
    with pytest.raises(ParameterError, match=r"refine_from: got .*accepted: a thickness from 1 to"):
        analyse(tiny_bundle, camera(), PredictOptions(convergence_mrad=14.0, refine_from_nm=(5.0, value)))


def test_networks_alone_are_refined_from_nowhere(tiny_bundle, camera):
    options = PredictOptions(convergence_mrad=14.0, refine=False, refine_from_nm=(5.0,))
    with pytest.raises(ParameterError, match="refine_from"):
        analyse(tiny_bundle, camera(), options)


def test_a_right_start_is_a_note_and_gives_the_answer(tiny_bundle, camera, analysis):
    result = analyse(tiny_bundle, camera(), PredictOptions(convergence_mrad=14.0, refine_from_nm=(7.0,))).result
    assert result.thickness_nm.value == pytest.approx(analysis.result.thickness_nm.value, abs=0.1)
    assert "refined from 7 nm only, as asked" in result.reasons
    assert result.provenance.parameters["refine_from_nm"] == [7.0]
