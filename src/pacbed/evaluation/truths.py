"""Patterns with a known truth: parameters off every grid, from series that no network was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.learning.draws import DrawRanges, draw_parameters, series_split
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.stack.stored import open_stack


@dataclass(frozen=True)
class Stack:
    """What the evaluation needs of a labelled stack.

    Attributes
    ----------
    folder : Path
        Where it lies.
    thickness_nm : float array, shape (thickness,)
        Axis of the grid [nm].
    convergence_mrad : float array, shape (convergence,)
        Axis of the grid [mrad].
    mistilt_mrad : float array, shape (tilt,)
        Magnitude of the grid's mistilts [mrad].
    pattern : zarr array, shape (convergence, tilt, thickness, y, x)
        Integer patterns, read when sliced.
    max_angle_mrad : float
        Half width of the field of view [mrad].
    """

    folder: Path
    thickness_nm: np.ndarray
    convergence_mrad: np.ndarray
    mistilt_mrad: np.ndarray
    pattern: Any
    max_angle_mrad: float

    @classmethod
    def load(cls, folder: str | Path) -> Stack:
        """Open what `assemble_stack` wrote; see `open_stack`."""
        group = open_stack(folder)
        axes = {name: np.asarray(group[name]) for name in ("thickness_nm", "convergence_mrad", "mistilt_mrad")}
        facts: dict[str, Any] = dict(group.attrs)
        return cls(Path(folder), **axes, pattern=group["pattern"], max_angle_mrad=float(facts["max_angle_mrad"]))

    @property
    def pixels(self) -> int:
        """Edge of a pattern [pixels]."""
        return int(self.pattern.shape[-1])

    def draw_ranges(self) -> DrawRanges:
        """Lowest and highest values of the grid, with the scales that the scale network leaves."""
        return DrawRanges.spanned_by(
            thickness_nm=self.thickness_nm, convergence_mrad=self.convergence_mrad, mistilt_mrad=self.mistilt_mrad
        )


@dataclass(frozen=True)
class Truth:
    """One pattern of the evaluation.

    Attributes
    ----------
    parameters : PatternParameters
    camera : float array, shape (y, x)
        As a camera saw it: turned, shifted, blurred, of another pixel size; without noise, maximum 1.
    aligned : float array, shape (y, x)
        The same crystal and beam in the stack's own frame, without blur and noise, maximum 1.
    """

    parameters: PatternParameters
    camera: np.ndarray
    aligned: np.ndarray


def draw_truths(renderer: Renderer, stack: Stack, count: int, *, rng: np.random.Generator) -> Iterator[Truth]:
    """Draw and render patterns of held-out series, spread over the thickness range.

    # ASSUME: the truth comes from the same table as the fit, as in the paper, so errors of the crystal's model are not
    # in the result; the demo's experiments, simulated by another engine, are there for those.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    stack : Stack
        Says what was trained on, and the frame.
    count : int
        Number of patterns.
    rng : numpy.random.Generator
        Source of randomness.
    """
    split = series_split(stack.folder, renderer.table.group)
    draw = draw_parameters(count, stack.draw_ranges(), rng=rng, split=split, held_out=True)
    frame = Geometry.field_of_view(stack.pixels, stack.max_angle_mrad)
    for index in range(count):
        one = draw.select(slice(index, index + 1))
        shift = one.shift[0] * stack.pixels
        x, y = (float(value) for value in one.mistilt_mrad[0])
        at = PatternParameters(
            thickness_nm=float(one.thickness_nm[0]),
            mistilt_mrad=(x, y),
            center_px=(float(frame.center_px[0] + shift[0]), float(frame.center_px[1] + shift[1])),
            pixel_mrad=float(frame.pixel_mrad * one.scale[0]),
            rotation_deg=float(one.rotation_deg[0]),
            convergence_mrad=float(one.convergence_mrad[0]),
            blur_mrad=float(one.blur_mrad[0]),
        )
        yield Truth(
            at,
            camera=_brightest_one(render_pattern(renderer, at, at.geometry(frame.shape))),
            aligned=_brightest_one(render_pattern(renderer, replace(at, blur_mrad=0.0), frame)),
        )


def _brightest_one(image: np.ndarray) -> np.ndarray:
    """An image of maximum 1, shape (y, x)."""
    return np.asarray(image / image.max())


def add_noise(image: np.ndarray, sigma: float, *, rng: np.random.Generator) -> np.ndarray:
    """An image with Gaussian noise.

    Parameters
    ----------
    image : float array, shape (y, x)
        Of maximum 1.
    sigma : float
        Standard deviation of the noise over that maximum.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    float32 array, shape (y, x)
    """
    return np.asarray(image + sigma * rng.standard_normal(image.shape), dtype=np.float32)
