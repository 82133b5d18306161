from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.effects.effect import Applied
from pacbed.analysis.fit.effects.gamma import Gamma
from pacbed.analysis.fit.effects.vacuum import Vacuum
from pacbed.analysis.report.comparison.kept import Kept, read_kept
from pacbed.analysis.report.panels.misfit_profile import MisfitProfile, misfit_profile
from pacbed.errors import FormatError


def test_a_file_gives_the_same_model_again(kept, analysis, tiny_bundle, tmp_path):
    effects = (Applied(Vacuum(), (1.5,)), Applied(Gamma(), (0.5,)))
    kept = replace(kept, effects=effects)
    kept.save(tmp_path / "kept.npz")
    again = read_kept(tmp_path / "kept.npz")
    assert again.curve == kept.curve and again.best == kept.best and again.effects == effects
    assert (tmp_path / "kept.npz").stat().st_size < 120_000
    for name in ("fine", "middle"):
        before, after = (one.model(tiny_bundle, name) for one in (kept, again))
        np.testing.assert_allclose(
            after.residual(analysis.parameters), before.residual(analysis.parameters), rtol=1e-4, atol=1e-6
        )


def test_the_answers_own_residual_comes_back(kept, analysis, tiny_bundle, tmp_path):
    """Also with what happened to the picture in the answer."""
    assert analysis.refinement is not None
    changed = (Applied(Vacuum(), (2.0,)),)
    attempt = replace(analysis.attempt, refinement=replace(analysis.refinement, changes=changed))
    with_vacuum = replace(analysis, attempt=attempt)
    made = Kept.of(with_vacuum, misfit_profile(with_vacuum))
    made.save(tmp_path / "kept.npz")
    model = read_kept(tmp_path / "kept.npz").model(tiny_bundle, "fine")
    base = kept.model(tiny_bundle, "fine")
    assert made.effects == changed and model.misfit(model.residual(made.best)) > base.misfit(base.residual(kept.best))


def test_the_curve_ends_with_refinements_elsewhere(analysis, kept):
    profile = misfit_profile(analysis)
    points = [one for one in kept.curve if not one.refined]
    assert [one.thickness_nm for one in points] == pytest.approx(profile.thickness_nm.tolist())
    assert [one.refined for one in kept.curve] == sorted(one.refined for one in kept.curve)
    rivals = [one for one in profile.rivals if one.parameters is not None]
    assert len(kept.curve) == len(points) + len(rivals)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", None])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "kept.npz"
    if content is None:
        np.savez(path, facts=np.array('{"schema_version": 99}'))
    else:
        path.write_bytes(content)
    with pytest.raises(FormatError, match=r"kept\.npz: (damaged|got schema_version 99)"):
        read_kept(path)


def test_without_points_there_is_an_empty_curve(analysis):
    profile = MisfitProfile(np.array([1.0]), np.array([1.0]), ())
    assert Kept.of(analysis, profile._replace(thickness_nm=np.zeros(0), ratio=np.zeros(0))).curve == ()
