"""Recipe compact: patterns rendered from the rocking table at continuous parameters."""

from __future__ import annotations

import logging

import numpy as np

from pacbed.learning.augment import degrade, turn_randomly
from pacbed.learning.draws import SeriesSplit, draw_parameters, series_split
from pacbed.learning.feed import Feed, LabelledPatterns, TrainingData
from pacbed.learning.rendered_patterns import stored_patterns
from pacbed.learning.settings import TrainingSettings
from pacbed.networks.inputs import normalise_patterns
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

log = logging.getLogger(__name__)


class RenderedSource:
    """Batches of rendered patterns with fresh turns, backgrounds and noise in every epoch.

    Parameters
    ----------
    patterns : LabelledPatterns
        All training patterns: images of float16, shape (pattern, y, x), each relative to its maximum [1].
    settings : TrainingSettings
        Size of a batch, noise and seed.
    mirror : bool
        The crystal's beam group holds a mirror: patterns may be flipped.
    """

    def __init__(self, patterns: LabelledPatterns, settings: TrainingSettings, *, mirror: bool) -> None:
        self.patterns, self.mirror = patterns, mirror
        self.noise_max, self.seed = settings.noise_max, settings.seed
        self.batch_size = min(settings.batch_size, len(patterns.images))
        self._order_of_epoch: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.patterns.images) // self.batch_size

    def batch(self, epoch: int, index: int, rng: np.random.Generator) -> LabelledPatterns:
        """One batch of an epoch, see `pacbed.learning.feed.PatternSource`."""
        chosen = self._order(epoch)[index * self.batch_size : (index + 1) * self.batch_size]
        batch = self.patterns.select(chosen)
        images = turn_randomly(batch.images.astype(np.float32), rng=rng, flip=self.mirror)
        return batch._replace(images=normalise_patterns(degrade(images, rng=rng, noise_max=self.noise_max)))

    def _order(self, epoch: int) -> np.ndarray:
        """Order in which an epoch shows the patterns, shape (pattern,)."""
        if epoch not in self._order_of_epoch:
            order = np.random.default_rng((self.seed, epoch)).permutation(len(self.patterns.images))
            self._order_of_epoch = {epoch: order}
        return self._order_of_epoch[epoch]


def rendered_feed(settings: TrainingSettings, data: TrainingData) -> Feed:
    """Draw and render the patterns of a training; those of held-out series only validate.

    Parameters
    ----------
    settings : TrainingSettings
        Ranges and number of the patterns, and what is done to them.
    data : TrainingData
        Rocking table, stack with the split, and the folder that keeps the rendered patterns.

    Returns
    -------
    Feed
    """
    table = RockingTable.load(data.table_dir)
    split: SeriesSplit | None = series_split(data.stack_dir, table.group)
    if split is not None and not split.held_out.any():
        log.warning("no series is held out: the validation patterns are new draws from the trained series")
        split = None
    renderer = Renderer(table)

    def draw_and_render(folder: str, count: int, *, held_out: bool) -> LabelledPatterns:
        rng = np.random.default_rng((settings.seed, held_out))
        drawn = draw_parameters(count, settings.draw_ranges, rng=rng, split=split, held_out=held_out)
        images = stored_patterns(
            renderer,
            drawn,
            pixels=settings.pixels,
            max_angle_mrad=settings.max_angle_mrad,
            folder=data.state_dir / folder,
            threads=data.threads,
        )
        return LabelledPatterns(images, drawn.convergence_mrad, drawn.true_values(settings.task))

    training = draw_and_render("training", settings.samples, held_out=False)
    validation = draw_and_render("validation", settings.validation_samples, held_out=True)
    rng = np.random.default_rng((settings.seed, 2))
    seen = degrade(validation.images.astype(np.float32), rng=rng, noise_max=settings.noise_max)
    source = RenderedSource(training, settings, mirror=table.has_mirror)
    return Feed.of(source, validation._replace(images=normalise_patterns(seen)), settings, rng=rng)
