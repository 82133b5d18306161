"""Re-base a crystal so that the electron beam travels along +z, equal to -[uvw]."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from pacbed.crystal.structure import Crystal
from pacbed.crystal.symmetry import symmetry_operations
from pacbed.errors import StructureError

PARALLEL = 1e-4  # relative z component below which a lattice vector counts as in-plane
SEARCH = 4  # lattice vectors with components up to this are searched


def orient(crystal: Crystal, zone_axis: Sequence[int]) -> Crystal:
    """Unit cell with two lattice vectors in the plane normal to the beam and the third along it.

    Parameters
    ----------
    crystal : Crystal
        The structure as published.
    zone_axis : sequence of three int
        Direction [uvw] in the basis of the published cell; it points to the source, the beam travels along -[uvw].

    Returns
    -------
    Crystal
        Cell rows (a, b, c): a along +x, b in the plane with (a, b, c) right-handed, c along +z, the beam's travel.

    Raises
    ------
    StructureError
        The zone axis is not three integers with one other than zero, or no lattice plane is normal to it.
    """
    axis = np.asarray(zone_axis)
    if axis.shape != (3,) or not np.any(axis) or not np.issubdtype(axis.dtype, np.integer):
        raise StructureError(f"zone_axis: got {list(zone_axis)}, accepted: three integers, not all zero")
    direction = -(axis @ crystal.cell)
    direction = direction / np.linalg.norm(direction)
    vectors = _lattice_vectors(crystal)
    cell = _choose_cell(vectors, direction, zone_axis)
    turn = _frame(cell)
    return _fill(crystal, cell, turn)


def _lattice_vectors(crystal: Crystal) -> np.ndarray:
    """Short lattice vectors, centring included, shape (n, 3), those along the published axes first among equals."""
    pure = [shift for rotation, shift in symmetry_operations(crystal) if np.array_equal(rotation, np.eye(3))]
    whole = np.array(list(product(range(-SEARCH, SEARCH + 1), repeat=3)), dtype=float)
    fractional = np.concatenate([whole + (shift - np.round(shift)) for shift in pure])
    fractional = fractional[np.linalg.norm(fractional, axis=1) > 1e-6]
    keys = np.lexsort((-fractional[:, 2], -fractional[:, 1], -fractional[:, 0]))
    vectors = (fractional @ crystal.cell)[keys]
    return vectors[np.argsort(np.round(np.linalg.norm(vectors, axis=1), 4), kind="stable")]


def _choose_cell(vectors: np.ndarray, direction: np.ndarray, zone_axis: Sequence[int]) -> np.ndarray:
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
    raise StructureError(
        f"zone_axis: got {list(zone_axis)}, accepted: an axis with a lattice plane normal to it "
        f"(vectors up to {SEARCH} cells were searched)"
    )


def _frame(cell: np.ndarray) -> np.ndarray:
    """Rotation, rows = new axes in old coordinates: x along the first vector, z along the third."""
    x = cell[0] / np.linalg.norm(cell[0])
    z = cell[2] / np.linalg.norm(cell[2])
    return np.array([x, np.cross(z, x), z])


def _fill(crystal: Crystal, cell: np.ndarray, turn: np.ndarray) -> Crystal:
    inverse = np.linalg.inv(cell)
    shifts = np.array(list(product(range(-2 * SEARCH, 2 * SEARCH + 1), repeat=3))) @ crystal.cell
    expected = len(crystal.symbols) * abs(np.linalg.det(cell)) / crystal.volume_a3
    symbols, positions, occupancy, displacement = [], [], [], []
    for index, symbol in enumerate(crystal.symbols):
        images = ((crystal.positions[index] + shifts) @ inverse + 1e-6) % 1.0 - 1e-6
        for image in images[np.unique(np.round(images, 5), axis=0, return_index=True)[1]]:
            symbols.append(symbol)
            positions.append(image)
            occupancy.append(crystal.occupancy[index])
            displacement.append(turn @ crystal.displacement[index] @ turn.T)
    if abs(len(symbols) - expected) > 1e-3:
        raise StructureError(f"{crystal.source}: re-basing gives {len(symbols)} atoms where {expected:.3f} belong")
    turned = cell @ turn.T
    turned[np.abs(turned) < 1e-10] = 0.0
    return Crystal(
        cell=turned,
        symbols=symbols,
        positions=np.array(positions) @ turned,
        occupancy=np.array(occupancy),
        displacement=np.array(displacement),
        formula=crystal.formula,
        source=crystal.source,
    )
