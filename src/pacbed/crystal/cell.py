"""One unit cell of a crystal: atoms, occupancies and displacements, and what no crystal has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from pacbed.crystal.identity import SAME_OCCUPANCY, SAME_U_A2, close_pairs, levels
from pacbed.errors import StructureError
from pacbed.systems import shortest_indices

log = logging.getLogger(__name__)
SAME_SITE_A = 0.05  # images of one site that lie closer than this are one atom
HEXAGONAL = 1e-3  # relative; what a strained or rounded hexagonal cell is off by
CLOSEST_A = 0.5  # no two atoms are that close; the shortest bond, H-H, has 0.74
OCCUPANCY_ROUNDING = 2e-3  # three times 0.334 is a full site
NEGATIVE_U_A2 = -1e-4  # refined tensors of nearly flat ellipsoids round to this


class SymmetryOperation(NamedTuple):
    """A symmetry operation of a crystal, f' = W f + w in fractional coordinates.

    Attributes
    ----------
    rotation : ndarray, shape (3, 3)
        W, whole numbers.
    translation : ndarray, shape (3,)
        w, in units of the lattice vectors.
    """

    rotation: np.ndarray
    translation: np.ndarray


@dataclass(frozen=True)
class Crystal:
    """One unit cell of a crystal.

    Attributes
    ----------
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    symbols : list of str
        Chemical symbols, one per atom.
    positions : ndarray, shape (atom, 3)
        Cartesian positions [Å].
    occupancy : ndarray, shape (atom,)
        Site occupancy, 0 to 1.
    displacement : ndarray, shape (atom, 3, 3)
        Cartesian mean-square displacement tensors U [Å^2].
    formula : str
        Formula of the cell content.
    source : str
        File the structure was read from.
    """

    cell: np.ndarray
    symbols: list[str]
    positions: np.ndarray
    occupancy: np.ndarray
    displacement: np.ndarray
    formula: str
    source: str

    @property
    def fractional(self) -> np.ndarray:
        """Fractional positions, shape (atom, 3)."""
        return self.positions @ np.linalg.inv(self.cell)

    @property
    def volume_a3(self) -> float:
        """Volume of the cell [Å^3]."""
        return float(abs(np.linalg.det(self.cell)))

    def to_atoms(self) -> Atoms:
        """The structure as ASE atoms (occupancy and displacements stay behind)."""
        return Atoms(self.symbols, positions=self.positions, cell=self.cell, pbc=True)

    def site_types(self) -> np.ndarray:
        """Integers, shape (atom,), equal for atoms of one element, occupancy and set of principal displacements.

        Atoms that are alike in all that and share a site have different ones, as two ions of one element do.
        """
        values = np.column_stack([
            np.unique(self.symbols, return_inverse=True)[1],
            levels(self.occupancy, SAME_OCCUPANCY),
            *(levels(principal, SAME_U_A2) for principal in np.linalg.eigvalsh(self.displacement).T),
        ])  # fmt: skip
        pairs = close_pairs(self.fractional, self.cell, SAME_SITE_A)
        alike = np.all(values[pairs.first] == values[pairs.second], axis=1)
        copy = np.bincount(pairs.second[alike], minlength=len(values))
        keys = [tuple(key) for key in np.column_stack([values, copy]).tolist()]
        order = {key: index for index, key in enumerate(dict.fromkeys(keys))}
        return np.array([order[key] for key in keys])


def zone_axis_indices(axis: Sequence[int], cell: np.ndarray) -> tuple[int, int, int]:
    """Shortest indices [uvw] of a zone axis.

    Parameters
    ----------
    axis : sequence of three or four int
        [uvw] in the basis of the cell, or, for a hexagonal cell, [uvtw] with t = -(u + v) (Weber indices: the direction
        u a1 + v a2 + t a3 + w c with a3 = -(a1 + a2)). A common divisor is taken out, and the log says so.
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].

    Raises
    ------
    StructureError
        The indices are none of a direction, or four of them belong to a cell that is not hexagonal.
    """
    given = np.asarray(axis)
    if given.shape not in ((3,), (4,)) or not np.any(given) or not np.issubdtype(given.dtype, np.integer):
        raise StructureError(f"zone_axis: got {list(axis)}, accepted: three integers, not all zero")
    if len(given) == 4 and (given[:3].sum() or not _is_hexagonal(cell)):
        raise StructureError(
            f"zone_axis: got {given.tolist()}, accepted: four integers [u, v, t, w] with t = -(u + v) for a hexagonal "
            "cell, or three for any cell"
        )
    indices = shortest_indices(given.tolist())
    if list(indices) != given.tolist():
        log.info("zone axis %s is [%d %d %d] of the published cell", given.tolist(), *indices)
    return indices


def _is_hexagonal(cell: np.ndarray) -> bool:
    """Whether a = b, gamma = 120 and alpha = beta = 90 degrees, as far as cells are printed."""
    a, b, c = cell
    tilts = (a @ b / (a @ a) + 0.5, a @ c / np.sqrt((a @ a) * (c @ c)), b @ c / np.sqrt((b @ b) * (c @ c)))
    return bool(np.all(np.abs([*tilts, b @ b / (a @ a) - 1]) < HEXAGONAL))


def check_site(symbol: str, occupancy: float, u_iso_a2: float, site: str) -> None:
    """Refuse a site that no crystal has.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    occupancy : float
        Above 0, at most 1.
    u_iso_a2 : float
        Isotropic mean-square displacement [Å^2], 0 or more.
    site : str
        Its label and file, for the error.

    Raises
    ------
    StructureError
        The element is unknown, or a number out of range.
    """
    if symbol not in atomic_numbers or symbol == "X":
        raise StructureError(f"element of {site}: got {symbol!r}, accepted: the symbol of a chemical element")
    if not 0 < occupancy <= 1:
        raise StructureError(f"occupancy of {site}: got {occupancy:g}, accepted: above 0, at most 1")
    if not u_iso_a2 >= 0:
        raise StructureError(f"displacement of {site}: got U = {u_iso_a2:g} Å^2, accepted: 0 or more")


def check_cell(parameters: Sequence[float], source: str) -> None:
    """Refuse lengths and angles that no cell has.

    Parameters
    ----------
    parameters : sequence of float
        a, b, c [Å], alpha, beta, gamma [deg].
    source : str
        File they come from, for the error.

    Raises
    ------
    StructureError
        A length is not above 0, or the angles enclose no volume.
    """
    lengths, angles = np.array(parameters[:3], dtype=float), np.deg2rad(parameters[3:])
    cosines = np.cos(angles)
    squared = 1 - np.sum(cosines**2) + 2 * np.prod(cosines)  # of the volume of a cell with edges of 1
    if not (np.all(lengths > 0) and np.all((angles > 0) & (angles < np.pi)) and squared > 1e-6):
        shown = ", ".join(f"{value:g}" for value in parameters)
        raise StructureError(f"cell of {source}: got {shown}, accepted: three lengths above 0 and angles of a cell")


def check_atoms(crystal: Crystal) -> None:
    """Refuse atoms inside each other, sites that are more than full, and tensors that are no ellipsoids.

    Raises
    ------
    StructureError
        The first of these that is found.
    """
    distances = crystal.to_atoms().get_all_distances(mic=True)
    shared = distances < SAME_SITE_A
    for first, second in np.argwhere(np.triu((distances < CLOSEST_A) & ~shared, k=1)):
        raise StructureError(
            f"{crystal.source}: atoms {crystal.symbols[first]} {first} and {crystal.symbols[second]} {second} are "
            f"{distances[first, second]:.2f} Å apart, accepted: {CLOSEST_A} Å or more, or one site shared by "
            "occupancies up to 1"
        )
    for index in np.flatnonzero(shared @ crystal.occupancy > 1 + OCCUPANCY_ROUNDING):
        present = ", ".join(f"{crystal.symbols[i]} {crystal.occupancy[i]:g}" for i in np.flatnonzero(shared[index]))
        raise StructureError(
            f"{crystal.source}: one site holds {present}, at most {distances[index][shared[index]].max():.2f} Å apart, "
            "accepted: occupancies of one site up to 1 in all"
        )
    for index in np.flatnonzero(np.linalg.eigvalsh(crystal.displacement).min(axis=1) < NEGATIVE_U_A2):
        raise StructureError(
            f"{crystal.source}: the displacement tensor of {crystal.symbols[index]} {index} has a negative principal "
            "value, accepted: 0 Å^2 or more"
        )
