"""When two atoms are one and two values equal: distances modulo the lattice, differences that rounding in a file makes.

Nothing is decided by rounded numbers: two that agree but for noise may lie on two sides of a seam. Tolerances on values
lie between whole steps of the decimals that files have.
"""

from __future__ import annotations

from typing import NamedTuple

import gemmi
import numpy as np

SAME_SITE_A = 0.05  # atoms, or images of one atom, that lie closer than this share a site
# ASSUME: atoms this near to a more symmetric arrangement belong there. Estimate: three decimals of a coordinate leave
# 0.005 Å open and an operation doubles that; atoms vibrate by 0.05 Å and more.
SAME_IMAGE_A = 0.01
LARGEST_TABLE = 100_000  # distances held at a time
ROWS = 256  # atoms whose neighbours are looked for at a time: 256 x 1,279 distances take 8 MB
BOX_A = 2.0  # edge of the boxes in which neighbours are looked for; smaller ones are more than there are atoms
SAME_OCCUPANCY = 1.5e-4  # one value rounded to four decimals twice differs by 1e-4 at most
SAME_U_A2 = 1.5e-5  # and to five decimals by 1e-5


class Pairs(NamedTuple):
    """Pairs of atoms that lie close to each other.

    Attributes
    ----------
    first, second : ndarray of int, shape (pair,)
        Numbers of the atoms.
    distance : ndarray, shape (pair,)
        [Å].
    """

    first: np.ndarray
    second: np.ndarray
    distance: np.ndarray


def nearest_offsets(fractional: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Differences of positions modulo the lattice, in Å.

    Parameters
    ----------
    fractional : ndarray, shape (..., 3)
        Differences in units of the lattice vectors.
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].

    Returns
    -------
    ndarray, shape (..., 3)
        Cartesian differences [Å]. Those shorter than half the least distance of lattice planes are the shortest ones.
    """
    shortest: np.ndarray = (fractional - np.round(fractional)) @ cell
    return shortest


def same_position(first: np.ndarray, second: np.ndarray, cell: np.ndarray, within_a: float) -> np.ndarray:
    """Whether fractional positions (..., 3) are the same but for lattice vectors, within a distance.

    Parameters
    ----------
    first, second : ndarray, shapes that broadcast to (..., 3)
        Fractional positions.
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    within_a : float
        Largest distance [Å].
    """
    same: np.ndarray = np.linalg.norm(nearest_offsets(first - second, cell), axis=-1) < within_a
    return same


def close_pairs(fractional: np.ndarray, cell: np.ndarray, radius_a: float) -> Pairs:
    """Pairs of atoms within a radius, each pair once (first < second), by the distance of their nearest images.

    Parameters
    ----------
    fractional : ndarray, shape (atom, 3)
        Positions in units of the lattice vectors.
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    radius_a : float
        Radius [Å], below half the least distance of lattice planes.
    """
    lengths = np.linalg.norm(cell, axis=1)
    cosines = (cell @ cell.T) / np.outer(lengths, lengths)
    angles = np.rad2deg(np.arccos(np.clip(cosines[[1, 0, 0], [2, 2, 1]], -1, 1)))
    atoms = gemmi.SmallStructure()
    atoms.cell = gemmi.UnitCell(*lengths, *angles)
    atoms.spacegroup_hm = "P 1"
    for position in fractional:
        site = gemmi.SmallStructure.Site()
        site.fract = gemmi.Fractional(*position)
        atoms.add_site(site)
    search = gemmi.NeighborSearch(atoms, max(radius_a, BOX_A)).populate()
    found = {
        (number, mark.atom_idx)
        for number, site in enumerate(atoms.sites)
        for mark in search.find_site_neighbors(site, 0.0, radius_a)
        if mark.atom_idx > number
    }
    first, second = np.array(sorted(found), dtype=int).reshape(-1, 2).T
    distance = np.linalg.norm(nearest_offsets(fractional[second] - fractional[first], cell), axis=1)
    return Pairs(first, second, distance)


def neighbours(some: np.ndarray, fractional: np.ndarray, cell: np.ndarray, radius_a: float) -> Pairs:
    """All images within a radius of some atoms, those of the atoms themselves among them.

    Parameters
    ----------
    some : ndarray of int, shape (row,)
        Numbers of the atoms whose neighbours are wanted.
    fractional : ndarray, shape (atom, 3)
        Positions of all atoms of the cell, in units of the lattice vectors.
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    radius_a : float
        Largest distance [Å], of any size.
    """
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)  # between the lattice planes that bound the cell
    reach = [0 if height > 2 * radius_a else int(np.ceil(radius_a / height + 0.5)) for height in heights]
    steps = [np.arange(-count, count + 1) for count in reach]
    shifts = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    found = []
    for start in range(0, len(some), ROWS):
        rows = some[start : start + ROWS]
        difference = fractional[None, :] - fractional[rows][:, None]
        difference -= np.round(difference)
        for shift in shifts:
            distance = np.linalg.norm((difference + shift) @ cell, axis=-1)
            row, other = np.nonzero(distance < radius_a)
            proper = (rows[row] != other) | np.any(shift)
            found.append(np.array([rows[row], other, distance[row, other]])[:, proper])
    table = np.concatenate(found, axis=1)
    return Pairs(table[0].astype(int), table[1].astype(int), table[2])


def levels(values: np.ndarray, tolerance: float) -> np.ndarray:
    """Integers, shape (value,), equal for values that differ by at most a tolerance, directly or over values between.

    They rise with the values, so that sorting by them sorts the values.
    """
    order = np.argsort(values, kind="stable")
    found = np.zeros(len(order), dtype=int)
    found[order[1:]] = np.cumsum(np.diff(values[order]) > tolerance)
    return found


def images(
    fractional: np.ndarray, moved: np.ndarray, types: np.ndarray, cell: np.ndarray, tolerance_a: float
) -> np.ndarray:
    """Which atom each moved atom falls onto.

    Parameters
    ----------
    fractional : ndarray, shape (atom, 3)
        Positions of all atoms in units of the lattice vectors.
    moved : ndarray, shape (operation, atom, 3)
        Where operations carry them.
    types : ndarray of int, shape (atom,)
        Only atoms of one type are images of each other.
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    tolerance_a : float
        Largest distance from the image [Å].

    Returns
    -------
    ndarray of int, shape (operation, atom)
        Numbers of the images, a permutation; -1 in a whole row where an atom has none.
    """
    found = np.empty(moved.shape[:2], dtype=int)
    for kind in np.unique(types):
        members = np.flatnonzero(types == kind)
        points, nearest = moved[:, members].reshape(-1, 3), []
        step = max(1, LARGEST_TABLE // len(members))
        for start in range(0, len(points), step):
            offsets = nearest_offsets(points[start : start + step, None] - fractional[members], cell)
            squared = np.einsum("ijk,ijk->ij", offsets, offsets)
            nearest.append(np.where(squared.min(axis=1) < tolerance_a**2, members[squared.argmin(axis=1)], -1))
        found[:, members] = np.concatenate(nearest).reshape(len(moved), -1)
    found[np.any(np.sort(found, axis=1) != np.arange(len(types)), axis=1)] = -1
    return found
