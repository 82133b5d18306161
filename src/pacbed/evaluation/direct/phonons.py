"""Patterns of displaced atoms: the elastic part free of noise, the diffuse part from one configuration a direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.vibration import vibrating_atoms
from pacbed.evaluation.direct.camera import DirectPattern
from pacbed.evaluation.direct.lattice import DirectionLattice
from pacbed.evaluation.direct.patterns import DirectNumerics, add_sums, cone_of, direct_patterns, lit_part
from pacbed.logs import progress
from pacbed.patterns import Geometry
from pacbed.simulation.multislice.frozen_phonons import FrozenPhononEngine
from pacbed.simulation.multislice.phonon_pool import PhononSettings, phonon_pool

DIRECTIONS_PER_BATCH = 16


@dataclass(frozen=True)
class PhononPattern:
    """A pattern with its diffuse part.

    Attributes
    ----------
    elastic, diffuse : DirectPattern
    """

    elastic: DirectPattern
    diffuse: DirectPattern

    def image(self, geometry: Geometry, blur_mrad: float) -> np.ndarray:
        """Fraction of the beam per pixel, shape (y, x); what is diffuse is smooth and blurred as its lattice needs."""
        least = self.diffuse.lattice.least_blur_mrad
        return self.elastic.image(geometry, blur_mrad) + self.diffuse.image(geometry, max(blur_mrad, least))


@dataclass(frozen=True)
class DisplacedNumerics:
    """How patterns of displaced atoms are summed.

    Attributes
    ----------
    elastic : DirectNumerics
        Of the elastic part; field and propagator hold for both.
    atoms : PhononSettings
        How displaced atoms are drawn.
    diffuse_pitch_mrad : float
        Largest step between directions of the diffuse part [mrad].
    periods_per_plane : int
        Periods of the crystal between planes.
    """

    elastic: DirectNumerics
    atoms: PhononSettings
    diffuse_pitch_mrad: float
    periods_per_plane: int


def displaced_patterns(
    slices: SlicePotentials,
    parameters: Sequence[PatternParameters],
    numerics: DisplacedNumerics,
    *,
    rng: np.random.Generator,
) -> list[PhononPattern]:
    """Sum the plane waves of every pattern; every direction meets atoms of its own, which all patterns share.

    Parameters
    ----------
    slices : SlicePotentials
        From `pacbed.simulation.checks.referee_phonons.displaced_slices`.
    parameters : sequence of PatternParameters
        Thicknesses are multiples of the distance of planes.
    numerics : DisplacedNumerics
    rng : numpy.random.Generator
        Places the two lattices of directions.
    """
    elastic = direct_patterns([slices], parameters, numerics.elastic, rng=rng)
    diffuse = _diffuse(slices, parameters, numerics, rng)
    return [PhononPattern(*pair) for pair in zip(elastic, diffuse, strict=True)]


def _diffuse(
    slices: SlicePotentials,
    parameters: Sequence[PatternParameters],
    numerics: DisplacedNumerics,
    rng: np.random.Generator,
) -> list[DirectPattern]:
    cells, pitch = numerics.atoms.cells, numerics.diffuse_pitch_mrad
    full = DirectionLattice.of(
        slices,
        cone_mrad=cone_of(parameters) + pitch,
        field_mrad=numerics.elastic.field_mrad,
        pitch_mrad=pitch,
        rng=rng,
        multiple=cells,
    )
    lattice, shares = lit_part(full, parameters)
    engine = _engine(slices, numerics)
    planes = [round(10 * at.thickness_nm / (numerics.periods_per_plane * slices.period_a)) for at in parameters]
    sums = np.zeros((len(parameters), lattice.box[0] * lattice.box[1]))
    starts = range(0, len(lattice.nodes), DIRECTIONS_PER_BATCH)
    for start in progress(starts, total=len(starts), label="batches of directions with displaced atoms"):
        chosen = slice(start, start + DIRECTIONS_PER_BATCH)
        rocking = engine.run(
            lattice.q[chosen],
            beams=lattice.beams,
            planes=max(planes),
            periods_per_plane=numerics.periods_per_plane,
            keys=np.arange(start, start + len(lattice.q[chosen])),
            resolved=True,
        )
        targets = lattice.targets(chosen, engine.offsets, cells)
        add_sums(sums, targets, shares[:, chosen], [rocking.diffuse[plane] for plane in planes])
    images = sums.reshape(len(parameters), *lattice.box)
    return [DirectPattern(lattice, image, at.mistilt_mrad) for image, at in zip(images, parameters, strict=True)]


def _engine(slices: SlicePotentials, numerics: DisplacedNumerics) -> FrozenPhononEngine:
    atoms = numerics.atoms
    pool = phonon_pool(slices, vibrating_atoms(slices, cells=atoms.cells), entries=atoms.pool, seed=atoms.seed)
    return FrozenPhononEngine(
        slices,
        pool,
        configurations=atoms.configurations,
        propagator=numerics.elastic.propagator,
        seed=atoms.seed,
    )
