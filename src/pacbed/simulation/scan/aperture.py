"""The probe-forming aperture: a disk with the edge of the renderer, for abTEM's probes."""

from __future__ import annotations

from typing import Any

import numpy as np
from abtem.transfer import BaseAperture


def aperture_transmission(angle_mrad: np.ndarray, convergence_mrad: float, edge_mrad: float) -> np.ndarray:
    """Share of the intensity that the aperture lets pass: 1 inside, a linear ramp across the edge, 0 outside.

    Parameters
    ----------
    angle_mrad : numpy.ndarray, any shape
        Angles from the axis of the aperture [mrad].
    convergence_mrad, edge_mrad : float
        Semi-convergence angle, in the middle of the ramp, and full width of the ramp, 0 for a hard edge [mrad].

    Notes
    -----
    The renderer's compiled loops have the same ramp, one angle at a time; a test holds the two together.
    """
    if edge_mrad == 0:
        return (angle_mrad <= convergence_mrad).astype(float)
    return np.clip((convergence_mrad + edge_mrad / 2 - angle_mrad) / edge_mrad, 0.0, 1.0)


class ShiftedAperture(BaseAperture):
    """Disk, its centre at minus `shift_mrad` on abTEM's grid, which then samples the points between its own.

    `convergence_mrad` and `edge_mrad` are those of `aperture_transmission`; `semiangle_cutoff` is the outer radius, at
    which abTEM crops its array; all in mrad.
    """

    def __init__(
        self,
        semiangle_cutoff: float,
        convergence_mrad: float = 0.0,
        edge_mrad: float = 0.0,
        shift_mrad: tuple[float, float] = (0.0, 0.0),
        **kwargs: Any,
    ) -> None:
        self._convergence_mrad = convergence_mrad
        self._edge_mrad = edge_mrad
        self._shift_mrad = shift_mrad
        super().__init__(semiangle_cutoff=semiangle_cutoff, **kwargs)

    @property
    def convergence_mrad(self) -> float:
        """Semi-convergence angle [mrad]."""
        return self._convergence_mrad

    @property
    def edge_mrad(self) -> float:
        """Width of the ramp at the edge [mrad]."""
        return self._edge_mrad

    @property
    def shift_mrad(self) -> tuple[float, float]:
        """Minus the centre of the disk (x, y) [mrad]."""
        return self._shift_mrad

    def _evaluate_from_angular_grid(self, alpha: np.ndarray, phi: np.ndarray) -> np.ndarray:
        x = 1e3 * np.asarray(alpha, dtype=float) * np.cos(phi) + self._shift_mrad[0]
        y = 1e3 * np.asarray(alpha, dtype=float) * np.sin(phi) + self._shift_mrad[1]
        passed = aperture_transmission(np.hypot(x, y), self._convergence_mrad, self._edge_mrad)
        return np.sqrt(passed).astype(np.float32)
