from collections import Counter

import numpy as np

from pacbed.evaluation.degraded.kinds import KINDS
from pacbed.evaluation.degraded.sample import BLOCK, ORDINARY, case, of_kind, recorded
from pacbed.evaluation.degraded.specimens import DEPTHS, SINGLE, TILTS

THERE = [SINGLE] * 5 + [TILTS] * 2 + [DEPTHS]
WHOLE = BLOCK * len(KINDS)


def test_both_halves_hold_the_ordinary_and_every_kind():
    cases = [case(number, THERE, seed=1) for number in range(WHOLE)]
    for half in (0, 1):
        names = Counter(one.kind.name for one in cases if one.number % 2 == half)
        assert names.pop(ORDINARY.name) == len(KINDS)
        assert names == {kind.name: 1 for kind in KINDS}


def test_a_case_is_its_number_and_has_the_specimen_it_needs():
    for number in range(WHOLE):
        one = case(number, THERE, seed=1)
        assert one == case(number, THERE, seed=1)
        assert THERE[one.specimen] == one.kind.specimen
    assert case(0, THERE, seed=1).how != case(0, THERE, seed=2).how


def test_a_recording_is_the_same_at_every_call(area, tmp_path):
    one = of_kind(ORDINARY, 3, [SINGLE], seed=1)
    first, second = (recorded(one, [area], tmp_path / name, seed=1) for name in "ab")
    assert first.file.read_bytes() == second.file.read_bytes()
    assert first.truth == second.truth
    assert np.isclose(first.electrons, one.how.light.electrons)
