"""Recipe paper: the labelled stack, augmented as in table 1 of Oberaigner et al. 2023."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import affine_transform

from pacbed.errors import bad_value
from pacbed.learning.feed import Batches, ConvergenceScale, Feed
from pacbed.networks.classes import Target
from pacbed.networks.inputs import normalise_batch
from pacbed.simulation.stack.stored import open_stack

# Table 1 of the paper.
SHEAR_DEG = 0.05
ROTATION_DEG = 45.0
SHIFT = 0.1
SCALING = 0.2  # for thickness and mistilt; the scale network's patterns cover its whole range
SERIES_IN_MEMORY = 16  # a chunk of the stack is a whole series: patterns are shuffled within this many


class StackBatches(Batches):
    """Batches of the series on one side of the split.

    Parameters
    ----------
    stack : zarr.Group
        See `open_stack`.
    held_out : bool
        Validation series instead of training series.
    target : Target
    scale : ConvergenceScale
    scale_range : sequence of float
        Range of the scale network.
    pixels : int
        Edge of a network's input; patterns of another size are resampled.
    samples, batch_size : int
        Patterns in an epoch (all there are, if fewer), and in a batch.
    noise_max : float
        Largest Gaussian noise, over the pattern's maximum.
    seed : int
    """

    def __init__(
        self,
        stack: Any,
        *,
        held_out: bool,
        target: Target,
        scale: ConvergenceScale,
        scale_range: Sequence[float],
        pixels: int,
        samples: int,
        batch_size: int,
        noise_max: float,
        seed: int,
    ) -> None:
        super().__init__(seed)
        self.pattern = stack["pattern"]
        names = ("convergence_mrad", "mistilt_mrad", "thickness_nm")
        self.axes = {name: np.asarray(stack[name]) for name in names}
        self.series = np.argwhere((np.asarray(stack["split"]) == 1) == held_out)
        if not len(self.series):
            raise bad_value("split", "a stack without series for this side", "training and validation series")
        self.target, self.scale, self.pixels, self.noise_max = target, scale, pixels, noise_max
        self.scale_range = scale_range if target.task == "scale" else (1 - SCALING, 1 + SCALING)
        self.samples = min(samples, len(self.series) * len(self.axes["thickness_nm"]))
        self.batch_size = min(batch_size, self.samples)
        self._group = lru_cache(maxsize=1)(self._read_group)

    def __len__(self) -> int:
        return self.samples // self.batch_size

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        images, convergence, values, rng = self.batch(index)
        inputs = {"pattern": images[..., None], "convergence": self.scale.inputs(convergence, rng=rng)}
        return inputs, self.target.labels(values)

    def batch(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator]:
        """Normalised images (n, p, p), convergence angles (n,), true values (n,) and what is left of the randomness."""
        rng = self.rng(index)
        places = np.arange(index * self.batch_size, (index + 1) * self.batch_size)
        depth = len(self.axes["thickness_nm"])
        images = np.empty((len(places), self.pixels, self.pixels), dtype=np.float32)
        convergence, values = np.empty(len(places)), np.empty(len(places))
        for row, place in enumerate(places):
            group, within = divmod(int(place), SERIES_IN_MEMORY * depth)
            patterns, labels = self._group(self.epoch, group)
            scale = rng.uniform(self.scale_range[0], self.scale_range[1])
            images[row] = self._augment(patterns[within], scale, rng)
            convergence[row] = labels[within, 0]
            values[row] = scale if self.target.task == "scale" else labels[within, 1]
        return normalise_batch(images), convergence, values, rng

    def _read_group(self, epoch: int, group: int) -> tuple[np.ndarray, np.ndarray]:
        """Patterns (n, P, P) and their convergence angle and value (n, 2) of some series, shuffled together."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.series))
        chosen = self.series[order[group * SERIES_IN_MEMORY : (group + 1) * SERIES_IN_MEMORY]]
        patterns = np.concatenate([self.pattern[int(i), int(j)] for i, j in chosen])
        thickness, angles = self.axes["thickness_nm"], self.axes["convergence_mrad"][chosen[:, 0]]
        tilts = self.axes["mistilt_mrad"][chosen[:, 1]]
        value = np.repeat(tilts, len(thickness)) if self.target.task == "mistilt" else np.tile(thickness, len(chosen))
        labels = np.stack([np.repeat(angles, len(thickness)), value], axis=1)
        shuffled = np.random.default_rng((self.seed, epoch, group, 1)).permutation(len(patterns))
        return patterns[shuffled], labels[shuffled]

    def _augment(self, pattern: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
        image = move(
            pattern.astype(np.float32),
            pixels=self.pixels,
            scale=scale,
            rotation_deg=rng.uniform(-ROTATION_DEG, ROTATION_DEG),
            shear_deg=rng.uniform(-SHEAR_DEG, SHEAR_DEG, 2),
            shift=rng.uniform(-SHIFT, SHIFT, 2),
            flips=rng.random(2) < 0.5,
        )
        image /= max(float(image.max()), 1e-30)
        image += rng.uniform(0.0, self.noise_max) * rng.standard_normal(image.shape, dtype=np.float32)
        return image


def move(
    pattern: np.ndarray,
    *,
    pixels: int,
    scale: float,
    rotation_deg: float,
    shear_deg: np.ndarray,
    shift: np.ndarray,
    flips: np.ndarray,
) -> np.ndarray:
    """Scale, turn, shear, flip and shift a centred pattern in one interpolation.

    Parameters
    ----------
    pattern : ndarray of float32, shape (n, n)
    pixels : int
        Edge of the result, which covers the same field at scale 1.
    scale : float
        Pixel size of the result relative to that: above 1 the pattern looks smaller.
    rotation_deg : float
        Turn from +x towards +y.
    shear_deg, shift, flips : ndarray, shape (2,)
        Along x and y; shift over the width of the result; flips left-right and up-down.

    Returns
    -------
    ndarray of float32, shape (pixels, pixels)
    """
    # ASSUME: flips as in the paper; they are right only where the projection has a mirror, as its three materials do.
    angle = np.deg2rad(rotation_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    tangents = np.tan(np.deg2rad(shear_deg))
    # Rows and columns of the pattern at a place of the result; a turn of the image is the opposite turn of the places.
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shear = np.array([[1.0, tangents[1]], [tangents[0], 1.0]])
    flip = np.diag(np.where(flips[::-1], -1.0, 1.0))
    matrix = flip @ shear @ turn * scale * len(pattern) / pixels
    middle = (pixels - 1) / 2 + shift[::-1] * pixels
    moved = affine_transform(
        pattern, matrix, (len(pattern) - 1) / 2 - matrix @ middle, output_shape=(pixels, pixels), order=1
    )
    return np.asarray(moved, dtype=np.float32)


def stack_feed(
    stack_dir: str | Path,
    *,
    target: Target,
    scale_range: Sequence[float],
    scale: ConvergenceScale,
    samples: int,
    validation_samples: int,
    pixels: int,
    batch_size: int,
    noise_max: float,
    seed: int,
) -> Feed:
    """Batches of a stack's training series, and validation patterns from its held-out series."""
    stack = open_stack(stack_dir)
    shared: dict[str, Any] = {
        "target": target,
        "scale": scale,
        "scale_range": scale_range,
        "pixels": pixels,
        "noise_max": noise_max,
    }
    batches = StackBatches(stack, held_out=False, samples=samples, batch_size=batch_size, seed=seed, **shared)
    judge = StackBatches(
        stack, held_out=True, samples=validation_samples, batch_size=validation_samples, seed=seed + 1, **shared
    )
    images, convergence, values, rng = judge.batch(0)
    return Feed(batches, {"pattern": images[..., None], "convergence": scale.inputs(convergence, rng=rng)}, values)
