"""Symmetry operations of a crystal, found by spglib, and those of them that keep the beam direction."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import spglib
import spglib.error

from pacbed.crystal.cell import Crystal, SymmetryOperation
from pacbed.crystal.identity import SAME_IMAGE_A, SAME_U_A2, images, nearest_offsets
from pacbed.errors import StructureError

spglib.error.OLD_ERROR_HANDLING = False  # raise instead of returning None
log = logging.getLogger(__name__)
SAME_LENGTH_A = 1.5e-3  # lattice vectors whose lengths differ by less are equal; files round to 1e-3 at the coarsest
IN_PLACE_A = 1e-5  # atoms that symmetry would move by less stay where they are
ROUNDS, SETTLED = 10, 1e-10  # of averaging, and the step in units of the lattice vectors that ends it


@dataclass(frozen=True)
class UprightOperations:
    """Operations of the crystal that keep the beam direction, screws and glides along it included.

    Attributes
    ----------
    matrices : ndarray of int, shape (operation, 2, 2)
        W acting on in-plane fractional coordinates, f' = W f; the identity comes first.
    lifts : ndarray, shape (operation,)
        Part of the operation's translation along the beam, in periods, from -1/2 to 1/2.
    """

    matrices: np.ndarray
    lifts: np.ndarray


def symmetry_operations(crystal: Crystal, *, tolerance_a: float = SAME_IMAGE_A) -> list[SymmetryOperation]:
    """All operations that carry the lattice, the atoms of one `Crystal.site_types` and their tensors into each other.

    Parameters
    ----------
    crystal : Crystal
        Any unit cell.
    tolerance_a : float
        Tolerance on positions [Å].

    Raises
    ------
    StructureError
        spglib finds none, not even the identity.
    """
    types = crystal.site_types()
    try:
        cell = (crystal.cell.tolist(), crystal.fractional.tolist(), types.tolist())
        found = spglib.get_symmetry(cell, symprec=tolerance_a)
    except spglib.error.SpglibError as error:
        raise StructureError(f"{crystal.source}: spglib finds no symmetry ({error})") from error
    assert found is not None  # with the new error handling
    rotations, translations = found["rotations"], found["translations"]
    image = _images(crystal, rotations, translations, types, 2 * tolerance_a)
    kept = _keeps_lattice(crystal.cell, rotations) & _keeps_displacements(crystal, rotations, image)
    return [SymmetryOperation(*pair) for pair in zip(rotations[kept], translations[kept], strict=True)]


def symmetrised(crystal: Crystal, operations: list[SymmetryOperation]) -> Crystal:
    """The crystal with every atom at the mean of where the operations carry its equivalents to.

    Decimals like 0.3333 leave an atom beside its special position; the slices of such a crystal would lack symmetry
    that the crystal has. The log says when atoms are moved.

    Parameters
    ----------
    crystal : Crystal
        Any unit cell.
    operations : list of SymmetryOperation
        Its group, from `symmetry_operations`.
    """
    if len(operations) == 1:
        return crystal
    rotations = np.array([operation.rotation for operation in operations])
    translations = np.array([operation.translation for operation in operations])
    image = _images(crystal, rotations, translations, crystal.site_types(), 2 * SAME_IMAGE_A)
    before = moved = crystal.fractional
    for _ in range(ROUNDS):  # translations are known no better than the atoms they are found from: these settle too
        steps = moved @ rotations.transpose(0, 2, 1) + translations[:, None] - moved[image]
        steps -= np.round(steps)
        steps -= steps.mean(axis=1, keepdims=True)
        total = np.zeros_like(before)
        np.add.at(total, image, steps)
        moved = moved + total / len(operations)
        if np.abs(total).max() < SETTLED:
            break
    largest = np.linalg.norm(nearest_offsets(moved - before, crystal.cell), axis=1).max()
    if largest < IN_PLACE_A:
        return crystal
    log.info("%s: atoms moved onto their special positions, by at most %.1e Å", crystal.source, largest)
    return replace(crystal, positions=moved @ crystal.cell)


def lattice_translations(operations: list[SymmetryOperation]) -> np.ndarray:
    """Translations of a lattice within its cell: exact fractions, shape (n, 3), a group modulo the cell, zero first.

    Parameters
    ----------
    operations : list of SymmetryOperation
        From `symmetry_operations`.
    """
    shifts = np.array([shift for rotation, shift in operations if np.array_equal(rotation, np.eye(3))])
    count = len(shifts)
    # By Lagrange's theorem the n-fold of a translation of a group of n is a vector of the cell's own lattice.
    parts = {tuple(part) for part in (np.round(count * shifts).astype(int) % count).tolist()}
    closed = all(tuple((a + b) % count for a, b in zip(one, other, strict=True)) in parts
                 for one in parts for other in parts)  # fmt: skip
    if len(parts) < count or not closed:  # some hold within the tolerance only: the cell as it is remains right
        return np.zeros((1, 3))
    return np.array(sorted(parts)) / count


def upright_operations(oriented: Crystal, *, tolerance_a: float = SAME_IMAGE_A) -> UprightOperations:
    """All operations that keep the beam direction and carry atoms and displacement tensors into each other.

    Parameters
    ----------
    oriented : Crystal
        Output of `orient`.
    tolerance_a : float
        Tolerance on positions [Å].
    """
    found = {(1, 0, 0, 1): (np.eye(2, dtype=int), 0.0)}
    for rotation, translation in symmetry_operations(oriented, tolerance_a=tolerance_a):
        if rotation[2, 2] != 1 or rotation[:2, 2].any():
            continue
        plane = np.array(rotation[:2, :2], dtype=int)
        key, lift = tuple(plane.ravel()), float(translation[2] - np.round(translation[2]))
        if key not in found or abs(lift) < abs(found[key][1]):
            found[key] = (plane, lift)
    return UprightOperations(
        np.array([plane for plane, _ in found.values()]), np.array([lift for _, lift in found.values()])
    )


def beam_group(oriented: Crystal, *, tolerance_a: float = SAME_IMAGE_A) -> np.ndarray:
    """In-plane operations that keep the beam direction and, by their translation, the surfaces of the slab.

    Operations with a part along the beam (screws, glides) hold only for a slab with the matching surface and are
    left out; `verified_group` measures which operations a slab really has.

    Parameters
    ----------
    oriented : Crystal
        Output of `orient`.
    tolerance_a : float
        Tolerance on positions [Å].

    Returns
    -------
    ndarray of int, shape (operation, 2, 2)
        Matrices W acting on in-plane fractional coordinates, f' = W f; the identity comes first.
    """
    upright = upright_operations(oriented, tolerance_a=tolerance_a)
    return upright.matrices[np.abs(upright.lifts) * oriented.cell[2, 2] < SAME_IMAGE_A]


def _images(
    crystal: Crystal, rotations: np.ndarray, translations: np.ndarray, types: np.ndarray, tolerance_a: float
) -> np.ndarray:
    """Number of the atom that each operation carries each atom to, shape (operation, atom); see `images`."""
    fractional = crystal.fractional
    moved = fractional @ rotations.transpose(0, 2, 1) + translations[:, None]
    return images(fractional, moved, types, crystal.cell, tolerance_a)


def _keeps_lattice(cell: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Whether the turned lattice vectors, rows of `cell` [Å], have their lengths and angles; shape (operation,)."""
    metric = cell @ cell.T
    change = np.abs(rotations.transpose(0, 2, 1) @ metric @ rotations - metric)
    kept: np.ndarray = change.max(axis=(1, 2)) < 2 * SAME_LENGTH_A * np.sqrt(metric.diagonal().max())
    return kept


def _keeps_displacements(crystal: Crystal, rotations: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Whether all atoms have images, and their displacement tensors, turned, are theirs; shape (operation,)."""
    cartesian = (crystal.cell.T @ rotations @ np.linalg.inv(crystal.cell.T))[:, None]
    turned = cartesian @ crystal.displacement @ cartesian.transpose(0, 1, 3, 2)
    change = np.abs(turned - crystal.displacement[image]).max(axis=(1, 2, 3))
    kept: np.ndarray = (image[:, 0] >= 0) & (change < SAME_U_A2)
    return kept
