import numpy as np
import pytest

from pacbed.analysis.attempts.orientations import polar_share
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse

KNOWN = PredictOptions(convergence_mrad=9.0)
BRIGHT = {"thickness_nm": 12.0, "electrons": 1e9}  # rutile has nearly the mirror line that it lacks


@pytest.mark.parametrize("rotation_deg", [25.0, 205.0])
def test_polarity_is_found_and_reported_with_its_misfit_ratio(polar_bundle, recorded, rotation_deg):
    result = analyse(polar_bundle, recorded(polar_bundle, rotation_deg=rotation_deg), KNOWN).result
    assert result.rotation_deg.value == pytest.approx(rotation_deg, abs=2)
    assert result.rotation_deg.modulo_deg == 360
    assert result.polarity.decided and result.polarity.misfit_ratio > 1.3
    assert abs(result.polarity.rotation_deg - rotation_deg) == pytest.approx(180, abs=5)
    assert result.thickness_nm.value == pytest.approx(9.0, abs=0.3)
    assert result.hand is None and result.mirrored is False


def test_undecided_polarity_does_not_make_the_thickness_doubtful(polar_bundle, recorded):
    """Few electrons show the thickness and not yet the polarity."""
    result = analyse(polar_bundle, recorded(polar_bundle, electrons=6e4, seed=4), KNOWN).result
    assert not result.polarity.decided
    assert result.verdict == "ok"
    reasons = [one for one in result.reasons if not one.startswith(("the thickness is known to", "no networks"))]
    assert [one.partition(":")[0] for one in reasons] == ["orientation undecided"]
    low, high = result.thickness_nm.interval_90
    assert low < 9.0 < high and low < result.polarity.thickness_nm < high


@pytest.mark.parametrize(("thickness_nm", "seed"), [(6.0, 1), (9.0, 2), (12.0, 3)])
def test_a_crystal_without_polarity_is_not_one_that_has_it(polar_bundle, nonpolar_bundle, recorded, thickness_nm, seed):
    """Germanium has nearly the structure factors of GaAs, and fits its bundle as well as noise allows."""
    for shown, verdict in ((nonpolar_bundle, "doubtful"), (polar_bundle, "ok")):
        pattern = recorded(shown, thickness_nm=thickness_nm, electrons=3e6, seed=seed)
        found = analyse(polar_bundle, pattern, KNOWN)
        said = [one for one in found.result.reasons if one.startswith("of neither polarity")]
        assert bool(said) == (shown is nonpolar_bundle)
        share = polar_share(found.refinement, found.attempt.turned)
        assert share < 0.2 if said else share > 0.6
        assert found.result.verdict == verdict


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_hand_is_found_where_nobody_gives_it(chiral_bundle, recorded, mirrored):
    result = analyse(chiral_bundle, recorded(chiral_bundle, mirrored=mirrored, **BRIGHT), KNOWN).result
    assert result.mirrored is mirrored
    assert result.hand.mirrored is not mirrored
    assert result.hand.decided and result.hand.misfit_ratio > 1.3
    assert result.polarity.decided and result.rotation_deg.value == pytest.approx(25.0, abs=2)
    assert result.thickness_nm.value == pytest.approx(12.0, abs=0.3)


def test_a_hand_that_is_given_is_the_only_one_tried(chiral_bundle, recorded):
    wrong = PredictOptions(convergence_mrad=9.0, mirrored=True)
    result = analyse(chiral_bundle, recorded(chiral_bundle), wrong).result
    assert result.mirrored is True and result.hand is None


def test_crystals_without_an_orientation_report_none(analysis):
    assert analysis.result.polarity is None and analysis.result.hand is None and analysis.result.mirrored is False


def test_the_sheets_pattern_is_of_the_hand_that_won(chiral_bundle, recorded):
    found = analyse(chiral_bundle, recorded(chiral_bundle, mirrored=True, **BRIGHT), KNOWN)
    assert found.model.mirrored and found.ready.conditions.mirrored
    assert np.isfinite(found.ready.matches.mismatch[0])
