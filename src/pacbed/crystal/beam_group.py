"""Symmetry operations of the crystal that leave a diffraction pattern of a slab unchanged."""

from __future__ import annotations

import numpy as np

from pacbed.crystal.structure import Crystal
from pacbed.crystal.symmetry import symmetry_operations


def beam_group(oriented: Crystal, *, tolerance_a: float = 1e-3) -> np.ndarray:
    """In-plane operations that keep the beam direction and the surfaces of the slab.

    Operations with a part along the beam (screws, glides) hold only for a slab with the matching surface and are
    left out; so are those that do not carry the displacement tensors into each other.

    Parameters
    ----------
    oriented : Crystal
        Cell with its third vector along the beam and the others normal to it.
    tolerance_a : float
        Tolerance on positions [Å].

    Returns
    -------
    ndarray of int, shape (operation, 2, 2)
        Matrices W acting on in-plane fractional coordinates, f' = W f; the identity comes first.
    """
    found = {(1, 0, 0, 1): np.eye(2, dtype=int)}
    for rotation, translation in symmetry_operations(oriented, tolerance_a=tolerance_a):
        if _keeps_beam(rotation, translation, oriented.cell[2, 2]) and _keeps_displacements(
            oriented, rotation, translation
        ):
            plane = np.array(rotation[:2, :2], dtype=int)
            found.setdefault(tuple(plane.ravel()), plane)
    return np.array(list(found.values()))


def _keeps_beam(rotation: np.ndarray, translation: np.ndarray, period_a: float) -> bool:
    upright = rotation[2, 2] == 1 and not rotation[2, :2].any() and not rotation[:2, 2].any()
    lift = translation[2] - np.round(translation[2])
    return bool(upright and abs(lift) * period_a < 1e-3)


def _keeps_displacements(crystal: Crystal, rotation: np.ndarray, translation: np.ndarray) -> bool:
    fractional = crystal.fractional
    cartesian = crystal.cell.T @ rotation @ np.linalg.inv(crystal.cell.T)
    for index, position in enumerate(fractional):
        difference = fractional - (rotation @ position + translation)
        distance = np.linalg.norm((difference - np.round(difference)) @ crystal.cell, axis=1)
        image = int(np.argmin(np.where(np.array(crystal.symbols) == crystal.symbols[index], distance, np.inf)))
        turned = cartesian @ crystal.displacement[index] @ cartesian.T
        if not np.allclose(turned, crystal.displacement[image], atol=1e-5):
            return False
    return True
