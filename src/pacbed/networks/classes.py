"""The ordered classes of thickness, mistilt or scale among which a network shares out its probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pacbed.config.values import TASKS
from pacbed.errors import bad_value

UNITS = {"scale": "1", "thickness": "nm", "mistilt": "mrad"}
# Standard deviation of a label, in classes: neighbouring thicknesses look alike, mistilts one class apart do not.
LABEL_WIDTH = {"scale": 1.0, "thickness": 1.0, "mistilt": 0.5}
CANDIDATES = 3
CANDIDATE_RADIUS = 3  # classes around a peak that belong to it
NEAR_CLASSES = 5  # classes that count as a near miss in the scores


@dataclass(frozen=True)
class TaskClasses:
    """Classes of one task: the values that its network tells apart.

    Attributes
    ----------
    task : {"scale", "thickness", "mistilt"}
    values : ndarray of float, shape (class,)
        Ascending values of the classes [1, nm or mrad, see `unit`].
    smoothed : bool
        Labels fall off around the true value; otherwise the nearest class alone is right.

    Raises
    ------
    ParameterError
        The task is unknown, or the values are not ascending finite numbers.
    """

    task: str
    values: np.ndarray
    smoothed: bool = True

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise bad_value("task", self.task, f"one of {', '.join(TASKS)}")
        values = self.values
        if values.ndim != 1 or not len(values) or not np.all(np.isfinite(values)) or np.any(np.diff(values) <= 0):
            raise bad_value(f"classes of {self.task}", values.tolist(), "ascending finite numbers, at least one")

    @classmethod
    def of_grid(
        cls,
        task: str,
        *,
        thickness_nm: Sequence[float],
        mistilt_mrad: Sequence[float],
        scale_range: Sequence[float],
        scale_step: float,
    ) -> TaskClasses:
        """Classes at the values of a system's parameter grid.

        Parameters
        ----------
        task : {"scale", "thickness", "mistilt"}
        thickness_nm, mistilt_mrad : sequence of float
            Values of the grid, ascending [nm, mrad]; a network for them has one class for each.
        scale_range : sequence of float
            Lowest and highest scale, the pixel size relative to the simulated one; classes start at the lowest.
        scale_step : float
            Distance of the classes of scale.

        Raises
        ------
        ParameterError
            The task is unknown, or the values are not ascending.
        """
        low, high = scale_range
        steps = int(np.floor((high - low) / scale_step + 1e-6))
        by_task = {
            "scale": low + scale_step * np.arange(steps + 1),
            "thickness": thickness_nm,
            "mistilt": mistilt_mrad,
        }
        return cls(task, np.round(np.asarray(by_task.get(task, ()), dtype=float), 9))

    @property
    def unit(self) -> str:
        """Unit of the values; 1 for a ratio."""
        return UNITS[self.task]

    @property
    def step(self) -> float:
        """Mean distance of the classes, in their unit; 1 where there is one class only."""
        return float(np.ptp(self.values)) / (len(self.values) - 1) if len(self.values) > 1 else 1.0

    def one_hot(self) -> TaskClasses:
        """The same classes without smoothed labels."""
        return replace(self, smoothed=False)

    def labels(self, true_values: np.ndarray) -> np.ndarray:
        """Smoothed labels: probabilities that fall off as a Gaussian around each true value.

        The label of class c with value v_c, for a true value x, is ``y_c = exp(-(x - v_c)^2 / (2 w^2 s^2)) / Z`` with
        the class step s, the width w = `LABEL_WIDTH` of the task, and Z such that the sum over c is 1. A true value
        between two classes is therefore shared out between them, and an answer one class off costs less than one far
        away. Oberaigner et al. 2023 mention no smoothing: without it the label is 1 for the nearest class.

        Parameters
        ----------
        true_values : ndarray, shape (pattern,)
            In the unit of the classes.

        Returns
        -------
        ndarray of float32, shape (pattern, class)
            Probabilities [1]; rows sum to 1.
        """
        distance = (np.asarray(true_values)[:, None] - self.values) / (LABEL_WIDTH[self.task] * self.step)
        if not self.smoothed:
            return np.eye(len(self.values), dtype=np.float32)[np.argmin(np.abs(distance), axis=1)]
        logits = -0.5 * distance**2
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)

    def candidates(self, probability: np.ndarray) -> np.ndarray:
        """The values of the highest peaks of class probabilities, most probable first.

        Parameters
        ----------
        probability : ndarray, shape (pattern, class)
            Probabilities [1].

        Returns
        -------
        ndarray of float, shape (pattern, `CANDIDATES`)
            In the unit of the classes. Each lies more than `CANDIDATE_RADIUS` classes from the ones before; nan where
            there are fewer.
        """
        left = np.array(probability, dtype=float)
        index = np.arange(left.shape[1])
        found = np.full((len(left), CANDIDATES), np.nan)
        for rank in range(CANDIDATES):
            best = left.argmax(axis=1)
            some = left[np.arange(len(left)), best] >= 0
            found[some, rank] = self.values[best[some]]
            left[np.abs(index - best[:, None]) <= CANDIDATE_RADIUS] = -1.0
        return found

    def scores(self, probability: np.ndarray, true_values: np.ndarray) -> dict[str, float]:
        """Errors of class probabilities against the true values.

        Parameters
        ----------
        probability : ndarray, shape (pattern, class)
            Probabilities [1].
        true_values : ndarray, shape (pattern,)
            In the unit of the classes.

        Returns
        -------
        dict
            ``median_error`` and ``mean_error`` of the most probable class [unit of the classes], and the shares of
            patterns [1] with the most probable class (``within_5_classes``) or the best of the candidates
            (``candidates_within_5_classes``) at most five class steps off.
        """
        error = np.abs(self.values[np.argmax(probability, axis=1)] - true_values)
        best = np.nanmin(np.abs(self.candidates(probability) - true_values[:, None]), axis=1)
        near = NEAR_CLASSES * self.step + 1e-9
        return {
            "median_error": float(np.median(error)),
            "mean_error": float(np.mean(error)),
            "within_5_classes": float(np.mean(error <= near)),
            "candidates_within_5_classes": float(np.mean(best <= near)),
        }
