from pacbed.analysis.fit.tried import TriedEffect
from pacbed.analysis.result import EffectEstimate


def test_a_result_tells_all_that_was_found_out():
    """Field by field, by name: what a fit tries is what a result file holds."""
    assert set(TriedEffect._fields) == set(EffectEstimate.model_fields)
    one = TriedEffect("vacuum", "", 0.3, 0.02, 6.0, 0.1, True, 3.9, 1.2)
    assert EffectEstimate(**one._asdict()).model_dump() == one._asdict()
