"""Recipe compact: patterns rendered from the rocking table at continuous parameters."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.learning.augment import degrade, turn_randomly
from pacbed.learning.draws import DrawRanges, SeriesSplit, draw_parameters
from pacbed.learning.feed import Batches, ConvergenceScale, Feed
from pacbed.learning.samples import rendered_samples, series_split
from pacbed.networks.classes import Target
from pacbed.networks.inputs import normalise_batch
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

log = logging.getLogger(__name__)


class RenderedBatches(Batches):
    """Batches of rendered patterns with fresh turns, backgrounds and noise in every epoch.

    Parameters
    ----------
    images : ndarray of float16, shape (n, p, p)
    convergence_mrad : ndarray, shape (n,)
    labels : ndarray of float32, shape (n, class)
    scale : ConvergenceScale
    batch_size : int
    noise_max : float
        See `degrade`.
    flip : bool
        See `turn_randomly`.
    seed : int
    """

    def __init__(
        self,
        images: np.ndarray,
        convergence_mrad: np.ndarray,
        labels: np.ndarray,
        *,
        scale: ConvergenceScale,
        batch_size: int,
        noise_max: float,
        flip: bool,
        seed: int,
    ) -> None:
        super().__init__(seed)
        self.images, self.convergence_mrad, self.labels = images, convergence_mrad, labels
        self.scale, self.noise_max, self.flip = scale, noise_max, flip
        self.batch_size = min(batch_size, len(images))
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0, dtype=int))

    def __len__(self) -> int:
        return len(self.images) // self.batch_size

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        if self._order[0] != self.epoch:
            self._order = (self.epoch, self.rng().permutation(len(self.images)))
        chosen = self._order[1][index * self.batch_size : (index + 1) * self.batch_size]
        rng = self.rng(index)
        images = turn_randomly(self.images[chosen].astype(np.float32), rng=rng, flip=self.flip)
        patterns = normalise_batch(degrade(images, rng=rng, noise_max=self.noise_max))
        convergence = self.scale.inputs(self.convergence_mrad[chosen], rng=rng)
        return {"pattern": patterns[..., None], "convergence": convergence}, self.labels[chosen]


def rendered_feed(
    table_dir: str | Path,
    stack_dir: str | Path,
    *,
    target: Target,
    grid: dict[str, list[float]],
    scale_range: Sequence[float],
    scale: ConvergenceScale,
    samples: int,
    validation_samples: int,
    pixels: int,
    max_angle_mrad: float,
    batch_size: int,
    noise_max: float,
    seed: int,
    state_dir: str | Path,
    threads: int,
) -> Feed:
    """Draw and render the patterns of a training run; those of held-out series only validate.

    Parameters
    ----------
    table_dir, stack_dir : path
        Rocking table, and the stack that says which series are held out.
    target : Target
    grid : dict
        ``thickness_nm``, ``convergence_mrad`` and ``mistilt_mrad``.
    scale_range : sequence of float
        Range of the scale network.
    scale : ConvergenceScale
    samples, validation_samples : int
        Patterns to render.
    pixels, max_angle_mrad, batch_size, noise_max, seed
        See `train_network`.
    state_dir : path
        Keeps the rendered patterns.
    threads : int
        Threads that render.

    Returns
    -------
    Feed
    """
    table = RockingTable.load(table_dir)
    ranges = DrawRanges.of(grid, task=target.task, scale_range=scale_range)
    split = series_split(stack_dir, table.group)
    sides: SeriesSplit | None = split
    if not split.held_out.any():
        log.warning("no series is held out: the validation patterns are new draws from the trained series")
        sides = None
    view: dict[str, Any] = {"pixels": pixels, "max_angle_mrad": max_angle_mrad, "threads": threads}
    renderer, drawn, images = Renderer(table), {}, {}
    for name, count, held_out in (("training", samples, False), ("validation", validation_samples, True)):
        rng = np.random.default_rng((seed, held_out))
        drawn[name] = draw_parameters(count, ranges, rng=rng, split=sides, held_out=held_out)
        images[name] = rendered_samples(renderer, drawn[name], folder=Path(state_dir) / name, **view)
    training, validation = drawn["training"], drawn["validation"]
    batches = RenderedBatches(
        images["training"],
        training.convergence_mrad,
        target.labels(training.value(target.task)),
        scale=scale,
        batch_size=batch_size,
        noise_max=noise_max,
        flip=table.has_mirror,
        seed=seed,
    )
    rng = np.random.default_rng((seed, 2))
    patterns = normalise_batch(degrade(images["validation"].astype(np.float32), rng=rng, noise_max=noise_max))
    inputs = {"pattern": patterns[..., None], "convergence": scale.inputs(validation.convergence_mrad, rng=rng)}
    return Feed(batches, inputs, validation.value(target.task))
