"""When two atoms are one and two values equal: distances modulo the lattice, differences that rounding in a file makes.

Nothing is decided by rounded numbers: two that agree but for noise may lie on two sides of a seam. Tolerances on values
lie between whole steps of the decimals that files have.
"""

from __future__ import annotations

from typing import NamedTuple

import gemmi
import numpy as np

# ASSUME: atoms this near to a more symmetric arrangement belong there. Estimate: three decimals of a coordinate leave
# 0.005 Å open and an operation doubles that; atoms vibrate by 0.05 Å and more.
SAME_POSITION_A = 0.01
LARGEST_TABLE = 100_000  # distances held at a time
BOX_A = 2.0  # edge of the boxes in which neighbours are looked for; smaller ones are more than there are atoms
SAME_OCCUPANCY = 1.5e-4  # one value rounded to four decimals twice differs by 1e-4 at most
SAME_U_A2 = 1.5e-5  # and to five decimals by 1e-5


class ClosePairs(NamedTuple):
    """Pairs of atoms that lie close to each other, each pair once.

    Attributes
    ----------
    first, second : ndarray of int, shape (pair,)
        Numbers of the atoms, first < second.
    distance : ndarray, shape (pair,)
        Distance of the nearest periodic images [Å].
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


def close_pairs(fractional: np.ndarray, cell: np.ndarray, radius_a: float) -> ClosePairs:
    """Pairs of atoms within a radius, found with neighbour lists.

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
    return ClosePairs(first, second, distance)


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
