"""One unit cell of a crystal: atoms, occupancies and displacements, and what no crystal has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

SAME_SITE_A = 0.05  # images of one site that lie closer than this are one atom


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
        """Integers, shape (atom,), equal for atoms of one element, occupancy and set of principal displacements."""
        keys = [
            (symbol, round(float(occupancy), 4), *np.round(np.linalg.eigvalsh(tensor), 5))
            for symbol, occupancy, tensor in zip(self.symbols, self.occupancy, self.displacement, strict=True)
        ]
        order = {key: index for index, key in enumerate(dict.fromkeys(keys))}
        return np.array([order[key] for key in keys])
