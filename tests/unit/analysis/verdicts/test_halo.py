"""Light in rings about the middle: found where it is, and a reason for doubt where the thickness hangs on it."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.analysis.attempts.refining import forward_model, restraints_of
from pacbed.analysis.fit.effects.refit import Place
from pacbed.analysis.fit.effects.trial import Trial
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import COARSE
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.verdicts.findings import Findings
from pacbed.analysis.verdicts.halo import RINGS, Halo, halo_trial, judge_halo

CENTER_PX, PIXEL_MRAD, CONVERGENCE_MRAD = (70.3, 84.6), 0.4, 14.0  # of what `camera` records by default
AT = PatternParameters(8.0, (1.0, 1.0), CENTER_PX, PIXEL_MRAD, 10.0, CONVERGENCE_MRAD, 0.3)


def with_ring(counts, radius, width, height):
    """A picture with a ring of light below it: radius and width over those of the disk, height over its level."""
    row, column = np.indices(counts.shape)
    distance = np.hypot(column - CENTER_PX[0], row - CENTER_PX[1]) * PIXEL_MRAD / CONVERGENCE_MRAD
    level = counts[distance < 0.9].mean() - counts.min()
    return counts + height * level * np.exp(-0.5 * ((distance - radius) / width) ** 2)


def tried(found):
    return halo_trial(found.refinement, forward_model(found.ready, COARSE), restraints_of(found.ready))


def judged(gain, shift_nm, thickness_nm=8.0):
    findings, at = Findings(), PatternParameters(**{**AT.__dict__, "thickness_nm": thickness_nm})
    judge_halo(findings, Trial(Halo(), Place(at, np.ones(len(RINGS))), gain, 0.1, shift_nm, 0.1))
    return findings


def test_a_crystal_alone_asks_for_no_halo(analysis):
    trial = tried(analysis)
    assert trial.merit < 1
    assert abs(trial.shift_nm) < 0.3
    assert not any("light in rings" in reason for reason in analysis.result.reasons)


@pytest.mark.parametrize(("radius", "width"), [(0.4, 0.2), (0.8, 0.2), (1.2, 0.15)])
def test_a_ring_is_found(tiny_bundle, camera, radius, width):
    found = analyse(tiny_bundle, with_ring(camera(), radius, width, 0.15), PredictOptions(convergence_mrad=14.0))
    trial = tried(found)
    assert trial.merit > 1
    assert trial.place.at.thickness_nm == pytest.approx(8.0, abs=0.6)


def test_only_a_halo_that_is_seen_and_moves_the_thickness_is_doubtful():
    findings = judged(0.03, -1.2)
    assert findings.verdict == "doubtful"
    assert "held-out sectors by 3 %" in findings.reasons[0]
    assert "move the thickness by -1.2 nm" in findings.reasons[0]
    assert judged(0.001, -1.2).reasons == [], "nothing is seen"
    assert judged(0.03, 0.3).reasons == [], "the thickness stays"
    assert judged(0.03, 1.2, thickness_nm=80.0).reasons == [], "of a thick crystal, less than its share"


def test_no_light_changes_nothing(analysis):
    model, at = analysis.refinement.model, analysis.parameters
    plain = Halo().applied(model, np.zeros(len(RINGS)))
    assert np.array_equal(plain.render_sharp(at), model.render_sharp(at))
