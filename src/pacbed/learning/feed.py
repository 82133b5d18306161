"""What a training is fed with: batches that differ from epoch to epoch, and patterns that only validate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np

from pacbed.learning.settings import TrainingSettings
from pacbed.networks.architectures import layers_of
from pacbed.networks.azimuth import azimuth_labels
from pacbed.networks.classes import TaskClasses
from pacbed.networks.frame import Placement
from pacbed.networks.inputs import ConvergenceNormalisation, named_inputs

AZIMUTH = "azimuth"  # key of the mistilt vectors among the true values, and of their labels
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
        Stack of patterns on the parameter grid; it says which thickness series are held out, and its pixels are those
        that noise is told of.
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
    images : ndarray, shape (pattern, y, x) or (pattern, radius, angle)
        Intensities, or normalised to -1 and 1 [1].
    told_mrad : ndarray, shape (pattern,)
        Semi-convergence angles that the network is told [mrad].
    true_values : dict of ndarray, shape (pattern,)
        What the networks are to find, by task [nm, mrad or 1]; at `AZIMUTH` the mistilt (x, y) in the frame of the
        image, shape (pattern, 2) [mrad].
    """

    images: np.ndarray
    told_mrad: np.ndarray
    true_values: dict[str, np.ndarray]


class PatternSource(Protocol):
    """Hands out training patterns, augmented; what a recipe has of its own."""

    batch_size: int
    """Patterns in a batch."""

    def __len__(self) -> int:
        """Batches in an epoch."""

    def batch(self, epoch: int, index: int, rng: np.random.Generator) -> LabelledPatterns:
        """One batch of an epoch, its images normalised; everything that differs from epoch to epoch is drawn here."""


class Turned(NamedTuple):
    """Validation patterns as a prediction shows them to a network, in one of several ways.

    Attributes
    ----------
    inputs : dict of ndarray
        As `Feed.inputs`.
    placement : Placement
        How the maps lie on their images.
    """

    inputs: dict[str, np.ndarray]
    placement: Placement


class Batches(keras.utils.PyDataset):
    """Training batches that are a function of seed, epoch and index alone, so that a resumed run sees the same.

    Parameters
    ----------
    source : PatternSource
        Hands out the patterns.
    classes : mapping
        Classes by task.
    convergence : ConvergenceNormalisation
        Of the angles.
    seed : int

    Attributes
    ----------
    epoch : int
        Epoch whose batches are handed out; set by `FollowEpoch`.
    seconds : float
        Time that making batches has taken [s].
    """

    def __init__(
        self,
        source: PatternSource,
        classes: Mapping[str, TaskClasses],
        convergence: ConvergenceNormalisation,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.source, self.classes, self.convergence, self.seed = source, classes, convergence, seed
        self.epoch, self.seconds = 0, 0.0

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Inputs, and labels (pattern, class) by task, of one batch, as Keras wants them."""
        started = time.perf_counter()
        rng = np.random.default_rng((self.seed, self.epoch, index))
        patterns = self.source.batch(self.epoch, index, rng)
        inputs = named_inputs(patterns.images, self.convergence.normalise(patterns.told_mrad))
        labels = labels_of(self.classes, patterns.true_values)
        self.seconds += time.perf_counter() - started
        return inputs, labels


class FollowEpoch(keras.callbacks.Callback):
    """Tells the batches which epoch it is, and dropout what to drop, also after a resume."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Draw the noise of this epoch, also where training is resumed."""
        self.batches.epoch = epoch
        generators = [layer.seed_generator for layer in layers_of(self.model) if hasattr(layer, "seed_generator")]
        for index, generator in enumerate(generators):
            # Keras saves no state of these: a resumed training would drop other nodes.
            first = np.random.SeedSequence((self.batches.seed, epoch, index)).generate_state(1)[0]
            generator.state.assign(np.array([first, 0], dtype=generator.state.dtype))


@dataclass(frozen=True)
class Feed:
    """Everything a network is trained and judged with.

    Attributes
    ----------
    batches : Batches
        Training batches: inputs and labels.
    inputs : dict of ndarray
        Validation: ``pattern``, shape (pattern, y, x, 1), and ``convergence``, shape (pattern, 1), normalised [1].
    true_values : dict of ndarray
        What the networks should find in them, as in `LabelledPatterns`.
    turned : callable, optional
        Returns an iterator over the ways in which a prediction shows them, whose answers it averages.
    mirror : bool
        A prediction may mirror patterns.
    """

    batches: Batches
    inputs: dict[str, np.ndarray]
    true_values: dict[str, np.ndarray]
    turned: Callable[[], Iterator[Turned]] | None = None
    mirror: bool = False

    @classmethod
    def of(
        cls,
        source: PatternSource,
        validation: LabelledPatterns,
        settings: TrainingSettings,
        classes: Mapping[str, TaskClasses],
        *,
        turned: Callable[[], Iterator[Turned]] | None = None,
        mirror: bool = False,
    ) -> Feed:
        """Training patterns of a source, and validation patterns, normalised."""
        inputs = named_inputs(validation.images, settings.convergence.normalise(validation.told_mrad))
        batches = Batches(source, classes, settings.convergence, seed=settings.seed)
        return cls(batches, inputs, validation.true_values, turned, mirror)

    @property
    def labels(self) -> dict[str, np.ndarray]:
        """Labels of the validation patterns."""
        return labels_of(self.batches.classes, self.true_values)


def labels_of(classes: Mapping[str, TaskClasses], true_values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Smoothed labels of the tasks, shape (pattern, class), and at `AZIMUTH` those of the mistilt's direction."""
    labels = {task: of_task.labels(true_values[task]) for task, of_task in classes.items()}
    if AZIMUTH in true_values and "mistilt" in classes:
        labels[AZIMUTH] = azimuth_labels(true_values[AZIMUTH])
    return labels


def as_told(
    convergence_mrad: np.ndarray, convergence: ConvergenceNormalisation, *, rng: np.random.Generator
) -> np.ndarray:
    """Semi-convergence angles with the error of a user's knowledge, shape (pattern,) [mrad].

    Parameters
    ----------
    convergence_mrad : ndarray, shape (pattern,)
        True angles [mrad].
    convergence : ConvergenceNormalisation
        Of the angles.
    rng : numpy.random.Generator
        Draws the errors: normal, `CONVERGENCE_ERROR` of the middle angle wide.
    """
    return convergence_mrad + rng.normal(0.0, CONVERGENCE_ERROR * convergence.center_mrad, len(convergence_mrad))
