"""Expected errors over thickness and convergence angle, and the angle that is best for a range of thickness."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.steps import opened
from pacbed.analysis.threads import one_thread
from pacbed.bundle.reader import Bundle
from pacbed.errors import bad_value
from pacbed.evaluation.advice.expected import ExpectedError, centred, expected_error
from pacbed.evaluation.advice.question import USUAL_QUESTION, Grid, Question, grid_of
from pacbed.logs import progress


@dataclass(frozen=True)
class Advice:
    """Expected errors, one standard deviation each, root mean squares over the mistilts of the grid.

    Attributes
    ----------
    system : str
        The bundle's.
    electrons : float
        In the beam.
    grid : Grid
    noise_nm, smallest_noise_nm : float array, shape (angle, thickness)
        Error of the thickness from counting electrons: of the fit, and the Cramér-Rao bound [nm].
    model_nm : float array, shape (thickness,)
        Error of the thickness from what the simulation does not know, the same at every angle [nm].
    mistilt_mrad, smallest_mistilt_mrad : float array, shape (angle, thickness)
        Length of the error of the mistilt vector from counting electrons: of the fit, and the bound [mrad].
    """

    system: str
    electrons: float
    grid: Grid
    noise_nm: np.ndarray
    smallest_noise_nm: np.ndarray
    model_nm: np.ndarray
    mistilt_mrad: np.ndarray
    smallest_mistilt_mrad: np.ndarray

    @property
    def total_nm(self) -> np.ndarray:
        """Error of the thickness from both, as a result states it, shape (angle, thickness) [nm]."""
        return np.hypot(self.noise_nm, self.model_nm)

    @property
    def criterion_nm(self) -> np.ndarray:
        """Root mean square of `total_nm` over thickness, shape (angle,) [nm]: the smallest is the best angle."""
        return over_thickness(self.total_nm)

    @property
    def best(self) -> int:
        """Number of the best angle for the thickness."""
        return int(np.argmin(self.criterion_nm))

    @property
    def worst(self) -> int:
        """Number of the worst angle for the thickness."""
        return int(np.argmax(self.criterion_nm))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None where a pattern does not tell."""
        angles = self.grid.convergence_mrad
        return {
            "system": self.system,
            "electrons": self.electrons,
            "best_convergence_mrad": float(angles[self.best]),
            "worst_convergence_mrad": float(angles[self.worst]),
            "best_convergence_for_mistilt_mrad": float(angles[int(np.argmin(over_thickness(self.mistilt_mrad)))]),
            "convergence_mrad": angles.tolist(),
            "thickness_nm": self.grid.thickness_nm.tolist(),
            "mistilts_mrad": [list(vector) for vector in self.grid.mistilts_mrad],
            "thickness_std_rms_nm": _plain(self.criterion_nm),
            "thickness_std_noise_rms_nm": _plain(over_thickness(self.noise_nm)),
            "mistilt_std_rms_mrad": _plain(over_thickness(self.mistilt_mrad)),
            "thickness_std_nm": _plain(self.total_nm),
            "thickness_std_noise_nm": _plain(self.noise_nm),
            "thickness_std_noise_smallest_nm": _plain(self.smallest_noise_nm),
            "thickness_std_model_nm": _plain(self.model_nm),
            "mistilt_std_mrad": _plain(self.mistilt_mrad),
            "mistilt_std_smallest_mrad": _plain(self.smallest_mistilt_mrad),
        }


def advise(bundle: Bundle | str | Path, question: Question = USUAL_QUESTION) -> Advice:
    """Errors to be expected of thickness and mistilt at every convergence angle of a bundle.

    Parameters
    ----------
    bundle : Bundle or path
        From `load_bundle`.
    question : Question

    Raises
    ------
    ParameterError
        The bundle cannot answer the question, or no angle tells the thickness.
    """
    bundle = opened(bundle)
    grid = grid_of(bundle, question)
    sizes = len(grid.convergence_mrad), len(grid.thickness_nm), len(grid.mistilts_mrad)
    widths, points = bundle.meta.priors, product(*grid)
    found = np.empty((*sizes, len(ExpectedError._fields)))
    with one_thread():
        for place, point in progress(zip(np.ndindex(sizes), points, strict=True), int(np.prod(sizes)), "advice"):
            angle, thickness, mistilt = point
            restraints = Restraints(angle, widths.convergence_relative * angle)
            at = centred(float(thickness), float(angle), mistilt)
            found[place] = expected_error(bundle.renderer, at, question.electrons, restraints)
    noise, mistilts, smallest, smallest_mistilts = np.moveaxis(_rms(found, axis=2), -1, 0)
    if not np.isfinite(over_thickness(noise)).any():
        raise bad_value("thickness_nm", question.thickness_nm, "thicknesses that the patterns of some angle tell")
    model = np.array([bundle.meta.model_error.std_at(float(one)) for one in grid.thickness_nm])
    return Advice(bundle.meta.system, question.electrons, grid, noise, smallest, model, mistilts, smallest_mistilts)


def over_thickness(errors: np.ndarray) -> np.ndarray:
    """Root mean squares of errors, shape (angle, thickness), over thickness: shape (angle,)."""
    return _rms(errors, axis=1)


def _rms(errors: np.ndarray, *, axis: int) -> np.ndarray:
    return np.asarray(np.sqrt(np.mean(errors**2, axis=axis)))


def _plain(errors: np.ndarray) -> Any:
    """Nested lists, rounded to what means something, with None for infinity."""
    if errors.ndim > 1:
        return [_plain(row) for row in errors]
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in errors]
