"""Re-base a crystal so that the electron beam travels along +z, equal to -[uvw]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pacbed.crystal.beam_group import lattice_translations, symmetrised, symmetry_operations
from pacbed.crystal.cell import Crystal, zone_axis_indices
from pacbed.crystal.identity import SAME_IMAGE_A, images, levels
from pacbed.errors import StructureError

PARALLEL = 1e-4  # relative z component below which a lattice vector counts as in-plane
SEARCH = 4  # lattice vectors with components up to this are searched
WIDER_SEARCHES = (1, 2, 4)  # times as far, where the cell is so oblique that these do not span the lattice
WHOLE = 1e-3  # numbers that differ from whole ones by less are these, but for floating-point noise
EQUALLY_SHORT_A = 5e-5  # lattice vectors whose lengths differ by less are equally short; files have four decimals
ALIKE_A = 1e-3  # of vectors seen along the beam that differ by less, the angle decides


def orient(crystal: Crystal, zone_axis: Sequence[int]) -> Crystal:
    """Unit cell whose third lattice vector lies along the beam and whose others lie normal to it where they can.

    A monoclinic or triclinic crystal has in general no lattice plane normal to a zone axis. Its cell is then the
    primitive one whose first two vectors are shortest as seen along the beam and lie at most half a period out of the
    plane normal to it.

    Parameters
    ----------
    crystal : Crystal
        The structure as published.
    zone_axis : sequence of three or four int
        Direction [uvw] in the basis of the published cell, or [uvtw] of a hexagonal one (see `zone_axis_indices`); it
        points to the source, the beam travels along -[uvw].

    Returns
    -------
    Crystal
        Cell rows (a, b, c), right-handed: c along +z, the beam's travel; a along +x as seen along the beam; a and b
        normal to the beam if a lattice plane is. Atoms that only decimals keep off their special positions lie on them.

    Raises
    ------
    StructureError
        The zone axis is no direction of the crystal.
    """
    return next(orientations(crystal, [zone_axis]))


def orientations(crystal: Crystal, zone_axes: Iterable[Sequence[int]]) -> Iterator[Crystal]:
    """The crystal along one zone axis after the other, see `orient`; its symmetry is worked out once.

    Parameters
    ----------
    crystal : Crystal
        The structure as published.
    zone_axes : iterable of sequences of three or four int
        As `orient` takes them.
    """
    operations = symmetry_operations(crystal)
    settled, centring = symmetrised(crystal, operations), lattice_translations(operations)
    for zone_axis in zone_axes:
        axis = np.array(zone_axis_indices(zone_axis, crystal.cell))
        cell = _cell_along(settled, centring, -axis / _repeats(axis, centring))
        yield _fill(settled, cell, _frame(cell), centring)


def lattice_vectors(crystal: Crystal, zone_axis: Sequence[int]) -> np.ndarray:
    """Rows of the cell that `orient` makes, shape (3, 3), in units of the vectors of the published cell."""
    operations = symmetry_operations(crystal)
    settled, centring = symmetrised(crystal, operations), lattice_translations(operations)
    axis = np.array(zone_axis_indices(zone_axis, crystal.cell))
    vectors: np.ndarray = _cell_along(settled, centring, -axis / _repeats(axis, centring)) @ np.linalg.inv(crystal.cell)
    return vectors


def _cell_along(crystal: Crystal, centring: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Cell (a, b, c), shape (3, 3) [Å], whose c is a fractional period along the beam.

    Its other vectors are normal to the beam where short ones are; else it is the primitive cell.
    """
    reach, volume = max(SEARCH, int(np.ceil(np.abs(period).max()))), crystal.volume_a3 / len(centring)
    for wider in WIDER_SEARCHES:
        vectors, along = _lattice_vectors(crystal, centring, wider * reach), period @ crystal.cell
        cell = _normal_cell(vectors, along) if wider * reach == SEARCH else None
        if cell is not None:
            return cell
        cell = _sheared_cell(vectors, along)
        if cell is not None and np.linalg.det(cell) < 1.5 * volume:  # else a multiple: vectors in between are missing
            return cell
    raise StructureError(f"{crystal.source}: no primitive cell along {period} found; this is an error of pacbed")


