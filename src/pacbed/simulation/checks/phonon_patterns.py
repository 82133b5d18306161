"""Position-averaged patterns of a vibrating crystal, elastic and in total, from the plane waves of one aperture."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.vibration import vibrating_atoms
from pacbed.logs import progress
from pacbed.simulation.multislice.aperture import Aperture
from pacbed.simulation.multislice.frozen_phonons import FrozenPhononEngine
from pacbed.simulation.multislice.phonon_pool import phonon_pool

log = logging.getLogger(__name__)
DIRECTIONS_PER_BATCH = 32  # between two lines of the log


@dataclass(frozen=True)
class PhononPatterns:
    """Patterns on the pixels of an aperture, fraction of the beam per pixel.

    Attributes
    ----------
    thickness_nm : numpy.ndarray, shape (plane,)
        Whole periods of the crystal [nm].
    elastic : numpy.ndarray, shape (plane, pixel)
        Elastic part, free of noise.
    totals : numpy.ndarray, shape (configuration, plane, pixel)
        Elastic and diffuse part, the diffuse one from independent configurations.
    """

    thickness_nm: np.ndarray
    elastic: np.ndarray
    totals: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Mean over the configurations, shape (plane, pixel)."""
        return np.asarray(self.totals.mean(axis=0))


class PhononNumerics(NamedTuple):
    """How displaced atoms are drawn.

    Attributes
    ----------
    cells : int
        Edge of the supercell, in cells.
    configurations : int
        Independent configurations of the atoms for each direction.
    pool : int
        Displaced slices per level, from which configurations are put together.
    seed : int
        Source of the displacements.
    """

    cells: int
    configurations: int
    pool: int
    seed: int


def phonon_patterns(
    slices: SlicePotentials,
    aperture: Aperture,
    numerics: PhononNumerics,
    *,
    planes: Sequence[int],
    periods_per_plane: int,
    propagator: str = "exact",
) -> PhononPatterns:
    """Patterns of one aperture at several thicknesses; all come from the same waves.

    Parameters
    ----------
    slices : SlicePotentials
        Of thermal model "frozen_phonons".
    aperture : Aperture
        Its `steps` are a multiple of the supercell's edge.
    numerics : PhononNumerics
        Supercell and configurations.
    planes : sequence of int
        Thickness planes whose patterns are made, ascending; 0 is the entrance surface.
    periods_per_plane : int
        Periods of the crystal between planes.
    propagator : {"exact", "fresnel"}
        Free-space propagation between slices.
    """
    atoms = vibrating_atoms(slices, cells=numerics.cells)
    pool = phonon_pool(slices, atoms, entries=numerics.pool, seed=numerics.seed)
    shape = (len(planes), len(aperture.pixels))
    elastic, totals = np.zeros(shape), np.zeros((numerics.configurations, *shape))
    directions = range(0, len(aperture.q), DIRECTIONS_PER_BATCH)
    batches = [(configuration, start) for configuration in range(numerics.configurations) for start in directions]
    for configuration, start in progress(batches, total=len(batches), label="batches of directions"):
        engine = FrozenPhononEngine(slices, pool, propagator=propagator, seed=numerics.seed + configuration)
        chosen = slice(start, start + DIRECTIONS_PER_BATCH)
        batch = replace(aperture, nodes=aperture.nodes[chosen], q=aperture.q[chosen])
        rocking = engine.run(
            batch.q,
            beams=aperture.beams,
            planes=planes[-1],
            periods_per_plane=periods_per_plane,
            keys=np.arange(start, start + len(batch.q)),
            resolved=True,
        )
        coherent = batch.patterns(rocking.intensity[planes])
        diffuse = batch.patterns(rocking.diffuse[planes], cells=numerics.cells, offsets=engine.offsets)
        totals[configuration] += coherent + diffuse
        if configuration == 0:
            elastic += coherent
    return PhononPatterns(np.array(planes) * periods_per_plane * slices.period_a / 10, elastic, totals)
