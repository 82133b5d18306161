"""Random parameters of training patterns, and the patterns rendered from them: continuous, on no grid."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np

from pacbed.errors import bad_value
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

# A new thickness costs the renderer several patterns' time, so up to this many share one (fewer in a small draw).
PATTERNS_PER_THICKNESS = 32
# ASSUME: detector and energy spread blur like a Gaussian of at most this width (the refinement frees it).
BLUR_MAX_MRAD = 1.0
# Table 1 of the paper: the centre is found to within 10 % of the image's width.
SHIFT_MAX = 0.1
# What the scale loop leaves (5 %) doubled; the scale network alone sees the whole range of scales.
SCALE_TOLERANCE = (0.9, 1.1)


@dataclass(frozen=True)
class DrawRanges:
    """Lowest and highest value of what is drawn; scale is the pixel size relative to the field of view's."""

    thickness_nm: tuple[float, float]
    convergence_mrad: tuple[float, float]
    mistilt_mrad: tuple[float, float]
    scale: tuple[float, float]

    @classmethod
    def of(cls, grid: dict[str, list[float]], *, task: str, scale_range: Sequence[float]) -> DrawRanges:
        """Ranges that a parameter grid spans; only the scale network's patterns cover `scale_range`."""
        spans = {
            name: (min(grid[name]), max(grid[name])) for name in ("thickness_nm", "convergence_mrad", "mistilt_mrad")
        }
        low, high = scale_range if task == "scale" else SCALE_TOLERANCE
        return cls(**spans, scale=(float(low), float(high)))


