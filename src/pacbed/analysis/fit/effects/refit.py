"""Least squares of a pattern's unknowns and an effect's amounts together, from a given start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize

from pacbed.analysis.fit.effects.effect import Effect
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.limits import SCALES, bounds
from pacbed.analysis.fit.parameters import NAMES, PatternParameters
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.sensitivity import jacobian, residuals, rms

AHEAD = 0.1  # step of the differences by the amounts
LEAST = 1e-3  # amount of an effect without a sign, which counts as none
EVALUATIONS = 6  # of the Jacobian, at most
TOLERANCE = 1e-3


class Place(NamedTuple):
    """Parameters of a pattern with an effect in it; `amounts` has shape (part,)."""

    at: PatternParameters
    amounts: np.ndarray


def amount_columns(model: ForwardModel, effect: Effect, place: Place) -> np.ndarray:
    """Derivatives of the modelled record by the amounts of an effect, shape (pixel, part).

    Parameters
    ----------
    model : ForwardModel
        Without the effect.
    effect : Effect
    place : Place
        Where; differences reach ahead by a whole amount where there is none of the effect yet.
    """
    some = bool(place.amounts.any())
    here = (effect.applied(model, place.amounts) if some else model).residual(place.at)
    ahead = AHEAD if some else 1.0
    steps = ahead * np.eye(effect.parts)
    further = [effect.applied(model, place.amounts + step).residual(place.at) for step in steps]
    return np.stack([(here - one) / ahead for one in further], axis=1)


def refit(model: ForwardModel, effect: Effect, starts: Sequence[Place], restraints: Restraints) -> Place:
    """Fit all unknowns with the effect among them from several starts, and keep the best end.

    Parameters
    ----------
    model : ForwardModel
        Without the effect, on coarse pixels.
    effect : Effect
    starts : sequence of Place
        At least one.
    restraints : Restraints
    """
    ends = [_refit(model, effect, start, restraints) for start in starts]
    left = [float(np.linalg.norm(effect.applied(model, end.amounts).residual(end.at))) for end in ends]
    return ends[int(np.argmin(left))]


def _refit(model: ForwardModel, effect: Effect, start: Place, restraints: Restraints) -> Place:
    sigma, count = rms(effect.applied(model, start.amounts).residual(start.at)), len(NAMES)
    low, high = bounds(model, start.at)
    at = start.at.moved(np.clip(np.zeros(count), low + 1e-6, high - 1e-6))
    low, high = bounds(model, at)
    most = effect.most
    least = np.full(effect.parts, -most if effect.signed else LEAST)

    def place(vector: np.ndarray) -> Place:
        return Place(at.moved(vector[:count]), vector[count:])

    def deviations(vector: np.ndarray) -> np.ndarray:
        here = place(vector)
        seen = residuals(effect.applied(model, here.amounts), here.at, restraints, sigma)
        return np.concatenate([seen, sigma * effect.deviations(here.amounts)])

    def slopes(vector: np.ndarray) -> np.ndarray:
        here = place(vector)
        pattern = jacobian(effect.applied(model, here.amounts), here.at, restraints, sigma, quick=True)
        seen, plain = len(model.weights), effect.deviations(here.amounts)
        found = np.zeros((len(pattern) + effect.parts, count + effect.parts))
        found[: len(pattern), :count] = pattern
        found[:seen, count:] = -amount_columns(model, effect, here)
        stepped = [effect.deviations(here.amounts + AHEAD * unit) - plain for unit in np.eye(effect.parts)]
        found[len(pattern) :, count:] = sigma * np.stack(stepped, axis=1) / AHEAD
        return found

    found = optimize.least_squares(
        deviations,
        np.concatenate([np.zeros(count), np.clip(start.amounts, least + LEAST, most - LEAST)]),
        slopes,
        bounds=(np.concatenate([low, least]), np.concatenate([high, np.full(effect.parts, most)])),
        x_scale=np.concatenate([np.array(SCALES), np.full(effect.parts, 0.5)]),
        max_nfev=EVALUATIONS,
        ftol=TOLERANCE,
        xtol=TOLERANCE,
    )
    return place(found.x)
