"""What the networks answer: ordered classes, labels that know their neighbours, and candidates from probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pacbed.config.values import TASKS
from pacbed.errors import bad_value

UNITS = {"scale": "1", "thickness": "nm", "mistilt": "mrad"}
# Standard deviation of a label, in classes: neighbouring thicknesses look alike, mistilts one class apart do not.
LABEL_WIDTH = {"scale": 1.0, "thickness": 1.0, "mistilt": 0.5}
CANDIDATES = 3
CANDIDATE_RADIUS = 3  # classes around a peak that belong to it


@dataclass(frozen=True)
class Target:
    """Classes of one task.

    Attributes
    ----------
    task : {"scale", "thickness", "mistilt"}
    values : ndarray, shape (class,)
        Ascending values of the classes.
    """

    task: str
    values: np.ndarray

    @classmethod
    def of(
        cls,
        task: str,
        *,
        thickness_nm: Sequence[float],
        mistilt_mrad: Sequence[float],
        scale_range: Sequence[float],
        scale_step: float,
    ) -> Target:
        """Classes on the grid of the configuration; those of scale start at the low end of their range."""
        if task not in TASKS:
            raise bad_value("task", task, f"one of {', '.join(TASKS)}")
        low, high = scale_range
        steps = int(np.floor((high - low) / scale_step + 1e-6))
        scales = low + scale_step * np.arange(steps + 1)
        values = {"scale": scales, "thickness": thickness_nm, "mistilt": mistilt_mrad}[task]
        return cls(task, np.round(np.asarray(values, dtype=float), 9))

    @property
    def unit(self) -> str:
        """Unit of the values; 1 for a ratio."""
        return UNITS[self.task]

    @property
    def step(self) -> float:
        """Mean distance of the classes, 1 where there is one class only."""
        return float(np.ptp(self.values)) / (len(self.values) - 1) if len(self.values) > 1 else 1.0

    def labels(self, true_values: np.ndarray) -> np.ndarray:
        """Probabilities over the classes that fall off as a Gaussian around each true value.

        Parameters
        ----------
        true_values : ndarray, shape (n,)

        Returns
        -------
        ndarray of float32, shape (n, class)
            Rows sum to 1.
        """
        distance = (np.asarray(true_values)[:, None] - self.values) / (LABEL_WIDTH[self.task] * self.step)
        logits = -0.5 * distance**2
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)

    def candidates(self, probability: np.ndarray) -> np.ndarray:
        """The values of the highest peaks of class probabilities, most probable first.

        Parameters
        ----------
        probability : ndarray, shape (n, class)

        Returns
        -------
        ndarray, shape (n, candidate)
            Up to three values, each further than three classes from the ones before; nan where there are fewer.
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
        """Errors of class probabilities, shape (n, class), against the true values, shape (n,).

        Returns
        -------
        dict
            ``median_error`` and ``mean_error`` of the most probable class, ``within_5_classes`` for it and
            ``candidates_within_5_classes`` for the best of the candidates.
        """
        error = np.abs(self.values[np.argmax(probability, axis=1)] - true_values)
        best = np.nanmin(np.abs(self.candidates(probability) - true_values[:, None]), axis=1)
        near = 5 * self.step + 1e-9
        return {
            "median_error": float(np.median(error)),
            "mean_error": float(np.mean(error)),
            "within_5_classes": float(np.mean(error <= near)),
            "candidates_within_5_classes": float(np.mean(best <= near)),
        }
