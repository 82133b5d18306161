"""Recipe compact: patterns rendered from the rocking table at continuous parameters, one set for all tasks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.learning.draws import DrawnParameters, SeriesSplit, draw_parameters, series_split
from pacbed.learning.feed import AZIMUTH, Feed, LabelledPatterns, TrainingData, Turned, as_told
from pacbed.learning.rendered.degradation import CameraPixels, Recorded, degrade, mask_field
from pacbed.learning.rendered.patterns import FramedPatterns, stored_patterns
from pacbed.learning.settings import TrainingSettings
from pacbed.networks.classes import TaskClasses
from pacbed.networks.frame import Placement, PolarFrame
from pacbed.networks.inputs import named_inputs, normalise_patterns
from pacbed.networks.trained import averaged_placement
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.stack.stored import open_stack
from pacbed.simulation.table.rocking_table import RockingTable

log = logging.getLogger(__name__)
# ASSUME: the bright region of a recorded pattern is found to within these standard deviations over its radius, plus a
# share of the height of the diffuse background, which enlarges it (measured on degraded renderings,
# docs/design-notes.md).
CENTER_ERROR, RADIUS_ERROR = 0.01, 0.01
DIFFUSE_CENTER_ERROR, DIFFUSE_RADIUS_ERROR = 0.05, 0.12


@dataclass(frozen=True)
class Camera:
    """The camera that noise is told of.

    Attributes
    ----------
    pixel_mrad : float
        Edge of its pixels [mrad].
    max_angle_mrad : float
        Half width of its field of view [mrad].
    """

    pixel_mrad: float
    max_angle_mrad: float

    @classmethod
    def of_stack(cls, stack_dir: str | Path, max_angle_mrad: float) -> Camera:
        """Pixels and field of view of a stack."""
        pattern: Any = open_stack(stack_dir)["pattern"]
        return cls(2 * max_angle_mrad / pattern.shape[-1], max_angle_mrad)


@dataclass(frozen=True)
class FramedSet:
    """Patterns about their bright regions with their parameters.

    Attributes
    ----------
    patterns : FramedPatterns
    drawn : DrawnParameters
    frame : PolarFrame
    camera : Camera
    """

    patterns: FramedPatterns
    drawn: DrawnParameters
    frame: PolarFrame
    camera: Camera

    def recorded(self, chosen: np.ndarray, *, rng: np.random.Generator, noise_max: float) -> Recorded:
        """Some of the patterns, degraded and normalised."""
        radius_mrad = self.patterns.radius_mrad[chosen]
        pixels = CameraPixels(
            ratio=self.frame.pixel * radius_mrad / self.camera.pixel_mrad,
            brightest=self.patterns.brightest[chosen] * self.camera.pixel_mrad**2,
        )
        clean = self.patterns.images[chosen].astype(np.float32)
        seen = degrade(clean, pixels, rng=rng, noise_max=noise_max)
        mask_field(seen.images, self.camera.max_angle_mrad / radius_mrad, rng=rng)
        return seen._replace(images=normalise_patterns(seen.images))

    def true_values(self, chosen: np.ndarray, placement: Placement, told_mrad: np.ndarray) -> dict[str, np.ndarray]:
        """What the networks are to find in some of the patterns, as in `LabelledPatterns`.

        The scale is the radius taken for that of the bright region, in the units of the frame's pixels, over the
        convergence angle told: both are known of a recorded pattern, so that it gives the pixel size.
        """
        some = self.drawn.select(chosen)
        size = some.true_values("mistilt")
        azimuth = np.deg2rad(some.rotation_deg) + np.arctan2(some.mistilt_mrad[:, 1], some.mistilt_mrad[:, 0])
        seen = placement.seen_azimuth(azimuth)
        return {
            "scale": placement.radius * self.patterns.radius_mrad[chosen] / told_mrad,
            "thickness": some.true_values("thickness"),
            "mistilt": size,
            AZIMUTH: size[:, None] * np.stack([np.cos(seen), np.sin(seen)], axis=1),
        }


class RenderedSource:
    """Batches of rendered patterns with fresh turns, frames, backgrounds and noise in every epoch.

    Parameters
    ----------
    patterns : FramedSet
        All training patterns.
    settings : TrainingSettings
        Size of a batch, noise and seed.
    mirror : bool
        The crystal's beam group holds a mirror: patterns may be mirrored.
    """

    def __init__(self, patterns: FramedSet, settings: TrainingSettings, *, mirror: bool) -> None:
        self.patterns, self.mirror = patterns, mirror
        self.convergence, self.noise_max, self.seed = settings.convergence, settings.noise_max, settings.seed
        self.batch_size = min(settings.batch_size, len(patterns.drawn))
        self._order_of_epoch: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.patterns.drawn) // self.batch_size

    def batch(self, epoch: int, index: int, rng: np.random.Generator) -> LabelledPatterns:
        """One batch of an epoch, see `pacbed.learning.feed.PatternSource`."""
        chosen = self._order(epoch)[index * self.batch_size : (index + 1) * self.batch_size]
        recorded = self.patterns.recorded(chosen, rng=rng, noise_max=self.noise_max)
        placement = misplaced(recorded.diffuse, rng=rng, mirror=self.mirror)
        told_mrad = as_told(self.patterns.drawn.convergence_mrad[chosen], self.convergence, rng=rng)
        values = self.patterns.true_values(chosen, placement, told_mrad)
        return LabelledPatterns(self.patterns.frame.maps(recorded.images, placement), told_mrad, values)

    def _order(self, epoch: int) -> np.ndarray:
        """Order in which an epoch shows the patterns, shape (pattern,)."""
        if epoch not in self._order_of_epoch:
            order = np.random.default_rng((self.seed, epoch)).permutation(len(self.patterns.drawn))
            self._order_of_epoch = {epoch: order}
        return self._order_of_epoch[epoch]


def misplaced(diffuse: np.ndarray, *, rng: np.random.Generator, mirror: bool) -> Placement:
    """Maps turned by any angle, about centres and radii as wrong as those found in recorded patterns.

    Parameters
    ----------
    diffuse : ndarray, shape (pattern,)
        Height of the diffuse background over the elastic maximum [1].
    rng : numpy.random.Generator
    mirror : bool
        Mirror half of the maps.
    """
    count = len(diffuse)
    center_error = np.hypot(CENTER_ERROR, DIFFUSE_CENTER_ERROR * diffuse)
    enlarged = DIFFUSE_RADIUS_ERROR * diffuse * np.abs(rng.standard_normal(count))
    return Placement(
        shift=center_error[:, None] * rng.standard_normal((count, 2)),
        radius=1 + RADIUS_ERROR * rng.standard_normal(count) + enlarged,
        turn=rng.uniform(0.0, 2 * np.pi, count),
        mirrored=rng.random(count) < 0.5 if mirror else np.zeros(count, dtype=bool),
    )


def rendered_feed(settings: TrainingSettings, data: TrainingData, tasks: Sequence[str]) -> Feed:
    """Draw and render the patterns of a training; those of held-out series only validate.

    Parameters
    ----------
    settings : TrainingSettings
        Ranges and number of the patterns, and what is done to them.
    data : TrainingData
        Rocking table, stack with the split, and the folder that keeps the rendered patterns.
    tasks : sequence of str
        Tasks that are trained together.
    """
    table = RockingTable.load(data.table_dir)
    split: SeriesSplit | None = series_split(data.stack_dir, table.group)
    if split is not None and not split.held_out.any():
        log.warning("no series is held out: the validation patterns are new draws from the trained series")
        split = None
    renderer, frame = Renderer(table), PolarFrame(pixels=settings.pixels)
    camera = Camera.of_stack(data.stack_dir, settings.max_angle_mrad)

    def draw_and_render(name: str, count: int, *, held_out: bool) -> FramedSet:
        rng, ranges = np.random.default_rng((settings.seed, held_out)), settings.draw_ranges_of("thickness")
        drawn = draw_parameters(count, ranges, rng=rng, split=split, held_out=held_out)
        patterns = stored_patterns(
            renderer,
            drawn,
            frame,
            max_angle_mrad=settings.max_angle_mrad,
            folder=data.state_dir / name,
            threads=data.threads,
        )
        return FramedSet(patterns, drawn, frame, camera)

    source = RenderedSource(
        draw_and_render("training", settings.samples, held_out=False), settings, mirror=table.has_mirror
    )
    judged = draw_and_render("validation", settings.validation_samples, held_out=True)
    classes = {task: settings.classes_of(task) for task in tasks}
    return judged_feed(source, judged, settings, classes)


def judged_feed(
    source: RenderedSource, judged: FramedSet, settings: TrainingSettings, classes: Mapping[str, TaskClasses]
) -> Feed:
    """Feed of a source, and of validation patterns that are degraded and misplaced once and for all."""
    rng, everything = np.random.default_rng((settings.seed, 2)), np.arange(len(judged.drawn))
    images, diffuse = judged.recorded(everything, rng=rng, noise_max=settings.noise_max)
    told_mrad = as_told(judged.drawn.convergence_mrad, settings.convergence, rng=rng)
    found = misplaced(diffuse, rng=rng, mirror=False)
    straight = replace(found, turn=np.zeros(len(everything)))
    values = judged.true_values(everything, straight, told_mrad)

    def turned() -> Iterator[Turned]:
        ways = averaged_placement(judged.frame, mirror=source.mirror)
        for turn, mirrored in zip(ways.turn, ways.mirrored, strict=True):
            placement = replace(found, turn=np.full(len(everything), turn), mirrored=np.full(len(everything), mirrored))
            maps = judged.frame.maps(images, placement)
            yield Turned(named_inputs(maps, settings.convergence.normalise(told_mrad)), placement)

    validation = LabelledPatterns(judged.frame.maps(images, straight), told_mrad, values)
    return Feed.of(source, validation, settings, classes, turned=turned, mirror=source.mirror)