@dataclass(frozen=True)
class Draw:
    """Parameters of n patterns.

    Attributes
    ----------
    thickness_nm, convergence_mrad, scale, rotation_deg, blur_mrad : ndarray, shape (n,)
    mistilt_mrad : ndarray, shape (n, 2)
        Vector in the crystal frame [mrad].
    shift : ndarray, shape (n, 2)
        Displacement (x, y) of the optic axis over the image's width.
    """

    thickness_nm: np.ndarray
    convergence_mrad: np.ndarray
    mistilt_mrad: np.ndarray
    scale: np.ndarray
    rotation_deg: np.ndarray
    shift: np.ndarray
    blur_mrad: np.ndarray

    def __len__(self) -> int:
        return len(self.thickness_nm)

    def value(self, task: str) -> np.ndarray:
        """What a task's network is to find, shape (n,): thickness [nm], |mistilt| [mrad] or scale."""
        if task == "mistilt":
            return np.asarray(np.linalg.norm(self.mistilt_mrad, axis=1))
        return np.asarray({"thickness": self.thickness_nm, "scale": self.scale}[task])

    def part(self, index: np.ndarray | slice) -> Draw:
        """The patterns at an index."""
        return Draw(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


@dataclass(frozen=True)
class SeriesSplit:
    """Thickness series held out of training: a draw belongs to the series nearest to it.

    Attributes
    ----------
    convergence_mrad : ndarray, shape (nc,)
        Convergence angles of the series [mrad].
    mistilt_mrad : ndarray, shape (nt, 2)
        Mistilt vectors of the series, crystal frame [mrad].
    held_out : ndarray of bool, shape (nc, nt)
        Series kept for validation.
    group : ndarray, shape (operation, 2, 2)
        Beam group; symmetric mistilts are the same series.
    """

    convergence_mrad: np.ndarray
    mistilt_mrad: np.ndarray
    held_out: np.ndarray
    group: np.ndarray

    def is_held_out(self, convergence_mrad: np.ndarray, mistilt_mrad: np.ndarray) -> np.ndarray:
        """Whether draws, shapes (n,) and (n, 2), belong to a held-out series; shape (n,)."""
        angle = np.argmin(np.abs(convergence_mrad[:, None] - self.convergence_mrad), axis=1)
        images = np.einsum("oij,nj->noi", self.group, mistilt_mrad)
        distance = np.linalg.norm(images[:, :, None, :] - self.mistilt_mrad, axis=-1).min(axis=1)
        return np.asarray(self.held_out[angle, np.argmin(distance, axis=1)])


def draw_parameters(
    count: int,
    ranges: DrawRanges,
    *,
    rng: np.random.Generator,
    split: SeriesSplit | None = None,
    held_out: bool = False,
) -> Draw:
    """Draw the parameters of patterns, ordered by thickness.

    Thickness is stratified and shared by up to `PATTERNS_PER_THICKNESS` patterns; everything else is independent. The
    mistilt's magnitude is uniform, so that the small ones, which fill little of the disk, are as frequent as others.

    Parameters
    ----------
    count : int
        Number of patterns.
    ranges : DrawRanges
        Lowest and highest values.
    rng : numpy.random.Generator
        Source of randomness.
    split : SeriesSplit, optional
        Series held out; without it draws come from everywhere.
    held_out : bool
        Draw from the held-out series (validation) instead of the others (training).

    Returns
    -------
    Draw
    """
    sharing = min(PATTERNS_PER_THICKNESS, max(1, count // 64))
    groups = -(-count // sharing)
    low, high = ranges.thickness_nm
    thickness = low + (high - low) * (np.arange(groups) + rng.random(groups)) / groups
    convergence, mistilt = _beams(count, ranges, rng, split, held_out)
    return Draw(
        thickness_nm=np.repeat(thickness, sharing)[:count],
        convergence_mrad=convergence,
        mistilt_mrad=mistilt,
        scale=rng.uniform(*ranges.scale, count),
        rotation_deg=rng.uniform(-180.0, 180.0, count),
        shift=rng.uniform(-SHIFT_MAX, SHIFT_MAX, (count, 2)),
        blur_mrad=rng.uniform(0.0, BLUR_MAX_MRAD, count),
    )


def _beams(
    count: int, ranges: DrawRanges, rng: np.random.Generator, split: SeriesSplit | None, held_out: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Convergence angles, shape (n,), and mistilt vectors, shape (n, 2), on one side of the split."""
    angles, tilts, found = [], [], 0
    for _ in range(200):
        tried = max(1024, 4 * count)
        angle = rng.uniform(*ranges.convergence_mrad, tried)
        magnitude, azimuth = rng.uniform(*ranges.mistilt_mrad, tried), rng.uniform(0.0, 2 * np.pi, tried)
        tilt = magnitude[:, None] * np.stack([np.cos(azimuth), np.sin(azimuth)], axis=1)
        if split is not None:
            chosen = split.is_held_out(angle, tilt) == held_out
            angle, tilt = angle[chosen], tilt[chosen]
        angles.append(angle)
        tilts.append(tilt)
        found += len(angle)
        if found >= count:
            return np.concatenate(angles)[:count], np.concatenate(tilts)[:count]
    side = "held out" if held_out else "left for training"
    raise bad_value("split", f"no series {side}", "a split with series on both sides")


def render_draw(renderer: Renderer, draw: Draw, *, pixels: int, max_angle_mrad: float, threads: int = 1) -> np.ndarray:
    """Render the patterns of a draw, free of noise and background.

    Parameters
    ----------
    renderer : Renderer
        Renders from several threads at once.
    draw : Draw
        n patterns; those of equal thickness should be neighbours.
    pixels : int
        Edge of the images.
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    threads : int
        Threads that render.

    Returns
    -------
    ndarray of float32, shape (n, pixels, pixels)
        Fraction of the beam per pixel.
    """
    images = np.empty((len(draw), pixels, pixels), dtype=np.float32)

    def render(index: int) -> None:
        pixel = 2 * max_angle_mrad * draw.scale[index] / pixels
        center = (pixels - 1) / 2 + draw.shift[index] * pixels
        images[index] = renderer.render(
            thickness_nm=float(draw.thickness_nm[index]),
            convergence_mrad=float(draw.convergence_mrad[index]),
            mistilt_mrad=tuple(draw.mistilt_mrad[index]),
            geometry=Geometry(
                (pixels, pixels), float(pixel), (float(center[0]), float(center[1])), float(draw.rotation_deg[index])
            ),
            blur_mrad=float(draw.blur_mrad[index]),
        )

    starts = np.flatnonzero(np.diff(draw.thickness_nm, prepend=-1.0))
    stops = [*starts[1:], len(draw)]

    def render_group(bounds: tuple[int, int]) -> None:
        for index in range(*bounds):
            render(index)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(render_group, zip(starts.tolist(), stops, strict=True)))
    return images
