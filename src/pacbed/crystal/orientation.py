"""Re-base a crystal so that the electron beam travels along +z, equal to -[uvw]."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from pacbed.crystal.beam_group import symmetry_operations
from pacbed.crystal.cell import SAME_SITE_A, Crystal
from pacbed.errors import StructureError

PARALLEL = 1e-4  # relative z component below which a lattice vector counts as in-plane
SEARCH = 4  # lattice vectors with components up to this are searched


class _Atom(NamedTuple):
    """An atom of the new cell: its number in the published cell, and its fractional position, shape (3,)."""

    number: int
    fractional: np.ndarray


def orient(crystal: Crystal, zone_axis: Sequence[int]) -> Crystal:
    """Unit cell whose third lattice vector lies along the beam and whose others lie normal to it where they can.

    A monoclinic or triclinic crystal has in general no lattice plane normal to a zone axis. Its cell is then the
    primitive one whose first two vectors are shortest as seen along the beam and lie at most half a period out of the
    plane normal to it.

    Parameters
    ----------
    crystal : Crystal
        The structure as published.
    zone_axis : sequence of three int
        Direction [uvw] in the basis of the published cell; it points to the source, the beam travels along -[uvw].

    Returns
    -------
    Crystal
        Cell rows (a, b, c), right-handed: c along +z, the beam's travel; a along +x as seen along the beam; a and b
        normal to the beam if a lattice plane is.

    Raises
    ------
    StructureError
        The zone axis is not three integers with one other than zero.
    """
    axis = np.asarray(zone_axis)
    if axis.shape != (3,) or not np.any(axis) or not np.issubdtype(axis.dtype, np.integer):
        raise StructureError(f"zone_axis: got {list(zone_axis)}, accepted: three integers, not all zero")
    axis = axis // np.gcd.reduce(axis)
    centring = _centring(crystal)
    direction = -(axis @ crystal.cell) / np.linalg.norm(axis @ crystal.cell)
    cell = _normal_cell(_lattice_vectors(crystal, centring, SEARCH), direction)
    if cell is None:
        vectors = _lattice_vectors(crystal, centring, max(SEARCH, int(np.abs(axis).max())))
        cell = _sheared_cell(vectors, -(axis @ crystal.cell) / _repeats(axis, centring))
    return _fill(crystal, cell, _frame(cell))


def _centring(crystal: Crystal) -> np.ndarray:
    """Translations of the lattice within the published cell, fractional, shape (n, 3), zero among them."""
    identity = np.eye(3)
    return np.array([shift for rotation, shift in symmetry_operations(crystal) if np.array_equal(rotation, identity)])


def _lattice_vectors(crystal: Crystal, centring: np.ndarray, reach: int) -> np.ndarray:
    """Short lattice vectors, centring included, shape (n, 3), those along the published axes first among equals."""
    whole = np.array(list(product(range(-reach, reach + 1), repeat=3)), dtype=float)
    fractional = np.concatenate([whole + (shift - np.round(shift)) for shift in centring])
    fractional = fractional[np.linalg.norm(fractional, axis=1) > 1e-6]
    keys = np.lexsort((-fractional[:, 2], -fractional[:, 1], -fractional[:, 0]))
    vectors = (fractional @ crystal.cell)[keys]
    return vectors[np.argsort(np.round(np.linalg.norm(vectors, axis=1), 4), kind="stable")]


def _repeats(axis: np.ndarray, centring: np.ndarray) -> int:
    """How many lattice points the shortest whole-number vector along an axis passes, centring included."""
    for parts in range(len(centring), 1, -1):
        offset = axis / parts - centring
        if np.any(np.all(np.abs(offset - np.round(offset)) < 1e-4, axis=1)):
            return parts
    return 1


def _normal_cell(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray | None:
    """Cell (a, b, c), shape (3, 3) [Å], with a and b normal to the beam; None where no lattice plane is."""
    along = vectors @ direction
    lengths = np.linalg.norm(vectors, axis=1)
    parallel = vectors[np.abs(along - lengths) < PARALLEL * lengths]
    plane = vectors[np.abs(along) < PARALLEL * lengths]
    if len(parallel) and len(plane):
        first = plane[0]
        handed = np.einsum("ij,j->i", np.cross(first, plane), direction)
        seconds = plane[(handed > PARALLEL * np.linalg.norm(first)) & (plane @ first < PARALLEL)]
        if len(seconds):
            return np.array([first, seconds[0], parallel[0]])
    return None


def _sheared_cell(vectors: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Cell (a, b, c) with c the period along the beam, and a and b shortest as seen along it."""
    direction = period / np.linalg.norm(period)
    along = vectors @ direction
    seen = vectors - along[:, None] * direction
    lengths = np.round(np.linalg.norm(seen, axis=1), 4)
    near = (np.abs(along) <= (0.5 + PARALLEL) * np.linalg.norm(period)) & (lengths > PARALLEL)
    order = np.argsort(lengths[near], kind="stable")
    vectors, seen, lengths = vectors[near][order], seen[near][order], lengths[near][order]
    handed = np.einsum("ij,j->i", np.cross(seen[0], seen), direction)
    second = np.flatnonzero(handed > 0.1 * lengths[0] ** 2)
    # Of equally short ones the one that makes an obtuse angle, as in a conventional hexagonal cell.
    second = second[lengths[second] < lengths[second[0]] + 1e-3]
    return np.array([vectors[0], vectors[second[np.argmin(np.round(seen[second] @ seen[0], 3))]], period])


