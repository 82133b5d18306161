"""The comparison every neural method is measured against: the nearest image of a library, by least squares."""

from __future__ import annotations

import numpy as np

from pacbed.evaluation.truths import Stack


class NearestImage:
    """Thickness by the lowest L2 norm over the stack's patterns without mistilt (Oberaigner et al. 2023, figure 7).

    The pattern must be aligned with the library: same frame, pixel size and rotation.

    Parameters
    ----------
    stack : Stack
        The library.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.tilt = int(np.argmin(stack.mistilt_mrad))
        self._libraries: dict[int, np.ndarray] = {}

    def thickness_nm(self, image: np.ndarray, convergence_mrad: float) -> float:
        """Thickness of the best image of the closest convergence angle.

        Parameters
        ----------
        image : float array, shape (y, x)
            Aligned pattern, maximum 1 without its noise.
        convergence_mrad : float
            Convergence semi-angle of the pattern [mrad].
        """
        nearest = int(np.argmin(np.abs(self.stack.convergence_mrad - convergence_mrad)))
        distance = np.linalg.norm(self._library(nearest) - image.reshape(-1), axis=1)
        return float(self.stack.thickness_nm[np.argmin(distance)])

    def _library(self, convergence: int) -> np.ndarray:
        """Patterns of one convergence angle, each of maximum 1; shape (thickness, pixel)."""
        if convergence not in self._libraries:
            series = np.asarray(self.stack.pattern[convergence, self.tilt], dtype=np.float32)
            flat = series.reshape(len(series), -1)
            self._libraries[convergence] = flat / np.maximum(flat.max(axis=1, keepdims=True), 1)
        return self._libraries[convergence]