def _lattice_vectors(crystal: Crystal, centring: np.ndarray, reach: int) -> np.ndarray:
    """Short lattice vectors, centring included, shape (n, 3), those along the published axes first among equals."""
    whole = _whole_vectors(reach).astype(float)
    fractional = np.concatenate([whole + (shift - np.round(shift)) for shift in centring])
    fractional = fractional[np.linalg.norm(fractional, axis=1) > 1e-6]
    keys = np.lexsort((-fractional[:, 2], -fractional[:, 1], -fractional[:, 0]))
    vectors = (fractional @ crystal.cell)[keys]
    return vectors[np.argsort(levels(np.linalg.norm(vectors, axis=1), EQUALLY_SHORT_A), kind="stable")]


def _whole_vectors(reach: int) -> np.ndarray:
    """All triples of whole numbers from -reach to reach, in lexicographic order, shape (n, 3)."""
    return np.indices((2 * reach + 1,) * 3).reshape(3, -1).T - reach


def _repeats(axis: np.ndarray, centring: np.ndarray) -> int:
    """How many lattice points the shortest whole-number vector along an axis passes, centring included."""
    for parts in range(len(centring), 1, -1):
        offset = axis / parts - centring
        if np.any(np.all(np.abs(offset - np.round(offset)) < 1e-6, axis=1)):
            return parts
    return 1


def _normal_cell(vectors: np.ndarray, period: np.ndarray) -> np.ndarray | None:
    """Cell (a, b, c), shape (3, 3) [Å], with a and b normal to the period along the beam; None if no plane is."""
    direction = period / np.linalg.norm(period)
    plane = vectors[np.abs(vectors @ direction) < PARALLEL * np.linalg.norm(vectors, axis=1)]
    if len(plane):
        first = plane[0]
        handed = np.einsum("ij,j->i", np.cross(first, plane), direction)
        seconds = plane[(handed > PARALLEL * np.linalg.norm(first)) & (plane @ first < PARALLEL)]
        if len(seconds):
            return np.array([first, seconds[0], period])
    return None


def _sheared_cell(vectors: np.ndarray, period: np.ndarray) -> np.ndarray | None:
    """Cell (a, b, c) with c the period along the beam, and a and b shortest as seen along it; None if none is there."""
    direction = period / np.linalg.norm(period)
    along = vectors @ direction
    seen = vectors - along[:, None] * direction
    lengths = np.linalg.norm(seen, axis=1)
    near = (np.abs(along) <= (0.5 + PARALLEL) * np.linalg.norm(period)) & (lengths > PARALLEL)
    if not np.any(near):
        return None
    order = np.flatnonzero(near)[np.argsort(levels(lengths[near], EQUALLY_SHORT_A), kind="stable")]
    vectors, seen, lengths = vectors[order], seen[order], lengths[order]
    handed = np.einsum("ij,j->i", np.cross(seen[0], seen), direction)
    second = np.flatnonzero(handed > 0.1 * (seen[0] @ seen[0]))
    if len(second) == 0:
        return None
    # Of equally short ones the one that makes an obtuse angle, as in a conventional hexagonal cell.
    second = second[lengths[second] < lengths[second[0]] + ALIKE_A]
    product = seen[second] @ seen[0]
    return np.array([vectors[0], vectors[second[np.argmax(product < product.min() + ALIKE_A)]], period])


def _frame(cell: np.ndarray) -> np.ndarray:
    """Rotation, rows = new axes in old coordinates: z along the third vector, x along the first as seen along z."""
    z = cell[2] / np.linalg.norm(cell[2])
    x = cell[0] - (cell[0] @ z) * z
    x = x / np.linalg.norm(x)
    return np.array([x, np.cross(z, x), z])


