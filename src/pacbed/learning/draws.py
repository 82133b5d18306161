"""Random parameters of training patterns: continuous, on no grid, on one side of the split into thickness series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pacbed.errors import bad_value
from pacbed.patterns import polar_to_vector
from pacbed.simulation.stack.stored import open_stack

# A new thickness costs the renderer several patterns' time, so up to this many share one (fewer in a small draw).
PATTERNS_PER_THICKNESS = 32
LEAST_THICKNESSES = 64  # of a draw, if it has that many patterns
# ASSUME: detector and energy spread blur like a Gaussian of at most this width (an estimate; the
# refinement frees it).
BLUR_MAX_MRAD = 1.0
# Table 1 of the paper: the centre is found to within 10 % of the image's width.
SHIFT_MAX = 0.1
# What the scale loop leaves (5 %) doubled; the scale network alone sees the whole range of scales.
SCALE_TOLERANCE = (0.9, 1.1)
MOST_TRIES = 200  # to find draws on one side of a split; a side that these miss is as good as empty


@dataclass(frozen=True)
class DrawRanges:
    """Lowest and highest value of what is drawn.

    Attributes
    ----------
    thickness_nm, convergence_mrad, mistilt_mrad : tuple of float
        Thickness [nm], semi-convergence angle [mrad] and magnitude of the mistilt [mrad].
    scale : tuple of float
        Pixel size relative to that of the field of view [1].
    """

    thickness_nm: tuple[float, float]
    convergence_mrad: tuple[float, float]
    mistilt_mrad: tuple[float, float]
    scale: tuple[float, float]

    @classmethod
    def spanned_by(
        cls,
        *,
        thickness_nm: Sequence[float] | np.ndarray,
        convergence_mrad: Sequence[float] | np.ndarray,
        mistilt_mrad: Sequence[float] | np.ndarray,
        scale: Sequence[float] = SCALE_TOLERANCE,
    ) -> DrawRanges:
        """Ranges that the axes of a parameter grid span; of scales, by default, what the scale network leaves."""
        axes = (thickness_nm, convergence_mrad, mistilt_mrad, scale)
        return cls(*((float(min(values)), float(max(values))) for values in axes))


@dataclass(frozen=True)
class DrawnParameters:
    """Parameters of patterns, one entry in every array for each.

    Attributes
    ----------
    thickness_nm, convergence_mrad : ndarray, shape (pattern,)
        Thickness [nm] and semi-convergence angle [mrad].
    mistilt_mrad : ndarray, shape (pattern, 2)
        Vector (x, y) in the crystal frame [mrad].
    scale : ndarray, shape (pattern,)
        Pixel size relative to that of the field of view [1].
    rotation_deg : ndarray, shape (pattern,)
        Azimuth at which the crystal's +x appears in the image [deg].
    shift : ndarray, shape (pattern, 2)
        Displacement (x, y) of the optic axis over the image's width [1].
    blur_mrad : ndarray, shape (pattern,)
        Standard deviation of a Gaussian blur [mrad].
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

    def true_values(self, task: str) -> np.ndarray:
        """What a task's network is to find, shape (pattern,): thickness [nm], |mistilt| [mrad] or scale [1]."""
        if task == "mistilt":
            return np.asarray(np.linalg.norm(self.mistilt_mrad, axis=1))
        return np.asarray({"thickness": self.thickness_nm, "scale": self.scale}[task])

    def select(self, index: np.ndarray | slice) -> DrawnParameters:
        """The patterns at an index."""
        return DrawnParameters(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


class Beams(NamedTuple):
    """Semi-convergence angles, shape (beam,), and mistilts (x, y) in the crystal frame, shape (beam, 2) [mrad]."""

    convergence_mrad: np.ndarray
    mistilt_mrad: np.ndarray


@dataclass(frozen=True)
class SeriesSplit:
    """Thickness series held out of training: a beam belongs to the series nearest to it.

    Attributes
    ----------
    convergence_mrad : ndarray, shape (convergence,)
        Semi-convergence angles of the series [mrad].
    mistilt_mrad : ndarray, shape (tilt, 2)
        Mistilt vectors (x, y) of the series, crystal frame [mrad].
    held_out : ndarray of bool, shape (convergence, tilt)
        Series kept for validation.
    group : ndarray, shape (operation, 2, 2)
        Beam group; symmetric mistilts are the same series.
    """

    convergence_mrad: np.ndarray
    mistilt_mrad: np.ndarray
    held_out: np.ndarray
    group: np.ndarray

    def is_held_out(self, convergence_mrad: np.ndarray, mistilt_mrad: np.ndarray) -> np.ndarray:
        """Whether beams belong to a held-out series.

        Parameters
        ----------
        convergence_mrad : ndarray, shape (beam,)
            Semi-convergence angles [mrad].
        mistilt_mrad : ndarray, shape (beam, 2)
            Mistilt vectors (x, y) in the crystal frame [mrad].

        Returns
        -------
        ndarray of bool, shape (beam,)
        """
        angle = np.argmin(np.abs(convergence_mrad[:, None] - self.convergence_mrad), axis=1)
        images = np.einsum("oij,nj->noi", self.group, mistilt_mrad)
        distance = np.linalg.norm(images[:, :, None, :] - self.mistilt_mrad, axis=-1).min(axis=1)
        return np.asarray(self.held_out[angle, np.argmin(distance, axis=1)])


def series_split(stack_dir: str | Path, group: np.ndarray) -> SeriesSplit:
    """Which series of a stack are held out of training.

    Parameters
    ----------
    stack_dir : path
        Folder that `assemble_stack` wrote.
    group : ndarray, shape (operation, 2, 2)
        Beam group of the crystal.

    Raises
    ------
    FormatError
        The folder holds no complete stack.
    """
    stack = open_stack(stack_dir)
    polar = zip(np.asarray(stack["mistilt_mrad"]), np.asarray(stack["azimuth_deg"]), strict=True)
    return SeriesSplit(
        convergence_mrad=np.asarray(stack["convergence_mrad"]),
        mistilt_mrad=np.array([polar_to_vector(float(magnitude), float(azimuth)) for magnitude, azimuth in polar]),
        held_out=np.asarray(stack["split"]) == 1,
        group=group,
    )


def draw_parameters(
    count: int,
    ranges: DrawRanges,
    *,
    rng: np.random.Generator,
    split: SeriesSplit | None = None,
    held_out: bool = False,
    angles: int | None = None,
) -> DrawnParameters:
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
    angles : int, optional
        Convergence angles that share the patterns, a few more where they hardly meet the series; left out, each
        pattern has its own.

    Returns
    -------
    DrawnParameters

    Raises
    ------
    ParameterError
        The split leaves no series on the side asked for.
    """
    sharing = min(PATTERNS_PER_THICKNESS, max(1, count // LEAST_THICKNESSES))
    strata = -(-count // sharing)
    low, high = ranges.thickness_nm
    thickness = low + (high - low) * (np.arange(strata) + rng.random(strata)) / strata
    beams = _draw_beams(count, ranges, rng, angles, split, held_out)
    return DrawnParameters(
        thickness_nm=np.repeat(thickness, sharing)[:count],
        convergence_mrad=beams.convergence_mrad,
        mistilt_mrad=beams.mistilt_mrad,
        scale=rng.uniform(*ranges.scale, count),
        rotation_deg=rng.uniform(-180.0, 180.0, count),
        shift=rng.uniform(-SHIFT_MAX, SHIFT_MAX, (count, 2)),
        blur_mrad=rng.uniform(0.0, BLUR_MAX_MRAD, count),
    )


def _draw_beams(
    count: int, ranges: DrawRanges, rng: np.random.Generator, angles: int | None, split: SeriesSplit | None, held: bool
) -> Beams:
    """Convergence angles and mistilts on one side of the split."""
    drawn: list[Beams] = []
    for _ in range(MOST_TRIES):
        tried = max(1024, 4 * count)
        angle = rng.uniform(*ranges.convergence_mrad, angles or tried)
        angle = rng.choice(angle, tried) if angles else angle
        magnitude, azimuth = rng.uniform(*ranges.mistilt_mrad, tried), rng.uniform(0.0, 2 * np.pi, tried)
        beams = Beams(angle, magnitude[:, None] * np.stack([np.cos(azimuth), np.sin(azimuth)], axis=1))
        if split is not None:
            chosen = split.is_held_out(*beams) == held
            beams = Beams(*(array[chosen] for array in beams))
        drawn.append(beams)
        if sum(len(found.convergence_mrad) for found in drawn) >= count:
            return Beams(*(np.concatenate(arrays)[:count] for arrays in zip(*drawn, strict=True)))
    side = "held out" if held else "left for training"
    raise bad_value("split", f"no series {side}", "a split with series on both sides")
