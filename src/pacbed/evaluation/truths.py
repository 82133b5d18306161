"""Patterns with a known truth: parameters off every grid, from series that no network was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.crystal.potentials import SlicePotentials
from pacbed.evaluation.direct.patterns import DirectNumerics, direct_patterns, whole_thickness_nm
from pacbed.learning.draws import DrawRanges, draw_parameters, series_split
from pacbed.patterns import Geometry, polar_to_vector
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.stack.stored import open_stack

TRUTHS_VERSION = 2  # raised where the same seed draws other patterns
LEAST_ANGLES, PATTERNS_PER_ANGLE = 6, 10  # an angle's library takes as long as ten refinements
THINNEST_NM = 2.0  # below, a pattern is little but its disks


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
    azimuth_deg : float array, shape (tilt,)
        Their azimuths [deg].
    pattern : zarr array, shape (convergence, tilt, thickness, y, x)
        Integer patterns, read when sliced.
    max_angle_mrad : float
        Half width of the field of view [mrad].
    """

    folder: Path
    thickness_nm: np.ndarray
    convergence_mrad: np.ndarray
    mistilt_mrad: np.ndarray
    azimuth_deg: np.ndarray
    pattern: Any
    max_angle_mrad: float

    @classmethod
    def load(cls, folder: str | Path) -> Stack:
        """Open what `assemble_stack` wrote; see `open_stack`."""
        group = open_stack(folder)
        names = ("thickness_nm", "convergence_mrad", "mistilt_mrad", "azimuth_deg")
        axes = {name: np.asarray(group[name]) for name in names}
        facts: dict[str, Any] = dict(group.attrs)
        return cls(Path(folder), **axes, pattern=group["pattern"], max_angle_mrad=float(facts["max_angle_mrad"]))

    @property
    def pixels(self) -> int:
        """Edge of a pattern [pixels]."""
        return int(self.pattern.shape[-1])

    @property
    def frame(self) -> Geometry:
        """Where its pixels lie."""
        return Geometry.field_of_view(self.pixels, self.max_angle_mrad)

    @property
    def vectors_mrad(self) -> np.ndarray:
        """Mistilt vectors (x, y) of the grid, shape (tilt, 2) [mrad]."""
        return np.array([polar_to_vector(*pair) for pair in zip(self.mistilt_mrad, self.azimuth_deg, strict=True)])

    def draw_ranges(self) -> DrawRanges:
        """Lowest and highest values of the grid, with the scales that the scale network leaves."""
        least = min(THINNEST_NM, float(np.max(self.thickness_nm)))
        return DrawRanges.spanned_by(
            thickness_nm=np.maximum(self.thickness_nm, least),
            convergence_mrad=self.convergence_mrad,
            mistilt_mrad=self.mistilt_mrad,
        )

    def aligned_frame(self, mistilt_mrad: tuple[float, float], group: np.ndarray) -> Geometry:
        """The frame of the stack, turned by the operation that brings a mistilt nearest to those of the grid.

        Whoever aligns a pattern perfectly with a library of one sector of azimuths turns or flips it into that sector.

        Parameters
        ----------
        mistilt_mrad : tuple of float
            Mistilt (x, y), crystal frame [mrad].
        group : ndarray, shape (operation, 2, 2)
            Beam group of the crystal, Cartesian.
        """
        images = group @ np.asarray(mistilt_mrad)
        # Of equivalent points the one inside a sector is nearest to every point of that sector.
        apart = np.linalg.norm(images[:, None] - self.vectors_mrad, axis=-1).sum(axis=1)
        operation = group[int(np.argmin(apart.round(9)))]
        mirrored = bool(np.linalg.det(operation) < 0)
        x, y = operation[:, 0]
        return replace(self.frame, rotation_deg=float(np.rad2deg(np.arctan2(y, x))), mirrored=mirrored)


@dataclass(frozen=True)
class Truth:
    """One pattern of the evaluation.

    Attributes
    ----------
    parameters : PatternParameters
    camera : float32 array, shape (y, x)
        As a camera saw it: turned, shifted, blurred, of another pixel size; without noise, maximum 1.
    aligned : float32 array, shape (y, x)
        The same crystal and beam in the stack's own frame, without noise, maximum 1; without blur where it was
        rendered, with as little as possible where it was computed directly.
    scale : float
        Pixel size of the camera over that of the stack.
    in_field : float
        Share of the beam that the camera sees.
    """

    parameters: PatternParameters
    camera: np.ndarray
    aligned: np.ndarray
    scale: float
    in_field: float


