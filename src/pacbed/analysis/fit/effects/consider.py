"""What may have happened to a picture, tried on its fit and adopted where the data ask for it.

Every effect is tried alone; that which explains most, by what held-out sectors say, becomes part of the model, and the
others are tried again beside it. Whether or not it is adopted, an effect that the data do not exclude widens the error
bar by as much as it would move the thickness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pacbed.analysis.fit.covariance import estimate_covariance
from pacbed.analysis.fit.effects.blurred_copy import BlurredCopy
from pacbed.analysis.fit.effects.effect import Applied, Effect
from pacbed.analysis.fit.effects.gamma import Gamma
from pacbed.analysis.fit.effects.shading import Shading
from pacbed.analysis.fit.effects.thickness_spread import ThicknessSpread
from pacbed.analysis.fit.effects.tilt_spread import TiltSpread
from pacbed.analysis.fit.effects.trial import Fitted, Trial, try_effect
from pacbed.analysis.fit.effects.vacuum import Vacuum
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Fit, Refinement
from pacbed.analysis.fit.restraints import Restraints

EFFECTS: tuple[Effect, ...] = (Vacuum(), TiltSpread(), ThicknessSpread(), BlurredCopy(), Shading(), Gamma())
ADOPTED = 2  # at most
MUCH_VACUUM = 0.12  # share that is seen and beside which any crystal may look thin
THIN_NM = 20.0  # thinner answers may be thicker crystals beside vacuum, which then lie in another basin


def consider_effects(
    refinement: Refinement,
    coarse: ForwardModel,
    restraints: Restraints,
    *,
    beside_vacuum: Callable[[bool], Sequence[PatternParameters]] = lambda thick: (),
    amid_tilts: Callable[[], Sequence[PatternParameters]] = tuple,
) -> Refinement:
    """A refinement with the effects that its picture asks for, and an error bar that knows of the others.

    Parameters
    ----------
    refinement : Refinement
    coarse : ForwardModel
        Of the same pattern on coarse pixels, to look for places far away.
    restraints : Restraints
        Of the refinement.
    beside_vacuum : callable
        Gives starts of a thin crystal beside much vacuum, or of a crystal of any thickness if it is called with True:
        asked for thin answers, and where much vacuum is seen.
    amid_tilts : callable
        Gives starts of a crystal whose tilts spread, which may lie in other basins.
    """
    effects = list(EFFECTS)
    thin = refinement.best.parameters.thickness_nm < THIN_NM
    starts = {"vacuum": tuple(beside_vacuum(False)) if thin else (), "tilt_spread": tuple(amid_tilts())}
    model, at = refinement.model, refinement.best.parameters
    adopted: list[Trial] = []
    while True:
        fitted = Fitted.of(model, coarse, at, restraints)
        trials = [try_effect(fitted, effect, starts.get(effect.name, ())) for effect in effects]
        trials = [
            try_effect(fitted, one.effect, beside_vacuum(True)) if _sees_much_vacuum(one) else one for one in trials
        ]
        best = max(trials, key=lambda trial: trial.merit)
        if best.merit < 1 or len(adopted) == ADOPTED:
            break
        adopted.append(best)
        at = best.place.at
        model, coarse = (best.effect.applied(one, best.place.amounts) for one in (model, coarse))
        effects, starts = [effect for effect in effects if effect is not best.effect], {}
    tried = (*(one.told(adopted=True) for one in adopted), *(one.told(adopted=False) for one in trials))
    if not adopted:
        return replace(refinement, effects=tried)
    best_fit = Fit(at, model.misfit(model.residual(at)))
    covariance = estimate_covariance(model, at, restraints)
    changes = tuple(Applied(one.effect, tuple(one.place.amounts.tolist())) for one in adopted)
    return replace(refinement, best=best_fit, model=model, covariance=covariance, effects=tried, changes=changes)


def _sees_much_vacuum(trial: Trial) -> bool:
    """Whether the thickness may lie far away: beside much vacuum fringes are faint, as those of thin crystals are."""
    effect = trial.effect
    return isinstance(effect, Vacuum) and trial.merit >= 1 and effect.size(trial.place.amounts) > MUCH_VACUUM
