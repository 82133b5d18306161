"""The identity of a look-up follows from pattern, bundle, parameters and versions, and from nothing else."""

from dataclasses import replace

import numpy as np

from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import pattern_from_array
from pacbed.service import identity
from pacbed.service.identity import identity_of, question_of

BUNDLE, OPTIONS = "a" * 64, {"convergence_mrad": 14.0, "refine": True}


def one_pattern(change=0.0):
    return pattern_from_array(np.arange(4096, dtype=np.float32).reshape(64, 64) + change)


def test_the_same_has_the_same_identity_whatever_its_name():
    again = replace(one_pattern(), source="other.tif", sha256="f" * 64)
    assert identity_of(one_pattern(), BUNDLE, OPTIONS) == identity_of(again, BUNDLE, dict(reversed(OPTIONS.items())))


def test_whatever_the_answer_follows_from_changes_it(monkeypatch):
    pattern = one_pattern()
    turned = replace(pattern, array=pattern.array.reshape(32, 128))
    stated = replace(pattern, calibration=Calibration(convergence_mrad=14.0))
    found = {
        identity_of(pattern, BUNDLE, OPTIONS),
        identity_of(one_pattern(1.0), BUNDLE, OPTIONS),
        identity_of(turned, BUNDLE, OPTIONS),
        identity_of(stated, BUNDLE, OPTIONS),
        identity_of(replace(pattern, saturated=pattern.array > 4000), BUNDLE, OPTIONS),
        identity_of(pattern, "b" * 64, OPTIONS),
        identity_of(pattern, BUNDLE, OPTIONS | {"refine": False}),
    }
    monkeypatch.setattr(identity, "_versions", lambda: {"pacbed": "99"})
    found.add(identity_of(pattern, BUNDLE, OPTIONS))
    assert len(found) == 8 and all(len(one) == 64 for one in found)


def test_a_question_is_that_of_a_file():
    assert question_of({"file": "x"}, BUNDLE, OPTIONS) != question_of({"file": "y"}, BUNDLE, OPTIONS)
