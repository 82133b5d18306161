"""Symmetry operations of a crystal, found by spglib, and those of them that keep the beam direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import spglib
import spglib.error

from pacbed.crystal.cell import Crystal, SymmetryOperation
from pacbed.errors import StructureError

spglib.error.OLD_ERROR_HANDLING = False  # raise instead of returning None
ALONG_A = 1e-3  # a translation along the beam below this is none [Å]
SAME_TENSOR_A2 = 1e-5  # displacement tensors that differ by less are equal [Å^2]


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


def symmetry_operations(crystal: Crystal, *, tolerance_a: float = 1e-3) -> list[SymmetryOperation]:
    """All operations that carry atoms of one `Crystal.site_types` into each other.

    Principal displacements are compared, their directions are not: see `upright_operations`.

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
    try:
        cell = (crystal.cell.tolist(), crystal.fractional.tolist(), crystal.site_types().tolist())
        found = spglib.get_symmetry(cell, symprec=tolerance_a)
    except spglib.error.SpglibError as error:
        raise StructureError(f"{crystal.source}: spglib finds no symmetry ({error})") from error
    assert found is not None  # with the new error handling
    return [SymmetryOperation(*pair) for pair in zip(found["rotations"], found["translations"], strict=True)]


def upright_operations(oriented: Crystal, *, tolerance_a: float = 1e-3) -> UprightOperations:
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
        if rotation[2, 2] != 1 or rotation[:2, 2].any() or not _keeps_displacements(oriented, rotation, translation):
            continue
        plane = np.array(rotation[:2, :2], dtype=int)
        key, lift = tuple(plane.ravel()), float(translation[2] - np.round(translation[2]))
        if key not in found or abs(lift) < abs(found[key][1]):
            found[key] = (plane, lift)
    return UprightOperations(
        np.array([plane for plane, _ in found.values()]), np.array([lift for _, lift in found.values()])
    )


def beam_group(oriented: Crystal, *, tolerance_a: float = 1e-3) -> np.ndarray:
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
    return upright.matrices[np.abs(upright.lifts) * oriented.cell[2, 2] < ALONG_A]


def _keeps_displacements(crystal: Crystal, rotation: np.ndarray, translation: np.ndarray) -> bool:
    """Whether the displacement tensor of every atom, turned, is that of the atom it is carried to."""
    fractional = crystal.fractional
    cartesian = crystal.cell.T @ rotation @ np.linalg.inv(crystal.cell.T)
    for index, position in enumerate(fractional):
        difference = fractional - (rotation @ position + translation)
        distance = np.linalg.norm((difference - np.round(difference)) @ crystal.cell, axis=1)
        image = int(np.argmin(np.where(np.array(crystal.symbols) == crystal.symbols[index], distance, np.inf)))
        turned = cartesian @ crystal.displacement[index] @ cartesian.T
        if not np.allclose(turned, crystal.displacement[image], atol=SAME_TENSOR_A2):
            return False
    return True
