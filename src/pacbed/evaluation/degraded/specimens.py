"""What the averaged area holds: one orientation and thickness, or a spread of them, of atoms that vibrate.

Every direction of the beam meets displaced atoms of its own (`pacbed.evaluation.direct.phonons`): nothing is
interpolated and no table is used. All parts of all specimens share their directions, so that a spread costs sums and
no further waves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.crystal.potentials import SlicePotentials
from pacbed.evaluation.direct.camera import DirectPattern
from pacbed.evaluation.direct.patterns import DirectNumerics
from pacbed.evaluation.direct.phonons import DisplacedNumerics, PhononPattern, displaced_patterns
from pacbed.patterns import Geometry
from pacbed.simulation.checks.referee_phonons import displaced_slices
from pacbed.simulation.multislice.phonon_pool import PhononSettings
from pacbed.simulation.rendering.renderer import Renderer

SINGLE, TILTS, DEPTHS = "single", "tilt spread", "thickness spread"
PARTS = 6  # of a specimen with a spread
TILT_SPREAD_MRAD, THICKNESS_SPREAD = (0.5, 3.0), (0.02, 0.15)  # standard deviations; of the thickness as a share
THINNEST_NM, PLANE_NM = 3.0, 0.7
MISTILT_MRAD = 4.0  # largest mean mistilt
ATOMS = PhononSettings(cells=3, configurations=1, pool=32, seed=20)
DIFFUSE_PITCH_MRAD = 1.1
FIELD = 2.9  # scattered angles kept, over the largest convergence angle: a camera off centre sees no end of them


class Parts(NamedTuple):
    """A pattern before it is recorded: elastic and diffuse [fraction of the beam per pixel], each of shape (y, x)."""

    elastic: np.ndarray
    diffuse: np.ndarray


@dataclass(frozen=True)
class Part:
    """One orientation and thickness of a specimen.

    Attributes
    ----------
    parameters : PatternParameters
        Thickness, mistilt and convergence angle; the rest says nothing.
    pattern : PhononPattern
    """

    parameters: PatternParameters
    pattern: PhononPattern


@dataclass(frozen=True)
class Specimen:
    """What is averaged over.

    Attributes
    ----------
    kind : str
        `SINGLE`, `TILTS` or `DEPTHS`.
    parts : tuple of Part
        Of equal weight.
    """

    kind: str
    parts: tuple[Part, ...]

    @property
    def mean(self) -> PatternParameters:
        """Its mean thickness and mistilt, and its convergence angle."""
        return mean_of([part.parameters for part in self.parts])

    @property
    def blur_mrad(self) -> float:
        """Blur that its elastic pattern has at least [mrad]."""
        return self.parts[0].pattern.elastic.lattice.least_blur_mrad

    def image(self, geometry: Geometry) -> Parts:
        """The pattern on the pixels of a camera, as little blurred as the lattice of directions allows."""
        elastic, diffuse = np.zeros(geometry.shape), np.zeros(geometry.shape)
        for part in self.parts:
            rough = part.pattern.diffuse
            smooth = rough.image(geometry, rough.lattice.least_blur_mrad)
            elastic += part.pattern.elastic.image(geometry, self.blur_mrad) / len(self.parts)
            diffuse += _continued(smooth, geometry, rough) / len(self.parts)
        return Parts(elastic, diffuse)


def _continued(image: np.ndarray, geometry: Geometry, pattern: DirectPattern) -> np.ndarray:
    """A diffuse pattern, shape (y, x), that goes on beyond the scattered angles that were kept.

    # ASSUME: there it falls as the fourth power of the angle, as Rutherford's cross section (Reimer & Kohl,
    # Transmission Electron Microscopy, 2008).
    """
    angle = np.hypot(*(axis + off for axis, off in zip(geometry.angles_mrad(), pattern.mistilt_mrad, strict=True)))
    end = pattern.lattice.field_mrad - 3 * pattern.lattice.least_blur_mrad
    rim = (angle <= end) & (angle > 0.9 * end)
    if not rim.any():
        return image
    return np.where(angle > end, image[rim].mean() * (0.95 * end / np.maximum(angle, end)) ** 4, image)


@dataclass(frozen=True)
class RenderedSpecimen:
    """A specimen whose pattern comes from a table: elastic alone. Stands for the crystals that are the wrong ones.

    Attributes
    ----------
    renderer : Renderer
    mean : PatternParameters
    """

    renderer: Renderer
    mean: PatternParameters
    kind: str = SINGLE
    blur_mrad: float = 0.3

    def image(self, geometry: Geometry) -> Parts:
        """The pattern on the pixels of a camera; there is nothing diffuse in it."""
        elastic = render_pattern(self.renderer, replace(self.mean, blur_mrad=self.blur_mrad), geometry)
        return Parts(elastic.astype(float), np.zeros(geometry.shape))


def mean_of(parameters: Sequence[PatternParameters]) -> PatternParameters:
    """Mean thickness and mistilt of some parameters; the rest is that of the first."""
    x, y = np.mean([at.mistilt_mrad for at in parameters], axis=0)
    depth = float(np.mean([at.thickness_nm for at in parameters]))
    return replace(parameters[0], thickness_nm=depth, mistilt_mrad=(float(x), float(y)))


class Ranges(NamedTuple):
    """Lowest and highest thickness [nm] and convergence angle [mrad] of specimens."""

    thickness_nm: tuple[float, float]
    convergence_mrad: tuple[float, float]


class Counts(NamedTuple):
    """Specimens of each kind."""

    single: int
    tilts: int
    depths: int


class Plan(NamedTuple):
    """A specimen before it is simulated."""

    kind: str
    parameters: tuple[PatternParameters, ...]


def draw_specimens(ranges: Ranges, counts: Counts, *, plane_nm: float, rng: np.random.Generator) -> list[Plan]:
    """Draw what specimens hold; thin ones are more frequent, because fringes change faster there.

    Parameters
    ----------
    ranges : Ranges
    counts : Counts
    plane_nm : float
        Thicknesses are multiples of it [nm].
    rng : numpy.random.Generator
    """
    plans = []
    for kind, count in zip((SINGLE, TILTS, DEPTHS), counts, strict=True):
        low, high = np.sqrt(ranges.thickness_nm)
        roots = low + (np.arange(count) + rng.random(count)) / max(1, count) * (high - low)
        for root in rng.permutation(roots):
            mistilt = MISTILT_MRAD * rng.random() * _direction(rng)
            angle = round(float(rng.uniform(*ranges.convergence_mrad)), 3)
            mean = PatternParameters(
                float(root**2), (float(mistilt[0]), float(mistilt[1])), (0.0, 0.0), 1.0, 0.0, angle, 0.0
            )
            parts = _spread(kind, mean, rng)
            plans.append(Plan(kind, tuple(_on_a_plane(at, plane_nm, ranges.thickness_nm[1]) for at in parts)))
    return plans


def _direction(rng: np.random.Generator) -> np.ndarray:
    azimuth = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(azimuth), np.sin(azimuth)])


def _spread(kind: str, mean: PatternParameters, rng: np.random.Generator) -> list[PatternParameters]:
    """Parts of one specimen: normal numbers, of exactly the mean and the standard deviation that were drawn."""
    if kind == TILTS:
        tilts = mean.mistilt_mrad + rng.uniform(*TILT_SPREAD_MRAD) * _standard((PARTS, 2), rng)
        return [replace(mean, mistilt_mrad=(float(x), float(y))) for x, y in tilts]
    if kind == DEPTHS:
        depths = mean.thickness_nm * (1 + rng.uniform(*THICKNESS_SPREAD) * _standard((PARTS, 1), rng)[:, 0])
        return [replace(mean, thickness_nm=float(depth)) for depth in depths]
    return [mean]


def _on_a_plane(at: PatternParameters, plane_nm: float, deepest_nm: float) -> PatternParameters:
    """The nearest parameters whose thickness has been simulated."""
    planes = np.clip(round(at.thickness_nm / plane_nm), 1, int(deepest_nm / plane_nm))
    return replace(at, thickness_nm=float(planes * plane_nm))


def _standard(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Normal numbers, each column of mean 0 and standard deviation 1 exactly."""
    numbers = rng.standard_normal(shape)
    numbers -= numbers.mean(axis=0)
    return np.asarray(numbers / numbers.std(axis=0))


def simulate_specimens(
    slices: SlicePotentials, propagator: str, ranges: Ranges, counts: Counts, *, rng: np.random.Generator
) -> list[Specimen]:
    """Draw specimens of a crystal and sum their plane waves.

    Parameters
    ----------
    slices : SlicePotentials
        The system's own; their CIF file must still be there.
    propagator : str
        As for the table, "exact" or "fresnel".
    ranges : Ranges
    counts : Counts
    rng : numpy.random.Generator
        Draws parameters and places the lattices of directions.
    """
    displaced = displaced_slices(slices)
    periods = max(1, round(10 * PLANE_NM / displaced.period_a))
    plans = draw_specimens(ranges, counts, plane_nm=periods * displaced.period_a / 10, rng=rng)
    elastic = DirectNumerics(FIELD * ranges.convergence_mrad[1] + MISTILT_MRAD, propagator)
    numerics = DisplacedNumerics(elastic, ATOMS, DIFFUSE_PITCH_MRAD, periods)
    patterns = iter(displaced_patterns(displaced, [at for one in plans for at in one.parameters], numerics, rng=rng))
    return [Specimen(one.kind, tuple(Part(at, next(patterns)) for at in one.parameters)) for one in plans]
