"""A fit as a linear problem about a place: what more unknowns would change, and what a part of the picture tells.

Near a solution the residual r is linear in all unknowns: those of the pattern, gain and background, and the amounts of
an effect. With the columns A of its derivatives, the variance v of an independent residual, the information P of the
priors and their pull p, the step is

    (AᵀA / v + P) δ = Aᵀr / v + p

The same sums, without the pixels of some sectors, give the solution that these sectors had no part in, and the residual
there: a picture judged by what was not fitted, at no cost.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.covariance import correlation_area
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import NAMES, PatternParameters
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.sensitivity import pattern_changes, restraint_deviations, restraint_slopes

SECTORS = 12
FOLDS = 4


class Prior(NamedTuple):
    """What is known of an effect's amounts.

    Attributes
    ----------
    information : float array, shape (amount,)
        Inverse variances, or the matrix of information.
    pull : float array, shape (amount,)
        Half the negative derivatives of the penalties.
    """

    information: np.ndarray
    pull: np.ndarray


NO_EFFECT = Prior(np.zeros(0), np.zeros(0))


class Step(NamedTuple):
    """A solution of the linear problem.

    Attributes
    ----------
    change : float array, shape (unknown,)
        Of the pattern's unknowns in the order of `NAMES`, gain and background, and the amounts of an effect.
    covariance : float array, shape (unknown, unknown)
    held_out : float
        Norm of the residual in the sectors that had no part in a fit.
    variance : float
        Of an independent residual.
    """

    change: np.ndarray
    covariance: np.ndarray
    held_out: float
    variance: float


class _Normals(NamedTuple):
    """AᵀA, shape (fold, unknown, unknown), and Aᵀr, shape (fold, unknown)."""

    matrix: np.ndarray
    right: np.ndarray


class LinearProblem:
    """Derivatives about a place.

    Parameters
    ----------
    model : ForwardModel
    at : PatternParameters
    restraints : Restraints
    """

    def __init__(self, model: ForwardModel, at: PatternParameters, restraints: Restraints) -> None:
        best = model.solve(at)
        changes = pattern_changes(model, at, best, quick=True)
        parts = [best.coefficients[0] * model.columns(changes), model.columns(model.free_shapes(best))]
        self.model, self.restraints = model, restraints
        self._columns = np.concatenate(parts, axis=1)
        self._folds = _folds(model, at)
        self._sorted = self._columns[self._folds.order]
        self._normal = self._sums(self._sorted, self._sorted)
        self._slopes = restraint_slopes(model, at, restraints)

    def step(self, at: PatternParameters, residual: np.ndarray, further: np.ndarray, prior: Prior) -> Step:
        """Where the least squares lie, as seen from a place nearby.

        Parameters
        ----------
        at : PatternParameters
            The place.
        residual : float array, shape (pixel,)
            There.
        further : float array, shape (pixel, amount)
            Derivatives of the modelled record by the amounts of an effect.
        prior : Prior
            Of these amounts; `NO_EFFECT` without.
        """
        normal, right = self._normals(residual, further)
        information, pull = self._priors(at, prior)
        variance = self._variance(residual)
        for _ in range(2):  # the residual that is left tells how much a residual weighs
            change = _solve(normal.sum(axis=0) + variance * information, right.sum(axis=0) + variance * pull)
            first = self._columns.shape[1]
            left = residual - self._columns @ change[:first] - further @ change[first:]
            variance = self._variance(left)
        blind = [
            _solve(normal.sum(axis=0) - one + variance * information, right.sum(axis=0) - seen + variance * pull)
            for one, seen in zip(normal, right, strict=True)
        ]
        held_out = residual @ residual + sum(
            float(step @ one @ step - 2 * step @ seen) for step, one, seen in zip(blind, normal, right, strict=True)
        )
        covariance = variance * _inverse(normal.sum(axis=0) + variance * information)
        return Step(change, covariance, float(np.sqrt(max(held_out, 0.0))), variance)

    def _variance(self, residual: np.ndarray) -> float:
        return float(np.mean(residual**2)) * correlation_area(self.model, residual)

    def _normals(self, residual: np.ndarray, further: np.ndarray) -> _Normals:
        more, seen = further[self._folds.order], residual[self._folds.order][:, None]
        cross = self._sums(self._sorted, more)
        rows = (
            np.concatenate([self._normal, cross], axis=2),
            np.concatenate([cross.transpose(0, 2, 1), self._sums(more, more)], axis=2),
        )
        right = np.concatenate([self._sums(self._sorted, seen), self._sums(more, seen)], axis=1)
        return _Normals(np.concatenate(rows, axis=1), right[..., 0])

    def _sums(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Products of sorted columns, summed over each fold: shape (fold, column, column)."""
        ends = pairwise(self._folds.starts)
        return np.stack([one[start:end].T @ other[start:end] for start, end in ends])

    def _priors(self, at: PatternParameters, prior: Prior) -> Prior:
        """Of all unknowns, with a matrix of information."""
        first, count = len(self._normal[0]), len(self._normal[0]) + len(prior.pull)
        information, pull = np.zeros((count, count)), np.zeros(count)
        pattern, last = slice(len(NAMES)), np.arange(first, count)
        information[pattern, pattern] = self._slopes.T @ self._slopes
        pull[pattern] = -self._slopes.T @ restraint_deviations(self.model, at, self.restraints)
        information[last, last], pull[last] = prior
        return Prior(information, pull)


class _Folds(NamedTuple):
    """Pixels of the mask ordered by fold, and where each begins and the last ends, shape (fold + 1,)."""

    order: np.ndarray
    starts: np.ndarray


def _folds(model: ForwardModel, at: PatternParameters) -> _Folds:
    """Sectors about the beam in turn."""
    geometry = model.cutout.geometry(at, mirrored=model.mirrored)
    row, column = np.indices(geometry.shape)
    turn = np.arctan2(row - geometry.center_px[1], column - geometry.center_px[0]) / (2 * np.pi) % 1
    fold = (np.floor(turn * SECTORS).astype(int) % FOLDS)[model.cutout.mask]
    ends = np.cumsum(np.bincount(fold, minlength=FOLDS))
    return _Folds(np.argsort(fold, kind="stable"), np.concatenate([[0], ends]))


def _scales(matrix: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.maximum(np.diag(matrix), 1e-30)))


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    scale = _scales(matrix)
    return np.asarray(np.linalg.lstsq(matrix / np.outer(scale, scale), right / scale, rcond=1e-10)[0] / scale)


def _inverse(matrix: np.ndarray) -> np.ndarray:
    scale = _scales(matrix)
    return np.asarray(np.linalg.pinv(matrix / np.outer(scale, scale), rcond=1e-10) / np.outer(scale, scale))
