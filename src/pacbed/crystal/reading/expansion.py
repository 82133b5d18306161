"""All atoms of a cell from its sites: special positions, symmetry-equivalent atoms, their displacement tensors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pacbed.crystal.identity import SAME_SITE_A, same_position
from pacbed.crystal.reading.operations import Operations
from pacbed.crystal.reading.sites import Site

UNSPLIT_A = 0.01  # no split positions are as close as this
OCCUPANCY_ROUNDING = 2e-3  # three times 0.334 is a full site
# ASSUME: a special position is written to 0.7 units of its last digit (0.6666 for 2/3), and with two decimals or more
# (estimate).
DIGITS, COARSEST, LARGEST_SHIFT_A = 0.7, 0.01, 0.3
SETTLED_A, TOLD_A = 1e-6, 1e-5  # six decimals are exact enough; where sites are moved, and where it is said
ROUND_A2 = 1e-12  # of an isotropic tensor, by arithmetic alone
TENSOR_ROUNDING_A2 = 3e-4  # published tensors have four decimals


class UnsettledError(ValueError):
    """A site is near a special position, and it cannot be told on which: what was got, and what is accepted."""

    def __init__(self, got: str, accepted: str) -> None:
        super().__init__(f"{got}, accepted: {accepted}")
        self.got, self.accepted = got, accepted


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
    UnsettledError
        The site is near a special position, and it cannot be told which.
    """
    if len(operations) == 1:
        return Orbit(_wrapped(site.fractional[None]), (lattice.T @ star @ lattice)[None]), []
    position = _settle(site, operations, lattice)
    notes = []
    shift = np.linalg.norm((position - site.fractional) @ lattice)
    if shift > TOLD_A:
        old, new = (", ".join(f"{value:.6g}" for value in values) for values in (site.fractional, position))
        notes.append(f"site {site.label} is put onto its special position, by {shift:.2g} Å: {old} -> {new}")
    images = _wrapped(operations.rotations @ position + operations.translations)
    stars = operations.rotations @ star @ np.swapaxes(operations.rotations, 1, 2)
    same = same_position(images[:, None], images[None, :], lattice, SAME_SITE_A / 2)
    first = same.argmax(axis=1)  # index of the first image at the position of each
    kept = np.unique(first)
    if len({int(np.sum(first == index)) for index in kept}) > 1:
        raise UnsettledError(
            f"{len(images)} images that make {len(kept)} atoms of unequal weight",
            "a position on a symmetry element to six decimals, or farther from it",
        )
    tensors = np.array([np.mean(list(stars[first == index]), axis=0) for index in kept])
    displacement = np.array([lattice.T @ tensor @ lattice for tensor in tensors])
    tensor = lattice.T @ star @ lattice
    sphere = np.trace(tensor) / 3 * np.eye(3)
    if np.abs(tensor - sphere).max() < ROUND_A2:
        if np.abs(displacement - sphere).max() > ROUND_A2:  # a strained cell: its operations shear
            displacement[:] = sphere
        return Orbit(images[kept], displacement), notes
    change = np.abs(lattice.T @ (stars[kept] - tensors) @ lattice).max()
    if change > max(TENSOR_ROUNDING_A2, 0.05 * np.abs(displacement).max()):
        notes.append(f"displacement tensor of {site.label} is averaged over its site symmetry, by {change:.2g} Å^2")
    return Orbit(images[kept], displacement), notes


def _wrapped(fractional: np.ndarray) -> np.ndarray:
    """Positions from 0 to below 1; what rounding left below 1 is 0."""
    wrapped = fractional % 1.0
    wrapped[wrapped > 1 - 1e-6] = 0.0
    return wrapped


def _settle(site: Site, operations: Operations, lattice: np.ndarray) -> np.ndarray:
    """The position of a site, moved onto the symmetry elements that its digits allow; shape (3,)."""
    rotations, translations = operations.rotations, operations.translations
    exact = site.fractional * 8 == np.round(site.fractional * 8)  # 0.5 and 0.25 are no rounded numbers
    rounding = np.where(exact, 0.0, DIGITS * np.minimum(site.unit, COARSEST))
    moved = np.abs(rotations - np.eye(3)) @ rounding + 1e-9
    position = site.fractional
    for attempt in range(20):
        difference = rotations @ position + translations - position
        difference -= np.round(difference)
        distance = np.linalg.norm(difference @ lattice, axis=1)
        held = distance < SAME_SITE_A
        if not attempt:
            rounded = np.all(np.abs(difference) <= moved, axis=1) & (distance < LARGEST_SHIFT_A)
            same = rounded | (distance < UNSPLIT_A)
            _check_split(site, distance[held & ~same], int(held.sum() / same.sum()))
            held |= rounded
        if distance[held].max() < SETTLED_A:
            return position
        position = position + difference[held].mean(axis=0)
    raise UnsettledError(f"{len(rotations)} operations that leave its symmetry element open", "six decimals")


def _check_split(site: Site, distances: np.ndarray, images: int) -> None:
    """Refuse what may be one atom or split positions: images that the digits tell apart, and of which one is there."""
    if len(distances) and site.occupancy * images <= 1 + OCCUPANCY_ROUNDING:
        raise UnsettledError(
            f"{images} images of occupancy {site.occupancy:g}, {distances.max():.2f} Å apart",
            f"a position on the symmetry element, or split positions {SAME_SITE_A:g} Å apart and more",
        )
