"""Position-averaged patterns of a vibrating crystal, elastic and in total, from the plane waves of one aperture."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.vibration import vibrating_atoms
from pacbed.logs import progress
from pacbed.simulation.multislice.aperture import Aperture
from pacbed.simulation.multislice.frozen_phonons import FrozenPhononEngine
from pacbed.simulation.multislice.phonon_pool import phonon_pool

log = logging.getLogger(__name__)
BATCH = 32  # directions between two lines of the log


@dataclass(frozen=True)
class PhononPatterns:
    """Patterns on the pixels of an aperture, fraction of the beam per pixel.

    Attributes
    ----------
    thickness_nm : ndarray, shape (plane,)
        Whole periods of the crystal [nm].
    elastic : ndarray, shape (plane, pixel)
        Elastic part, free of noise.
    totals : ndarray, shape (configuration, plane, pixel)
        Elastic and diffuse part, the diffuse one from independent configurations.
    """

    thickness_nm: np.ndarray
    elastic: np.ndarray
    totals: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Mean over the configurations, shape (plane, pixel)."""
        return np.asarray(self.totals.mean(axis=0))


def phonon_patterns(
    slices: SlicePotentials,
    aperture: Aperture,
    *,
    kept: list[int],
    periods_per_plane: int,
    cells: int,
    configurations: int,
    pool: int,
    seed: int,
    propagator: str = "exact",
) -> PhononPatterns:
    """Patterns of one aperture at several thicknesses; all come from the same waves.

    Parameters
    ----------
    slices : SlicePotentials
        Of thermal model "frozen_phonons".
    aperture : Aperture
        Its `steps` are a multiple of `cells`.
    kept : list of int
        Planes to keep, ascending.
    periods_per_plane : int
        Periods of the crystal between planes.
    cells, configurations, pool, seed
        Edge of the supercell, configurations per direction, displaced slices per level, seed.
    propagator : {"exact", "fresnel"}
    """
    atoms = phonon_pool(slices, vibrating_atoms(slices, cells=cells), entries=pool, seed=seed)
    shape = (len(kept), len(aperture.pixels))
    elastic, totals = np.zeros(shape), np.zeros((configurations, *shape))
    starts = [(run, start) for run in range(configurations) for start in range(0, len(aperture.q), BATCH)]
    for run, start in progress(starts, total=len(starts), label="batches of directions"):
        engine = FrozenPhononEngine(slices, atoms, propagator=propagator, seed=seed + run)
        chosen = slice(start, start + BATCH)
        part = replace(aperture, nodes=aperture.nodes[chosen], q=aperture.q[chosen])
        rocking = engine.run(
            part.q,
            beams=aperture.beams,
            planes=kept[-1],
            periods_per_plane=periods_per_plane,
            keys=np.arange(start, start + len(part.q)),
            resolved=True,
        )
        coherent = part.patterns(rocking.intensity[kept])
        totals[run] += coherent + part.patterns(rocking.diffuse[kept], cells=cells, offsets=engine.offsets)
        if run == 0:
            elastic += coherent
    return PhononPatterns(np.array(kept) * periods_per_plane * slices.period_a / 10, elastic, totals)
