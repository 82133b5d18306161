"""One effect tried on a fitted pattern: how large it would be, what it explains, how far it moves the thickness.

Most effects are nearly linear in their amounts, and one step of the linear problem tells that they are not there. Where
it says that they may be, the step is repeated at the new place with the derivatives of the old one, and effects that
seem large are fitted from other sizes as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import log_ndtr

from pacbed.analysis.fit.effects.effect import Effect
from pacbed.analysis.fit.effects.linear import NO_EFFECT, LinearProblem, Prior, Step
from pacbed.analysis.fit.effects.refit import Place, amount_columns, refit
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.limits import bounds
from pacbed.analysis.fit.parameters import NAMES, PatternParameters
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.tried import TriedEffect

PROMISING = 0.5  # of the gain that adopts an effect
LARGE = 1.5  # amounts from which on an effect may be too large for steps from nothing
STEPS = 4  # with one set of derivatives, at most


class Fitted(NamedTuple):
    """A fitted pattern as a linear problem.

    Attributes
    ----------
    at : PatternParameters
        Where the fit ended.
    model : ForwardModel
        On fine pixels.
    coarse : ForwardModel
        On coarse pixels.
    problem : LinearProblem
        About the end of the fit.
    base : Step
        That no effect would make, with the variance of these residuals.
    """

    at: PatternParameters
    model: ForwardModel
    coarse: ForwardModel
    problem: LinearProblem
    base: Step

    @classmethod
    def of(cls, model: ForwardModel, coarse: ForwardModel, at: PatternParameters, restraints: Restraints) -> Fitted:
        """Work out derivatives about the end of a fit."""
        problem, residual = LinearProblem(model, at, restraints), model.residual(at)
        return cls(at, model, coarse, problem, problem.step(at, residual, np.zeros((len(residual), 0)), NO_EFFECT))


class Trial(NamedTuple):
    """What came of a trial.

    Attributes
    ----------
    effect : Effect
    place : Place
        Best parameters and amounts with the effect.
    gain : float
        See `TriedEffect.held_out_gain`.
    amount_std : float
        Standard deviation of the amounts.
    shift_nm : float
        Of the thickness.
    thickness_std_nm : float
        See `TriedEffect`.
    """

    effect: Effect
    place: Place
    gain: float
    amount_std: float
    shift_nm: float
    thickness_std_nm: float

    @property
    def merit(self) -> float:
        """The gain over the least one that adopts the effect."""
        return self.gain / self.effect.least_gain

    def told(self, *, adopted: bool) -> TriedEffect:
        """What a result says of it.

        The more an adopted effect explains, the less the answer without it counts.
        """
        doubt = min(1.0, 1 / self.merit) if adopted else 1.0
        own = float(np.sqrt(max(0.0, self.thickness_std_nm**2 - self.shift_nm**2)))
        effect, length = self.effect, float(np.linalg.norm(self.place.amounts))
        low, high = (
            effect.size(max(0.0, length + sign * self.amount_std) * np.eye(effect.parts)[0]) for sign in (-1, 1)
        )
        return TriedEffect(
            effect.name,
            effect.unit,
            effect.size(self.place.amounts),
            abs(high - low) / 2,
            float(np.linalg.norm(effect.deviations(self.place.amounts))),
            self.gain,
            adopted,
            self.shift_nm,
            float(np.hypot(doubt * self.shift_nm, own)),
        )


def try_effect(fitted: Fitted, effect: Effect, starts: Sequence[PatternParameters] = ()) -> Trial:
    """Try an effect on a fitted pattern.

    Parameters
    ----------
    fitted : Fitted
    effect : Effect
    starts : sequence of PatternParameters
        Further places to fit from, with the largest of the effect's sizes.
    """
    found = _follow(fitted, effect, Place(fitted.at, np.zeros(effect.parts)), fitted.problem)
    places = [Place(start, effect.amounts(effect.sizes[-1])) for start in starts]
    if found.merit > PROMISING and np.linalg.norm(found.place.amounts) > LARGE:
        places += [Place(fitted.at, effect.amounts(size)) for size in effect.sizes]
    if not places:
        return found
    end = refit(fitted.coarse, effect, places, fitted.problem.restraints)
    problem = LinearProblem(effect.applied(fitted.model, end.amounts), end.at, fitted.problem.restraints)
    return max(found, _follow(fitted, effect, end, problem), key=lambda trial: trial.gain)


def _follow(fitted: Fitted, effect: Effect, place: Place, problem: LinearProblem) -> Trial:
    """Step from a place with the derivatives there, on and on while that is promising and leads somewhere better."""
    further = amount_columns(fitted.model, effect, place)
    best: Trial | None = None
    for _ in range(STEPS):
        residual = effect.applied(fitted.model, place.amounts).residual(place.at)
        step = problem.step(place.at, residual, further, _prior(effect, place.amounts))
        trial = _judged(fitted, effect, place, step)
        if best is not None and trial.gain <= best.gain + 1e-4:
            break
        best, place = trial, trial.place
        if trial.merit < PROMISING or not place.amounts.any():
            break
    assert best is not None
    return best


def _prior(effect: Effect, amounts: np.ndarray) -> Prior:
    """The square of the size over its width is the penalty; of a variance, it is the amount itself."""
    if effect.power > 1:
        return Prior(np.zeros(effect.parts), np.full(effect.parts, -0.5))
    return Prior(np.ones(effect.parts), -amounts)


def _judged(fitted: Fitted, effect: Effect, place: Place, step: Step) -> Trial:
    """What the effect is worth after a step from a place."""
    amounts, most = place.amounts + step.change[-effect.parts :], effect.most
    cross, square = step.covariance[0, -effect.parts :], step.covariance[-effect.parts :, -effect.parts :]
    spread = float(np.sqrt(np.trace(square) / effect.parts))
    if spread == 0:  # nothing of the crystal is seen, so that the effect changes nothing either
        return Trial(effect, Place(fitted.at, np.zeros(effect.parts)), 0.0, 1.0, 0.0, 0.0)
    if not effect.signed and amounts[0] <= 0:
        expected = _above_zero(float(amounts[0]), spread)
        added = abs(float(cross[0])) / spread**2 * np.sqrt(expected.mean_square)
        added = np.hypot(added, effect.open_nm(expected.mean, fitted.at.thickness_nm))
        return Trial(effect, Place(fitted.at, np.zeros(1)), 0.0, spread, 0.0, float(added))
    at = _moved(fitted.model, place.at, step)
    amounts = np.clip(amounts, -most, most)
    shift = at.thickness_nm - _moved(fitted.model, fitted.at, fitted.base).thickness_nm
    unknown = float(cross @ np.linalg.solve(square, cross))  # variance of the thickness that the amounts bring
    if not effect.signed:
        expected = _above_zero(float(amounts[0]), spread)
        unknown *= (expected.mean_square - float(amounts[0]) ** 2) / spread**2
        unknown = max(unknown, 0.0) + effect.open_nm(expected.mean, at.thickness_nm) ** 2
    gain = 1 - step.held_out / max(fitted.base.held_out, 1e-30)
    return Trial(effect, Place(at, amounts), gain, spread, shift, float(np.hypot(shift, np.sqrt(max(unknown, 0.0)))))


def _moved(model: ForwardModel, at: PatternParameters, step: Step) -> PatternParameters:
    """Where a step leads, inside the table and within reach of its beginning as any fit."""
    low, high = bounds(model, at)
    return at.moved(np.clip(step.change[: len(NAMES)], np.minimum(low, 0), np.maximum(high, 0)))


class _Expected(NamedTuple):
    """Mean of an amount and of its square."""

    mean: float
    mean_square: float


def _above_zero(middle: float, spread: float) -> _Expected:
    """Of a normal distribution of which only the positive part counts."""
    cut = -middle / spread
    hazard = float(np.exp(-0.5 * cut**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(-cut)))
    mean = middle + spread * hazard
    return _Expected(max(mean, 0.0), float(mean**2 + spread**2 * max(0.0, 1 + cut * hazard - hazard**2)))