def _frame(cell: np.ndarray) -> np.ndarray:
    """Rotation, rows = new axes in old coordinates: z along the third vector, x along the first as seen along z."""
    z = cell[2] / np.linalg.norm(cell[2])
    x = cell[0] - (cell[0] @ z) * z
    x = x / np.linalg.norm(x)
    return np.array([x, np.cross(z, x), z])


def _fill(crystal: Crystal, cell: np.ndarray, turn: np.ndarray) -> Crystal:
    """The crystal in another cell, rows in old coordinates [Å], then turned by a rotation; shape (3, 3) each."""
    inverse = np.linalg.inv(cell)
    reach = int(np.ceil(np.abs(cell @ np.linalg.inv(crystal.cell)).sum(axis=0).max())) + 1
    shifts = np.array(list(product(range(-reach, reach + 1), repeat=3))) @ crystal.cell
    expected = len(crystal.symbols) * abs(np.linalg.det(cell)) / crystal.volume_a3
    found: list[_Atom] = []
    for number, position in enumerate(crystal.positions):
        images = ((position + shifts) @ inverse + 1e-6) % 1.0 - 1e-6
        images = images[np.unique(np.round(images, 5), axis=0, return_index=True)[1]]
        atoms = [_Atom(number, image) for image in images]
        found += [atom for atom in atoms if not _is_there(crystal, found, atom, cell)]
    if abs(len(found) - expected) > 1e-3:
        raise StructureError(f"{crystal.source}: re-basing gives {len(found)} atoms where {expected:.3f} belong")
    turned = cell @ turn.T
    turned[np.abs(turned) < 1e-10] = 0.0
    indices = [atom.number for atom in found]
    return Crystal(
        cell=turned,
        symbols=[crystal.symbols[index] for index in indices],
        positions=np.array([atom.fractional for atom in found]) @ turned,
        occupancy=crystal.occupancy[indices],
        displacement=turn @ crystal.displacement[indices] @ turn.T,
        formula=crystal.formula,
        source=crystal.source,
    )


def _is_there(crystal: Crystal, found: list[_Atom], atom: _Atom, cell: np.ndarray) -> bool:
    """Whether a centring translation has already brought an equal atom there."""
    for number, fractional in found:
        same = number != atom.number and crystal.symbols[number] == crystal.symbols[atom.number]
        if same and crystal.occupancy[number] == crystal.occupancy[atom.number]:
            offset = atom.fractional - fractional
            if np.linalg.norm((offset - np.round(offset)) @ cell) < SAME_SITE_A:
                return True
    return False
