"""One unit cell of a crystal: atoms, occupancies and displacements, and what no crystal has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacbed.crystal.identity import SAME_OCCUPANCY, SAME_SITE_A, SAME_U_A2, close_pairs, levels
from pacbed.errors import StructureError
from pacbed.systems import shortest_indices

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
HEXAGONAL = 1e-3  # relative; what a strained or rounded hexagonal cell is off by


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
        from ase import Atoms  # heavy, and the reading of a CIF does without it

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
    if len(given) == 4 and (given[:3].sum() or not is_hexagonal(cell)):
        raise StructureError(
            f"zone_axis: got {given.tolist()}, accepted: four integers [u, v, t, w] with t = -(u + v) for a hexagonal "
            "cell, or three for any cell"
        )
    indices = shortest_indices(given.tolist())
    if list(indices) != given.tolist():
        log.info("zone axis %s is [%d %d %d] of the published cell", given.tolist(), *indices)
    return indices


def require_displacements(crystal: Crystal, thermal_model: str) -> None:
    """Refuse a crystal of atoms at rest where its vibration is asked for.

    Parameters
    ----------
    crystal : Crystal
    thermal_model : {"thermal_mean", "debye_waller_absorptive", "debye_waller", "frozen_phonons", "none"}
        All but "none" need displacement parameters.

    Raises
    ------
    StructureError
        The file gave none.
    """
    if thermal_model != "none" and not np.any(crystal.displacement):
        raise StructureError(
            f"thermal_model: got {thermal_model!r}, but {crystal.source} has no displacement parameters; "
            "accepted: 'none', _atom_site_U_iso_or_equiv [Å^2] for every site of that file, or crystal.displacements "
            f"in the configuration, such as {{{crystal.symbols[0]}: 0.00006}} (u_iso in nm^2, by label or element)"
        )


def is_hexagonal(cell: np.ndarray) -> bool:
    """Whether a = b, gamma = 120 and alpha = beta = 90 degrees, as far as cells are printed."""
    a, b, c = cell
    tilts = (a @ b / (a @ a) + 0.5, a @ c / np.sqrt((a @ a) * (c @ c)), b @ c / np.sqrt((b @ b) * (c @ c)))
    return bool(np.all(np.abs([*tilts, b @ b / (a @ a) - 1]) < HEXAGONAL))
