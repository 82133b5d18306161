"""Points of a reciprocal lattice: those within a cone, and one of each orbit of the symmetry."""

from __future__ import annotations

import numpy as np


def on_reciprocal_indices(matrices: np.ndarray) -> np.ndarray:
    """Operations on fractional coordinates, shape (n, 2, 2), as they act on indices of reciprocal-lattice vectors."""
    dual: np.ndarray = np.round(np.linalg.inv(matrices).transpose(0, 2, 1)).astype(int)
    return dual


def cone_nodes(basis_mrad: np.ndarray, radius_mrad: float) -> np.ndarray:
    """All integer pairs m with |m basis| <= radius; shape (n, 2)."""
    reach = np.floor(radius_mrad * np.linalg.norm(np.linalg.inv(basis_mrad), axis=0) + 1e-9).astype(int)
    pairs = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), axis=-1).reshape(-1, 2)
    return pairs[np.linalg.norm(pairs @ basis_mrad, axis=1) <= radius_mrad + 1e-9]


def representatives(nodes: np.ndarray, operations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lexicographically largest image of each node, shape (n, 2), and the operation that leads to it, shape (n,)."""
    images = np.einsum("oij,nj->noi", operations, nodes)
    reach = 2 * int(np.abs(images).max(initial=0)) + 1
    best = np.argmax(images[..., 0] * reach + images[..., 1], axis=1)
    return images[np.arange(len(nodes)), best], best
