"""Points of a reciprocal lattice: those within a cone, one of each orbit of the symmetry, and those of a supercell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


def on_reciprocal_indices(matrices: np.ndarray) -> np.ndarray:
    """How operations act on the indices of reciprocal-lattice vectors.

    Parameters
    ----------
    matrices : ndarray, shape (operation, 2, 2)
        W acting on in-plane fractional coordinates, f' = W f.

    Returns
    -------
    ndarray of int, shape (operation, 2, 2)
        The inverse transposed, W^-T, acting on indices (h, k) of h G1 + k G2.
    """
    dual: np.ndarray = np.round(np.linalg.inv(matrices).transpose(0, 2, 1)).astype(int)
    return dual


def cone_nodes(basis_mrad: np.ndarray, radius_mrad: float) -> np.ndarray:
    """Points of a lattice within a circle around its origin, in lexicographic order.

    Parameters
    ----------
    basis_mrad : ndarray, shape (2, 2)
        Basis vectors as rows [mrad, or the unit of the radius].
    radius_mrad : float
        Points on the circle itself are among them [mrad].

    Returns
    -------
    ndarray of int, shape (point, 2)
        Indices (m1, m2) of m1 basis[0] + m2 basis[1].
    """
    reach = np.floor(radius_mrad * np.linalg.norm(np.linalg.inv(basis_mrad), axis=0) + 1e-9).astype(int)
    pairs = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), axis=-1).reshape(-1, 2)
    return pairs[np.linalg.norm(pairs @ basis_mrad, axis=1) <= radius_mrad + 1e-9]


def representatives(nodes: np.ndarray, operations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One node of each orbit of a symmetry group: the lexicographically largest.

    Parameters
    ----------
    nodes : ndarray of int, shape (node, 2)
        Indices of lattice points.
    operations : ndarray of int, shape (operation, 2, 2)
        A group acting on them, m' = W m.

    Returns
    -------
    representative : ndarray of int, shape (node, 2)
        Largest image of each node.
    operation : ndarray of int, shape (node,)
        Number of the operation that leads to it.
    """
    images = np.einsum("oij,nj->noi", operations, nodes)
    reach = 2 * int(np.abs(images).max(initial=0)) + 1
    best = np.argmax(images[..., 0] * reach + images[..., 1], axis=1)
    return images[np.arange(len(nodes)), best], best


class CellBins(NamedTuple):
    """Points g / n of a supercell's reciprocal lattice in the cell of reciprocal space around a beam.

    Attributes
    ----------
    offsets : ndarray of int, shape (bin, 2)
        Indices relative to the beam, in steps of G / n.
    weights : ndarray, shape (bin,)
        Share of each bin that belongs to the cell.
    """

    offsets: np.ndarray
    weights: np.ndarray


def cell_bins(cells: int) -> CellBins:
    """Bins of a supercell of `cells` x `cells` cells; an even number has some on the boundary, shared by neighbours."""
    half = cells // 2
    steps = np.arange(-half, half + 1)
    share = np.where((np.abs(steps) == half) & (cells % 2 == 0), 0.5, 1.0)
    offsets = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    return CellBins(offsets, np.outer(share, share).ravel())
