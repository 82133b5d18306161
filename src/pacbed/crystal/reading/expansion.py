"""All atoms of a cell from its sites: special positions, symmetry-equivalent atoms, their displacement tensors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pacbed.crystal.reading.operations import Operations
from pacbed.crystal.reading.sites import Site
from pacbed.errors import StructureError

SAME_POSITION_A = 0.05  # images of one site that lie closer than this are one atom
UNSPLIT_A = 0.01  # no split positions are as close as this
OCCUPANCY_ROUNDING = 2e-3  # three times 0.334 is a full site
# ASSUME: a special position is written to 0.7 units of its last digit (0.6666 for 2/3), of two decimals at most.
DIGITS, COARSEST, LARGEST_SHIFT_A = 0.7, 0.01, 0.3
SETTLED_A, TOLD_A = 1e-6, 1e-5  # six decimals are exact enough; where sites are moved, and where it is said
TENSOR_ROUNDING_A2 = 3e-4  # published tensors have four decimals


class Orbit(NamedTuple):
    """The symmetry-equivalent atoms of a site.

    Attributes
    ----------
    fractional : ndarray, shape (atom, 3)
        Positions in the cell, 0 to 1.
    displacement : ndarray, shape (atom, 3, 3)
        Cartesian displacement tensors U [Å^2], with the symmetry of their sites.
    """

    fractional: np.ndarray
    displacement: np.ndarray


def same_position(first: np.ndarray, second: np.ndarray, lattice: np.ndarray, within_a: float) -> np.ndarray:
    """Whether fractional positions (..., 3) are the same but for lattice vectors, within a distance [Å].

    Parameters
    ----------
    first, second : ndarray, shapes that broadcast to (..., 3)
        Fractional positions.
    lattice : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    within_a : float
        Largest distance [Å].
    """
    difference = first - second
    return np.linalg.norm((difference - np.round(difference)) @ lattice, axis=-1) < within_a


def expand_site(site: Site, star: np.ndarray, operations: Operations, lattice: np.ndarray) -> tuple[Orbit, list[str]]:
    """Work out the atoms that the operations make of a site.

    A site within the rounding of a special position is put onto it, and its tensor is averaged over the operations
    that leave it there.

    Parameters
    ----------
    site : Site
    star : ndarray, shape (3, 3)
        U* of the site, see `read_displacements`.
    operations : Operations
    lattice : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].

    Returns
    -------
    Orbit
    notes : list of str
        What was put right.

    Raises
    ------
    StructureError
        The site is near a special position, and it cannot be told which.
    """
    position = _settle(site, operations, lattice)
    notes = []
    shift = np.linalg.norm((position - site.fractional) @ lattice)
    if shift > TOLD_A:
        old, new = (", ".join(f"{value:.6g}" for value in values) for values in (site.fractional, position))
        notes.append(f"site {site.label} is put onto its special position, by {shift:.2g} Å: {old} -> {new}")
    images = operations.rotations @ position + operations.translations
    images %= 1.0
    images[images > 1 - 1e-6] = 0.0
    stars = operations.rotations @ star @ np.swapaxes(operations.rotations, 1, 2)
    same = same_position(images[:, None], images[None, :], lattice, SAME_POSITION_A / 2)
    first = same.argmax(axis=1)  # index of the first image at the position of each
    kept = np.unique(first)
    if len({int(np.sum(first == index)) for index in kept}) > 1:
        raise StructureError(
            f"cif: site {site.label}: its {len(images)} images make {len(kept)} atoms of unequal weight, accepted: a "
            "position on a symmetry element to six decimals, or farther from it"
        )
    tensors = np.array([np.mean(list(stars[first == index]), axis=0) for index in kept])
    displacement = np.array([lattice.T @ tensor @ lattice for tensor in tensors])
    round_one = np.trace(lattice.T @ star @ lattice) / 3 * np.eye(3)
    if np.allclose(lattice.T @ star @ lattice, round_one, rtol=0, atol=1e-12):
        if not np.allclose(displacement, round_one, rtol=0, atol=1e-12):  # a strained cell: the operations shear
            displacement[:] = round_one
        return Orbit(images[kept], displacement), notes
    change = np.abs(lattice.T @ (stars[kept] - tensors) @ lattice).max()
    if change > max(TENSOR_ROUNDING_A2, 0.05 * np.abs(displacement).max()):
        notes.append(f"displacement tensor of {site.label} is averaged over its site symmetry, by {change:.2g} Å^2")
    return Orbit(images[kept], displacement), notes


def _settle(site: Site, operations: Operations, lattice: np.ndarray) -> np.ndarray:
    """The position of a site, moved onto the symmetry elements that its digits allow; shape (3,)."""
    rotations, translations = operations.rotations, operations.translations
    if len(rotations) == 1:
        return site.fractional
    moved = np.abs(rotations - np.eye(3)) @ np.minimum(DIGITS * site.unit, DIGITS * COARSEST) + 1e-9
    position = site.fractional
    for attempt in range(20):
        difference = rotations @ position + translations - position
        difference -= np.round(difference)
        distance = np.linalg.norm(difference @ lattice, axis=1)
        held = distance < SAME_POSITION_A
        if not attempt:
            rounded = np.all(np.abs(difference) <= moved, axis=1) & (distance < LARGEST_SHIFT_A)
            _check_split(site, distance[held & ~rounded], int(held.sum()))
            held |= rounded
        if distance[held].max() < SETTLED_A:
            return position
        position = position + difference[held].mean(axis=0)
    raise StructureError(
        f"cif: site {site.label}: {len(rotations)} operations leave open on which symmetry element it lies, accepted: "
        "its position to six decimals"
    )


def _check_split(site: Site, distances: np.ndarray, images: int) -> None:
    """Refuse what may be one atom or split positions: images that the digits tell apart, and of which one is there."""
    split = distances[distances > UNSPLIT_A]
    if len(split) and site.occupancy * images <= 1 + OCCUPANCY_ROUNDING:
        raise StructureError(
            f"cif: site {site.label}: got {images} images of occupancy {site.occupancy:g}, {split.max():.2f} Å apart, "
            f"accepted: a position on the symmetry element, or split positions {SAME_POSITION_A:g} Å apart and more"
        )