def draw_truths(renderer: Renderer, stack: Stack, count: int, *, rng: np.random.Generator) -> Iterator[Truth]:
    """Draw and render patterns of held-out series, spread over the thickness range.

    # ASSUME: the truth comes from the same table as the fit, as in the paper, so errors of the crystal's model are not
    # in the result; patterns of varied crystals, frozen phonons and the demo's experiments are there for those.

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
    for at in draw_held_out(renderer, stack, count, rng=rng):
        yield truth_of(stack, at, renderer.table.group, partial(_rendered, renderer, at))


def draw_direct_truths(
    renderer: Renderer,
    terminations: Sequence[SlicePotentials],
    stack: Stack,
    count: int,
    *,
    rng: np.random.Generator,
) -> list[Truth]:
    """Draw patterns of held-out series and sum them from their plane waves.

    Parameters
    ----------
    renderer : Renderer
        Of the table, which says where directions, field and propagator end; nothing is rendered.
    terminations : sequence of SlicePotentials
        The crystal, once for each surface that is averaged. Another crystal than the table's gives its patterns.
    stack, count, rng
        As for `draw_truths`. Thicknesses are whole periods, blurs at least what the lattice of directions needs.
    """
    numerics = DirectNumerics(renderer.field_mrad, renderer.table.facts["propagator"])
    deepest_nm = renderer.table.thickness_max_nm
    drawn = [
        replace(at, thickness_nm=whole_thickness_nm(terminations[0], at.thickness_nm, deepest_nm=deepest_nm))
        for at in draw_held_out(renderer, stack, count, rng=rng)
    ]
    patterns = direct_patterns(terminations, drawn, numerics, rng=rng)
    truths = []
    for at, pattern in zip(drawn, patterns, strict=True):
        least = pattern.lattice.least_blur_mrad
        blurred = replace(at, blur_mrad=max(at.blur_mrad, least))

        def picture(geometry: Geometry, blur: float, pattern=pattern, least=least) -> np.ndarray:
            return pattern.image(geometry, max(blur, least))

        truths.append(truth_of(stack, blurred, renderer.table.group, picture))
    return truths


def draw_held_out(
    renderer: Renderer, stack: Stack, count: int, *, rng: np.random.Generator
) -> Iterator[PatternParameters]:
    """Parameters of patterns of held-out series; arguments as for `draw_truths`."""
    split, frame = series_split(stack.folder, renderer.table.group), stack.frame
    angles = max(LEAST_ANGLES, count // PATTERNS_PER_ANGLE)
    draw = draw_parameters(count, stack.draw_ranges(), rng=rng, split=split, held_out=True, angles=angles)
    for index in range(count):
        one = draw.select(slice(index, index + 1))
        shift = one.shift[0] * stack.pixels
        x, y = (float(value) for value in one.mistilt_mrad[0])
        yield PatternParameters(
            thickness_nm=float(one.thickness_nm[0]),
            mistilt_mrad=(x, y),
            center_px=(float(frame.center_px[0] + shift[0]), float(frame.center_px[1] + shift[1])),
            pixel_mrad=float(frame.pixel_mrad * one.scale[0]),
            rotation_deg=float(one.rotation_deg[0]),
            convergence_mrad=float(one.convergence_mrad[0]),
            blur_mrad=float(one.blur_mrad[0]),
        )


def truth_of(
    stack: Stack, at: PatternParameters, group: np.ndarray, picture: Callable[[Geometry, float], np.ndarray]
) -> Truth:
    """A truth from what makes its pictures.

    Parameters
    ----------
    stack : Stack
        Gives the frame.
    at : PatternParameters
    group : ndarray, shape (operation, 2, 2)
        Beam group, Cartesian.
    picture : callable
        Takes geometry and blur [mrad], returns the pattern, shape (y, x).
    """
    frame = stack.frame
    camera = picture(at.geometry(frame.shape), at.blur_mrad)
    return Truth(
        at,
        camera=_brightest_one(camera),
        aligned=_brightest_one(picture(stack.aligned_frame(at.mistilt_mrad, group), 0.0)),
        scale=at.pixel_mrad / frame.pixel_mrad,
        in_field=float(camera.sum()),
    )


def _rendered(renderer: Renderer, at: PatternParameters, geometry: Geometry, blur_mrad: float) -> np.ndarray:
    return render_pattern(renderer, replace(at, blur_mrad=blur_mrad), geometry)


def _brightest_one(image: np.ndarray) -> np.ndarray:
    """An image of maximum 1, float32, shape (y, x)."""
    return np.asarray(image / image.max(), dtype=np.float32)
