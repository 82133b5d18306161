import pytest

from pacbed.analysis.fit.covariance import estimate_covariance, noise_share
from pacbed.analysis.fit.effects.consider import consider_effects
from pacbed.analysis.fit.refinement import Fit, Refinement
from pacbed.analysis.fit.restraints import Restraints

RESTRAINTS = Restraints(14.0, 0.28)


@pytest.fixture(scope="module")
def considered(fitted):
    """Function that considers what may have happened to a damaged pattern; the starts asked for are counted."""
    made = {}

    def work(name, size=0.0):
        if (name, size) not in made:
            found = fitted(name, size)
            model, at, asked = found.model, found.at, []
            end = Fit(at, model.misfit(model.residual(at)))
            covariance = estimate_covariance(model, at, RESTRAINTS)
            before = Refinement(end, (), end, model, covariance, noise_share(model))
            after = consider_effects(
                before,
                model,
                RESTRAINTS,
                beside_vacuum=lambda thick: asked.append("vacuum, thick" if thick else "vacuum, thin") or [],
                amid_tilts=lambda: asked.append("tilts") or [],
            )
            made[name, size] = before, after, asked
        return made[name, size]

    return work


def test_a_clean_pattern_keeps_its_fit(considered):
    before, after, asked = considered("none")
    assert after.best is before.best and after.model is before.model
    assert [effect.name for effect in after.effects] == [
        *("vacuum", "tilt_spread", "thickness_spread", "blurred_copy", "shading", "gamma")
    ]
    assert not any(effect.adopted for effect in after.effects)
    assert asked == ["vacuum, thin", "tilts"], "a thin answer asks for starts beside vacuum as well"


def test_a_hole_becomes_part_of_the_answer(considered):
    before, after, asked = considered("vacuum", 0.2)
    assert asked == ["vacuum, thin", "tilts", "vacuum, thick"], "much vacuum hides any thickness"
    assert [effect.name for effect in after.effects if effect.adopted] == ["vacuum"]
    assert after.effects[0].adopted and len(after.effects) == 6
    assert after.best.parameters.thickness_nm == pytest.approx(8.0, abs=0.2)
    assert after.best.misfit < 0.9 * before.best.misfit
    assert after.effects[0].thickness_shift_nm == pytest.approx(
        after.best.parameters.thickness_nm - before.best.parameters.thickness_nm, abs=0.05
    )
    assert after.model.misfit(after.model.residual(after.best.parameters)) == after.best.misfit


def test_gamma_is_undone_whatever_the_bits(considered):
    _, after, _ = considered("gamma", 0.6)
    assert next(effect.name for effect in after.effects if effect.adopted) == "gamma"
    assert after.best.parameters.thickness_nm == pytest.approx(8.0, abs=0.15)
