"""What a training is fed with: batches that differ from epoch to epoch, and patterns that only validate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np

from pacbed.learning.settings import TrainingSettings
from pacbed.networks.inputs import ConvergenceNormalisation, named_inputs

# The paper adds noise to the normalised convergence angle.
# ASSUME: users know their convergence angle to 2 % (standard deviation, an estimate).
CONVERGENCE_ERROR = 0.02


@dataclass(frozen=True)
class TrainingData:
    """What a recipe takes its patterns from.

    Attributes
    ----------
    table_dir : Path
        Rocking table, which patterns are rendered from.
    stack_dir : Path
        Stack of patterns on the parameter grid; it says which thickness series are held out.
    state_dir : Path
        Keeps rendered patterns while the training lasts.
    threads : int
        Threads that render.
    """

    table_dir: Path
    stack_dir: Path
    state_dir: Path
    threads: int = 1


class LabelledPatterns(NamedTuple):
    """Patterns, and what is known of each.

    Attributes
    ----------
    images : ndarray, shape (pattern, y, x)
        Intensities, or normalised to -1 and 1 [1].
    convergence_mrad : ndarray, shape (pattern,)
        Semi-convergence angles [mrad].
    true_values : ndarray, shape (pattern,)
        What the network is to find [nm, mrad or 1, by task].
    """

    images: np.ndarray
    convergence_mrad: np.ndarray
    true_values: np.ndarray

    def select(self, index: np.ndarray | slice) -> LabelledPatterns:
        """The patterns at an index."""
        return LabelledPatterns(*(array[index] for array in self))


class PatternSource(Protocol):
    """Hands out training patterns, augmented; what a recipe has of its own."""

    def __len__(self) -> int:
        """Batches in an epoch."""

    def batch(self, epoch: int, index: int, rng: np.random.Generator) -> LabelledPatterns:
        """One batch of an epoch, its images normalised; everything that differs from epoch to epoch is drawn here."""


class Batches(keras.utils.PyDataset):
    """Training batches that are a function of seed, epoch and index alone, so that a resumed run sees the same.

    Parameters
    ----------
    source : PatternSource
        Hands out the patterns.
    settings : TrainingSettings
        Their classes, the normalisation of convergence angles, and the seed.

    Attributes
    ----------
    epoch : int
        Epoch whose batches are handed out; set by `FollowEpoch`.
    """

    def __init__(self, source: PatternSource, settings: TrainingSettings) -> None:
        super().__init__()
        self.source, self.seed = source, settings.seed
        self.classes, self.convergence = settings.classes, settings.convergence
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Inputs and labels (pattern, class) of one batch, as Keras wants them."""
        rng = np.random.default_rng((self.seed, self.epoch, index))
        patterns = self.source.batch(self.epoch, index, rng)
        return noisy_inputs(patterns, self.convergence, rng=rng), self.classes.labels(patterns.true_values)


class FollowEpoch(keras.callbacks.Callback):
    """Tells the batches which epoch it is, also after a resume."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Draw the noise of this epoch, also where training is resumed."""
        self.batches.epoch = epoch


@dataclass(frozen=True)
class Feed:
    """Everything a network is trained and judged with.

    Attributes
    ----------
    batches : Batches
        Training batches: inputs and labels.
    inputs : dict of ndarray
        Validation: ``pattern``, shape (pattern, y, x, 1), and ``convergence``, shape (pattern, 1), normalised [1].
    true_values : ndarray, shape (pattern,)
        What the network should find in them [nm, mrad or 1, by task].
    """

    batches: Batches
    inputs: dict[str, np.ndarray]
    true_values: np.ndarray

    @classmethod
    def of(
        cls,
        source: PatternSource,
        validation: LabelledPatterns,
        settings: TrainingSettings,
        *,
        rng: np.random.Generator,
    ) -> Feed:
        """Training patterns of a source; validation patterns, normalised, with convergence angles wrong by `rng`."""
        inputs = noisy_inputs(validation, settings.convergence, rng=rng)
        return cls(Batches(source, settings), inputs, validation.true_values)


def noisy_inputs(
    patterns: LabelledPatterns, convergence: ConvergenceNormalisation, *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """A network's inputs, the convergence angles with the error of a user's knowledge.

    Parameters
    ----------
    patterns : LabelledPatterns
        Images normalised, of type float32.
    convergence : ConvergenceNormalisation
        Of the angles.
    rng : numpy.random.Generator
        Draws the errors: normal, `CONVERGENCE_ERROR` of the middle angle wide.

    Returns
    -------
    dict of ndarray
        ``pattern``, shape (pattern, y, x, 1), and ``convergence``, shape (pattern, 1), float32 [1].
    """
    error_mrad = rng.normal(0.0, CONVERGENCE_ERROR * convergence.center_mrad, len(patterns.convergence_mrad))
    return named_inputs(patterns.images, convergence.normalise(patterns.convergence_mrad + error_mrad))
