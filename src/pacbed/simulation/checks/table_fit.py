"""A rocking table fitted to total patterns: thickness and mistilt, under a gain and a smooth background."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

from pacbed.simulation.multislice.aperture import Aperture
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS, solve_linear
from pacbed.simulation.rendering.renderer import Renderer

DERIVATIVE_STEPS = np.array([0.05, 0.02, 0.02])  # thickness and mistilt (x, y): nm, mrad, mrad
MISTILT_REACH_MRAD = 2.0  # of a fit, along each axis


class TableFit:
    """Fits patterns of one aperture with a table, on the pixels where they were computed.

    Parameters
    ----------
    renderer : Renderer
        Renders the table.
    aperture : Aperture
        Convergence angle and pixels of the patterns.
    mistilt_mrad : numpy.ndarray, shape (2,)
        Mistilt of the patterns, crystal frame: where fits start [mrad].
    """

    def __init__(self, renderer: Renderer, aperture: Aperture, mistilt_mrad: np.ndarray) -> None:
        self.renderer, self.aperture, self.mistilt_mrad = renderer, aperture, mistilt_mrad
        distance = np.linalg.norm(aperture.pixels @ aperture.pitch_mrad, axis=1) / aperture.alpha_mrad
        gaussians = [np.exp(-0.5 * (distance / width) ** 2) for width in BACKGROUND_WIDTHS]
        self.background = np.stack([np.ones(len(distance)), *gaussians], axis=1)

    def table(self, thickness_nm: float, mistilt_mrad: np.ndarray) -> np.ndarray:
        """The table's pattern, fraction of the beam per pixel, shape (pixel,)."""
        image = self.renderer.render(
            thickness_nm=thickness_nm,
            convergence_mrad=self.aperture.alpha_mrad,
            mistilt_mrad=mistilt_mrad,
            geometry=self.aperture.geometry,
            edge_mrad=0.0,
        )
        return self.aperture.pick(image).astype(float)

    def model(self, total: np.ndarray, thickness_nm: float, mistilt_mrad: np.ndarray) -> np.ndarray:
        """The table's pattern with the gain and the smooth background that suit a total pattern best; (pixel,)."""
        # Columns of like size: the constant is one where an intensity is a small part of the beam.
        unit = float(total.max())
        columns = np.column_stack([self.table(thickness_nm, mistilt_mrad) / unit, self.background])
        return np.asarray(columns @ solve_linear(columns, total / unit) * unit)

    def thickness_nm(self, total: np.ndarray, start_nm: float) -> float:
        """Thickness that fits a total pattern best [nm], mistilt, gain and background being free as well.

        Parameters
        ----------
        total : numpy.ndarray, shape (pixel,)
            The pattern.
        start_nm : float
            Thickness where the fit starts [nm].
        """

        def residual(at: np.ndarray) -> np.ndarray:
            return (self.model(total, float(at[0]), at[1:]) - total) / np.linalg.norm(total)

        def slopes(at: np.ndarray) -> np.ndarray:
            moves = np.diag(DERIVATIVE_STEPS)
            return np.stack([(residual(at + m) - residual(at - m)) / (2 * m.sum()) for m in moves], axis=1)

        bounds = self._bounds()
        start = np.clip([start_nm, *self.mistilt_mrad], *bounds)
        return float(least_squares(residual, start, slopes, bounds=bounds, x_scale=[1.0, 0.3, 0.3]).x[0])

    def _bounds(self) -> tuple[list[float], list[float]]:
        """Lowest and highest thickness and mistilt: inside the table, one step of the derivative included."""
        depth_step, tilt_step = DERIVATIVE_STEPS[:2]
        deepest = self.renderer.table.thickness_max_nm - 2 * depth_step
        free = self.renderer.mistilt_max_mrad(self.aperture.alpha_mrad) - float(np.hypot(*self.mistilt_mrad))
        reach = min(MISTILT_REACH_MRAD, (free - 2 * tilt_step) / np.sqrt(2))
        return [2 * depth_step, *(self.mistilt_mrad - reach)], [deepest, *(self.mistilt_mrad + reach)]
