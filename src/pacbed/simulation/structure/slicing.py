"""How a crystal is cut into slices, while the grid of the slices is still to be chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_structure
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.slicing import slice_potentials

DEEPEST_SLICE_A, SHALLOWEST_SLICE_A = 2.0, 0.9
MET_A = 0.03  # atoms that are this near to a plane count as in it
FINEST_REFERENCE = 8  # times as many slices are the most by which others are judged
THINNEST_SLICE_A = 0.25  # that is tried where the others change a pattern by more than the tolerance


@dataclass(frozen=True)
class Slicing:
    """A crystal and everything that makes slice potentials of it but the grid.

    Attributes
    ----------
    oriented : Crystal
        The crystal with the beam along z.
    zone_axis : tuple of int
        Points to the source.
    energy_ev : float
        Kinetic energy of the electrons [eV].
    slices : int
        Slices per period.
    thermal_model, parametrization : str
        Thermal smearing, and table of form factors, as `slice_potentials` knows them.
    """

    oriented: Crystal
    zone_axis: tuple[int, int, int]
    energy_ev: float
    slices: int
    thermal_model: str
    parametrization: str

    @classmethod
    def behind(cls, slices: SlicePotentials) -> Slicing:
        """What made slice potentials; the CIF file they came from is read again."""
        return cls(
            orient(read_structure(slices.source, slices.reading).crystal, slices.zone_axis),
            slices.zone_axis,
            slices.energy_ev,
            len(slices.potential),
            slices.thermal_model,
            slices.parametrization,
        )

    @property
    def lengths_a(self) -> np.ndarray:
        """Lengths of the two in-plane vectors, shape (2,) [Å]."""
        return np.asarray(np.linalg.norm(self.oriented.cell[:2, :2], axis=1))

    def on_grid(self, grid: tuple[int, int]) -> SlicePotentials:
        """The slice potentials on so many points along the in-plane vectors."""
        return slice_potentials(
            self.oriented,
            zone_axis=self.zone_axis,
            energy_ev=self.energy_ev,
            grid=grid,
            slices=self.slices,
            thermal_model=self.thermal_model,
            parametrization=self.parametrization,
        )


def slice_count(oriented: Crystal, slice_depth_nm: float | str) -> int:
    """Slices per period: the fewest within the limits whose planes lie closest to the atoms.

    Parameters
    ----------
    oriented : Crystal
        The crystal with the beam along z.
    slice_depth_nm : float or "auto"
        Upper limit of the depth [nm]; "auto" looks from 0.09 to 0.2 nm for the depth whose planes suit the atoms.
    """
    period = float(oriented.cell[2, 2])
    if not isinstance(slice_depth_nm, str):
        return max(1, int(np.ceil(period / (10 * slice_depth_nm) - 1e-6)))
    fewest = max(1, int(np.ceil(period / DEEPEST_SLICE_A - 1e-6)))
    most = max(fewest, int(period / SHALLOWEST_SLICE_A))
    return min(range(fewest, most + 1), key=lambda count: (misfit_a(oriented, count), count))


def misfit_a(oriented: Crystal, count: int) -> float:
    """Distance of the atoms from the planes of so many slices, root mean square [Å].

    Atoms weigh as the square of their atomic number: what a heavy one scatters a little too early or too late changes
    a pattern more than what a light one does.
    """
    heights = oriented.fractional[:, 2] * count
    weights = np.array([atomic_numbers[symbol] for symbol in oriented.symbols], dtype=float) ** 2 * oriented.occupancy
    mean_square = np.average((heights - np.round(heights)) ** 2, weights=weights)
    return round(float(np.sqrt(mean_square)) * float(oriented.cell[2, 2]) / count, 3)


def finer_counts(oriented: Crystal, count: int) -> Iterator[int]:
    """More slices than `count`, down to the thinnest: each number whose planes lie closer to the atoms than all fewer.

    Where every atom lies in a plane, these are the multiples of `count`.
    """
    best = misfit_a(oriented, count)
    for more in range(count + 1, int(oriented.cell[2, 2] / THINNEST_SLICE_A) + 1):
        misfit = misfit_a(oriented, more)
        if misfit < best or (best == 0 and more % count == 0):
            yield more
            best = misfit


def reference_count(oriented: Crystal, count: int) -> int:
    """Slices by which `count` of them are judged: at least twice as many, with planes at half the distance from atoms.

    Twice as many alone would not show an atom that both put into the same plane.
    """
    wanted = max(misfit_a(oriented, count) / 2, MET_A)
    counts = range(2 * count, FINEST_REFERENCE * count + 1)
    return next((more for more in counts if misfit_a(oriented, more) <= wanted), counts[-1])
