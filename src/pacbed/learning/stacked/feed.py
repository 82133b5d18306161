"""Recipe paper: the labelled stack, augmented as in table 1 of Oberaigner et al. 2023."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import zarr

from pacbed.errors import bad_value
from pacbed.learning.feed import Feed, LabelledPatterns, TrainingData
from pacbed.learning.settings import TrainingSettings
from pacbed.learning.stacked.augment import Distortion, distort
from pacbed.networks.inputs import normalise_patterns
from pacbed.simulation.stack.stored import open_stack, read_series

# Table 1 of the paper.
SHEAR_DEG = 0.05
ROTATION_DEG = 45.0
SHIFT = 0.1  # over the image's width
SCALING = 0.2  # for thickness and mistilt; the scale network's patterns cover its whole range
# Of the convergence angle, over the range of the grid: the paper's code normalises it to 0 and 1.
ANGLE_NOISE = 0.05
SERIES_IN_MEMORY = 16  # a chunk of the stack is a whole series: patterns are shuffled within this many


class StackedPatterns(NamedTuple):
    """Patterns as stored, shape (pattern, y, x), their convergence angles [mrad] and true values, shape (pattern,)."""

    images: np.ndarray
    convergence_mrad: np.ndarray
    true_values: np.ndarray


class StackSource:
    """Batches of the patterns of a stack, distorted and noisy in another way in every epoch.

    Parameters
    ----------
    stack : zarr.Group
        From `open_stack`: ``pattern`` of shape (convergence, tilt, thickness, y, x), its axes, and ``split``.
    settings : TrainingSettings
        Size of the images, patterns in an epoch and a batch, noise, seed.
    task : {"scale", "thickness", "mistilt"}
        What the network is to find.
    held_out : bool
        Hand out the patterns that only validate, all in one batch, instead of those that train.

    Raises
    ------
    ParameterError
        The stack has no series on this side of the split.
    """

    def __init__(self, stack: zarr.Group, settings: TrainingSettings, task: str, *, held_out: bool = False) -> None:
        self.stacked: Any = stack["pattern"]
        self.thickness_nm, self.convergence_mrad, self.mistilt_mrad = (
            np.asarray(stack[name]) for name in ("thickness_nm", "convergence_mrad", "mistilt_mrad")
        )
        self.series = np.argwhere((np.asarray(stack["split"]) == 1) == held_out)
        if not len(self.series):
            raise bad_value("split", "a stack without series for this side", "training and validation series")
        self.task, self.pixels, self.noise_max = task, settings.pixels, settings.noise_max
        self.convergence = settings.convergence
        self.scale_range = settings.scale_range if self.task == "scale" else (1 - SCALING, 1 + SCALING)
        self.seed = settings.seed + held_out
        asked = settings.validation_samples if held_out else settings.samples
        self.count = min(asked, len(self.series) * len(self.thickness_nm))
        self.batch_size = self.count if held_out else min(settings.batch_size, self.count)
        self._in_memory = lru_cache(maxsize=1)(self._read_series)

    def __len__(self) -> int:
        return self.count // self.batch_size

    def batch(self, epoch: int, index: int, rng: np.random.Generator) -> LabelledPatterns:
        """One batch of an epoch, see `pacbed.learning.feed.PatternSource`."""
        images = np.empty((self.batch_size, self.pixels, self.pixels), dtype=np.float32)
        convergence_mrad, true_values = np.empty(self.batch_size), np.empty(self.batch_size)
        for row in range(self.batch_size):
            group, within = divmod(index * self.batch_size + row, SERIES_IN_MEMORY * len(self.thickness_nm))
            patterns = self._in_memory(epoch, group)
            scale = rng.uniform(self.scale_range[0], self.scale_range[1])
            images[row] = self._augment(patterns.images[within], scale, rng)
            convergence_mrad[row] = patterns.convergence_mrad[within]
            true_values[row] = scale if self.task == "scale" else patterns.true_values[within]
        told_mrad = convergence_mrad + rng.normal(0.0, ANGLE_NOISE * 2 * self.convergence.half_width_mrad, len(images))
        return LabelledPatterns(normalise_patterns(images), told_mrad, {self.task: true_values})

    def _read_series(self, epoch: int, group: int) -> StackedPatterns:
        """The patterns of up to `SERIES_IN_MEMORY` series, shuffled together; images as stored."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.series))
        chosen = self.series[order[group * SERIES_IN_MEMORY : (group + 1) * SERIES_IN_MEMORY]]
        depth = len(self.thickness_nm)
        mistilt_mrad = np.repeat(self.mistilt_mrad[chosen[:, 1]], depth)
        patterns = StackedPatterns(
            np.concatenate([read_series(self.stacked, int(convergence), int(tilt)) for convergence, tilt in chosen]),
            np.repeat(self.convergence_mrad[chosen[:, 0]], depth),
            mistilt_mrad if self.task == "mistilt" else np.tile(self.thickness_nm, len(chosen)),
        )
        shuffled = np.random.default_rng((self.seed, epoch, group, 1)).permutation(len(patterns.images))
        return StackedPatterns(*(array[shuffled] for array in patterns))

    def _augment(self, stored: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
        """One stored pattern, distorted, its maximum 1, with Gaussian noise; shape (y, x)."""
        # ASSUME: flips as in the paper; they are right only where the projection has a mirror, as its three materials
        # do.
        distortion = Distortion(
            scale=scale,
            rotation_deg=rng.uniform(-ROTATION_DEG, ROTATION_DEG),
            shear_deg=rng.uniform(-SHEAR_DEG, SHEAR_DEG, 2),
            shift=rng.uniform(-SHIFT, SHIFT, 2),
            flips=rng.random(2) < 0.5,
        )
        image = distort(stored.astype(np.float32), distortion, pixels=self.pixels)
        image /= max(float(image.max()), 1e-30)
        image += rng.uniform(0.0, self.noise_max) * rng.standard_normal(image.shape, dtype=np.float32)
        return image


def stack_feed(settings: TrainingSettings, data: TrainingData, tasks: Sequence[str]) -> Feed:
    """Batches of a stack's training series, and validation patterns from its held-out series.

    Parameters
    ----------
    settings : TrainingSettings
        Number of the patterns, and what is done to them.
    data : TrainingData
        Of which the stack alone is read.
    tasks : sequence of str
        The one task that is trained.

    Returns
    -------
    Feed

    Raises
    ------
    ParameterError
        The stack has no series that train, or none that are held out.
    """
    (task,) = tasks
    stack = open_stack(data.stack_dir)
    judge = StackSource(stack, settings, task, held_out=True)
    validation = judge.batch(0, 0, np.random.default_rng((judge.seed, 0, 0)))
    return Feed.of(
        StackSource(stack, settings, task), validation, settings, {task: settings.classes_of(task).one_hot()}
    )
