"""Pixels that a symmetry of crystal and mistilt makes equal. Half of them are rendered, the others copied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from pacbed.patterns import Geometry

NEAR = 1e-6  # pixels and mrad; what symmetry makes equal differs by rounding only


@dataclass(frozen=True)
class EqualPixels:
    """Which pixels of an image to render, and which of them the others are copies of.

    Attributes
    ----------
    spans : ndarray of int64, shape (ny, 2)
        First and one past the last pixel to render in each row.
    source, target : ndarray of int32, shape (pair,)
        A rendered pixel and the one equal to it, both counted row by row.
    """

    spans: np.ndarray
    source: np.ndarray
    target: np.ndarray

    @classmethod
    def of(cls, operations: np.ndarray, mistilt_mrad: np.ndarray, geometry: Geometry) -> EqualPixels:
        """Halve an image by the first mirror or half turn that maps crystal, mistilt and pixels onto themselves.

        Parameters
        ----------
        operations : ndarray, shape (operation, 2, 2)
            Cartesian matrices that leave the crystal's patterns as they are, acting on column vectors.
        mistilt_mrad : ndarray, shape (2,)
            Mistilt (x, y) in the crystal frame [mrad].
        geometry : Geometry
            Pixels of the image.

        Returns
        -------
        EqualPixels
            All pixels and no pairs where no symmetry fits.
        """
        rows, columns = geometry.shape
        every = np.arange(rows * columns, dtype=np.int32)
        for operation in operations:
            if np.allclose(operation, np.eye(2)) or not np.allclose(operation @ operation, np.eye(2)):
                continue
            if np.abs(operation @ mistilt_mrad - mistilt_mrad).max() > NEAR:
                continue
            partner = _images(operation, geometry)
            if partner is not None:
                # In each row one unbroken run, because rows and columns of the image depend linearly on the column.
                kept = (every <= partner).reshape(rows, columns)
                begin, copied = kept.argmax(axis=1), every[every > partner]
                return cls(np.stack([begin, begin + kept.sum(axis=1)], axis=1), partner[copied], copied)
        return cls(np.tile([0, columns], (rows, 1)), every[:0], every[:0])

    def copy(self, images: np.ndarray) -> None:
        """Fill in the pixels that were not rendered; float32 of shape (thickness, ny, nx)."""
        if len(self.target):
            _copy(images.reshape(len(images), -1), self.source, self.target)

    def copy_inner(self, images: np.ndarray) -> None:
        """`copy` for images with thickness as the inner axis, shape (ny, nx, thickness)."""
        if len(self.target):
            _copy_inner(images.reshape(-1, images.shape[2]), self.source, self.target)


def _images(operation: np.ndarray, geometry: Geometry) -> np.ndarray | None:
    """Where an operation takes each pixel, counted row by row; None where it takes any beside the pixels."""
    origin, *steps = geometry.lines_mrad()
    to_pixels = np.linalg.inv(np.transpose(steps))
    pixels = np.indices(geometry.shape).reshape(2, -1)
    moved = to_pixels @ (operation @ (origin[:, None] + np.transpose(steps) @ pixels) - origin[:, None])
    whole = np.rint(moved).astype(np.int64)
    inside = np.all((whole >= 0) & (whole < np.array(geometry.shape)[:, None]))
    if not inside or np.abs(moved - whole).max() > NEAR:
        return None
    return np.ravel_multi_index(tuple(whole), geometry.shape).astype(np.int32)


@njit(nogil=True, cache=True)
def _copy(images, source, target):
    """Copy pixels of every image (image, pixel)."""
    for t in range(np.uintp(len(images))):
        for k in range(np.uintp(len(target))):
            images[t, np.uintp(target[k])] = images[t, np.uintp(source[k])]


@njit(nogil=True, cache=True)
def _copy_inner(images, source, target):
    """Copy pixels of all images (pixel, image)."""
    for k in range(np.uintp(len(target))):
        images[np.uintp(target[k])] = images[np.uintp(source[k])]
