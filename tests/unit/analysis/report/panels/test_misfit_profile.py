from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.attempts.refining import forward_model
from pacbed.analysis.fit.refinement import MIDDLE, Fit
from pacbed.analysis.report.panels.misfit_profile import misfit_profile


@pytest.fixture(scope="module")
def profile(analysis):
    return misfit_profile(analysis)


def test_the_least_misfit_is_at_the_answer(profile, analysis):
    best = profile.thickness_nm[np.argmin(profile.ratio)]
    assert best == pytest.approx(analysis.result.thickness_nm.value, abs=0.3)
    assert profile.ratio.min() == 1.0
    assert (np.diff(profile.thickness_nm) > 0).all()


def test_the_profile_spans_the_library_and_rises_away_from_the_answer(profile, analysis):
    library = analysis.ready.library.thickness_nm
    assert profile.thickness_nm[0] == library.min() and profile.thickness_nm[-1] == library.max()
    far = np.abs(profile.thickness_nm - analysis.result.thickness_nm.value) > 3
    assert (profile.ratio[far] > 1.15).all()


def test_no_thickness_is_worse_than_the_best_entry_of_the_library(profile, analysis):
    model = forward_model(analysis.ready, MIDDLE)
    least = model.misfit(model.residual(analysis.parameters))
    for value in np.unique(analysis.matches.thickness_nm):
        entry = analysis.matches[int(np.flatnonzero(analysis.matches.thickness_nm == value)[0])].parameters
        ratio = profile.ratio[np.flatnonzero(profile.thickness_nm == value)[0]]
        assert ratio <= model.misfit(model.residual(entry)) / least * (1 + 1e-6)


def test_rivals_are_the_other_ends_of_the_refinement(analysis):
    found = analysis.refinement
    at, misfit = found.best_at_middle.parameters, found.best_at_middle.misfit
    others = (Fit(replace(at, thickness_nm=3.0), 1.3 * misfit),)
    attempt = replace(analysis.attempt, refinement=replace(found, others=others))
    profile = misfit_profile(replace(analysis, attempt=attempt))
    assert [(rival.thickness_nm, rival.ratio) for rival in profile.rivals] == [(3.0, pytest.approx(1.3))]


def test_without_a_refinement_there_are_no_rivals(analysis):
    alone = replace(analysis, attempt=replace(analysis.attempt, refinement=None))
    assert misfit_profile(alone).rivals == ()
