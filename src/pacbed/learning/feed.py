"""What a training run is fed with: batches that differ from epoch to epoch, and a fixed validation set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from pacbed.networks.inputs import convergence_input

# The paper adds noise to the normalised convergence angle.
# ASSUME: users know their convergence angle to 2 % (standard deviation).
CONVERGENCE_ERROR = 0.02


@dataclass(frozen=True)
class ConvergenceScale:
    """How convergence angles are normalised [mrad], see `convergence_input`."""

    center_mrad: float
    half_width_mrad: float

    @classmethod
    def of(cls, convergence_mrad: list[float]) -> ConvergenceScale:
        """Middle and half width of a grid's angles; the half width is at least 5 % of the middle."""
        low, high = min(convergence_mrad), max(convergence_mrad)
        center = (low + high) / 2
        return cls(center, max((high - low) / 2, 0.05 * center))

    def inputs(self, convergence_mrad: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Normalised angles with the error of a user's knowledge; shape (n, 1)."""
        error = rng.normal(0.0, CONVERGENCE_ERROR * self.center_mrad, len(convergence_mrad))
        return convergence_input(
            convergence_mrad + error, center_mrad=self.center_mrad, half_width_mrad=self.half_width_mrad
        )


class Batches(keras.utils.PyDataset):
    """Training batches that are a function of seed, epoch and index alone, so that a resumed run sees the same.

    Attributes
    ----------
    epoch : int
        Epoch whose batches are handed out; set by `FollowEpoch`.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed
        self.epoch = 0

    def rng(self, *index: int) -> np.random.Generator:
        """Random numbers of this epoch and the given indices."""
        return np.random.default_rng((self.seed, self.epoch, *index))


class FollowEpoch(keras.callbacks.Callback):
    """Tells the batches which epoch it is, also after a resume."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.batches.epoch = epoch


@dataclass(frozen=True)
class Feed:
    """Everything a network is trained and judged with.

    Attributes
    ----------
    batches : Batches
        Inputs ``{"pattern", "convergence"}`` and labels.
    inputs : dict of ndarray
        Validation: ``pattern`` (n, p, p, 1), ``convergence`` (n, 1).
    true_values : ndarray, shape (n,)
        What the network should find in them.
    """

    batches: Batches
    inputs: dict[str, np.ndarray]
    true_values: np.ndarray