def _fill(crystal: Crystal, cell: np.ndarray, turn: np.ndarray, centring: np.ndarray) -> Crystal:
    """The crystal in another cell of its lattice, then turned.

    Parameters
    ----------
    crystal : Crystal
        In its old cell.
    cell : ndarray, shape (3, 3)
        New lattice vectors as rows, in old coordinates [Å].
    turn : ndarray, shape (3, 3)
        Rotation from old to new coordinates.
    centring : ndarray, shape (n, 3)
        All translations of the lattice within the old cell, fractional.
    """
    indices, shifts = _atoms_of(crystal, cell, centring)
    places = (crystal.positions[indices] + shifts @ crystal.cell) @ np.linalg.inv(cell)
    fractional = (places + 1e-6) % 1.0 - 1e-6
    order = np.lexsort((*np.round(fractional, 5).T[::-1], indices))  # an order for the eye, which decides nothing
    indices, fractional = indices[order], fractional[order]
    turned = cell @ turn.T
    turned[np.abs(turned) < 1e-10] = 0.0
    return Crystal(
        cell=turned,
        symbols=[crystal.symbols[index] for index in indices],
        positions=fractional @ turned,
        occupancy=crystal.occupancy[indices],
        displacement=turn @ crystal.displacement[indices] @ turn.T,
        formula=crystal.formula,
        source=crystal.source,
    )


def _atoms_of(crystal: Crystal, cell: np.ndarray, centring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Atoms of a new cell: numbers in the old one, shape (atom,), and shifts by old lattice vectors, shape (atom, 3).

    Two atoms that the lattice makes equal are one if a vector of the new lattice lies between them. That is a matter of
    whole numbers, the lattice being counted in n-th parts of old lattice vectors where it has n points in the old cell.
    """
    parts, vectors = len(centring), cell @ np.linalg.inv(crystal.cell)
    basis = np.round(parts * vectors).astype(int)
    size = round(abs(np.linalg.det(basis)))
    if size == 0 or np.abs(parts * vectors - basis).max() > WHOLE:
        raise StructureError(
            f"{crystal.source}: {vectors.tolist()} is no cell of the lattice; this is an error of pacbed"
        )
    adjugate = np.round(size * np.linalg.inv(basis)).astype(int)
    first, offset = _lattice_orbits(crystal, centring)
    reach = int(np.ceil(np.abs(vectors).sum(axis=0).max())) + 1
    shifts = _whole_vectors(reach)
    shifts = shifts[_first_of_each(parts * shifts @ adjugate % size)]
    classes = (parts * shifts + offset[:, None]) @ adjugate % size
    owner = np.broadcast_to(first[:, None, None], (*classes.shape[:2], 1))
    chosen = _first_of_each(np.concatenate([owner, classes], axis=2).reshape(-1, 4))
    indices, numbers = np.divmod(chosen, len(shifts))
    counts = np.bincount(first[indices], minlength=len(first))[np.unique(first)]
    if np.any(counts * parts**2 != size):
        raise StructureError(
            f"{crystal.source}: re-basing to {basis.tolist()} / {parts} gives {sorted(set(counts.tolist()))} atoms "
            f"where {size / parts**2:g} belong; this is an error of pacbed"
        )
    return indices, shifts[numbers]


def _lattice_orbits(crystal: Crystal, centring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Atoms that the lattice makes equal: the first of those of each atom, and the lattice vector from it.

    Numbers of atoms, shape (atom,), and whole numbers in n-th parts of the cell's vectors, shape (atom, 3).
    """
    fractional = crystal.fractional
    if len(centring) == 1:
        return np.arange(len(fractional)), np.zeros(fractional.shape, dtype=int)
    moved = fractional + centring[:, None]
    image = images(fractional, moved, crystal.site_types(), crystal.cell, 2 * SAME_IMAGE_A)
    if image.min() < 0:
        raise StructureError(f"{crystal.source}: {centring.tolist()} are no translations; this is an error of pacbed")
    first = image.min(axis=0)
    return first, np.round(len(centring) * (fractional - fractional[first])).astype(int)


def _first_of_each(rows: np.ndarray) -> np.ndarray:
    """Numbers of the first of equal rows, ascending; `rows` are whole numbers of 0 or more, shape (n, columns)."""
    code = np.ravel_multi_index(rows.T, rows.max(axis=0) + 1)
    return np.sort(np.unique(code, return_index=True)[1])
