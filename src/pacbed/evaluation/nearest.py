"""What every other method is measured against: the nearest image of the stack, by least squares."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pacbed.evaluation.truths import Stack
from pacbed.simulation.stack.stored import read_series


class Nearest(NamedTuple):
    """An image of the stack.

    Attributes
    ----------
    thickness_nm : float
    mistilt_mrad : float array, shape (2,)
        Vector (x, y), crystal frame [mrad].
    """

    thickness_nm: float
    mistilt_mrad: np.ndarray


class Pair(NamedTuple):
    """The nearest image without mistilt, as the paper takes it, and the nearest of all."""

    untilted: Nearest
    of_all: Nearest


class NearestImage:
    """Thickness by the lowest L2 norm over the stack's patterns of the closest convergence angle.

    The paper compares with those without mistilt alone (Oberaigner et al. 2023, figure 7). Patterns must be aligned
    with the stack: same frame, pixel size and rotation.

    Parameters
    ----------
    stack : Stack
        The library.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.untilted = int(np.argmin(stack.mistilt_mrad))

    def angle(self, convergence_mrad: float) -> int:
        """Number of the closest convergence angle."""
        return int(np.argmin(np.abs(self.stack.convergence_mrad - convergence_mrad)))

    def find(self, images: np.ndarray, angle: int, *, tilted: bool = True) -> list[Pair]:
        """The best images of one convergence angle.

        Parameters
        ----------
        images : float32 array, shape (pattern, y, x)
            Aligned patterns, maximum 1 without their noise.
        angle : int
            Number of the convergence angle.
        tilted : bool
            Look at patterns with mistilt as well.

        Returns
        -------
        list of Pair
        """
        flat = images.reshape(len(images), -1)
        tilts = range(len(self.stack.mistilt_mrad)) if tilted else [self.untilted]
        distance = np.stack([self._distances(flat, angle, tilt) for tilt in tilts], axis=1)
        own = list(tilts).index(self.untilted)
        return [Pair(self._best(one[own : own + 1], [self.untilted]), self._best(one, list(tilts))) for one in distance]

    def _best(self, distance: np.ndarray, tilts: list[int]) -> Nearest:
        tilt, thickness = np.unravel_index(int(np.argmin(distance)), distance.shape)
        return Nearest(float(self.stack.thickness_nm[thickness]), self.stack.vectors_mrad[tilts[int(tilt)]])

    def _distances(self, flat: np.ndarray, angle: int, tilt: int) -> np.ndarray:
        """Squared distance less that of the pattern itself from zero, shape (pattern, thickness)."""
        series = read_series(self.stack.pattern, angle, tilt).astype(np.float32)
        library = series.reshape(len(series), -1)
        library /= np.maximum(library.max(axis=1, keepdims=True), 1)
        squares = np.einsum("tp,tp->t", library, library, dtype=float)
        return np.asarray(squares - 2.0 * (flat @ library.T).astype(float))
