"""The forward model: what a detector would have recorded, as a function of what is to be found out.

A recorded pattern I is compared with

    M(p; θ, c) = c0 R(p; θ) + c1 + c2 exp(-ρ² / 2 w1²) + c3 exp(-ρ² / 2 w2²)

R is the rendered pattern on the recorded pixels p, of unit mean over those that count. It depends on the eleven
unknowns θ (`PatternParameters`): thickness, mistilt (crystal frame), centre, pixel size, rotation and ellipse (they
place the pixels of the image in the crystal frame), convergence angle and blur. The distance ρ from the centre of the
bright region is in units of its radius; constant and Gaussians stand for the dark level and for inelastic and diffuse
scattering, which the table does not hold (`pacbed.simulation.rendering.background`).

Gain c0 and background c1, c2, c3 enter linearly. They are solved for inside, with all but c1 kept from going
negative, so that a fit sees the eleven unknowns alone and the residual

    r(θ) = I - M(θ, c(θ)),  c(θ) = argmin over c of |I - M(θ, c)|²

This is variable projection (Golub & Pereyra, SIAM J. Numer. Anal. 10 (1973) 413).
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.simulation.rendering.background import solve_linear
from pacbed.simulation.rendering.renderer import Renderer


class LinearFit(NamedTuple):
    """The linear part of the model at its best.

    Attributes
    ----------
    coefficients : float array, shape (2 + Gaussian,)
        Gain, constant, Gaussians.
    residual : float array, shape (pixel,)
        Recorded minus modelled pattern over the mask, times the weights.
    sharp : float32 array, shape (y, x)
        Rendered pattern without blur [fraction of the beam per pixel].
    pattern : float32 array, shape (y, x)
        Rendered pattern R, of unit mean over the mask.
    """

    coefficients: np.ndarray
    residual: np.ndarray
    sharp: np.ndarray
    pattern: np.ndarray


class ForwardModel:
    """Compares parameters with a cut-out of a recorded pattern.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    cutout : Cutout
        What was recorded.
    mirrored : bool
        The camera shows the pattern mirrored.
    """

    def __init__(self, renderer: Renderer, cutout: Cutout, *, mirrored: bool = False) -> None:
        self.renderer = renderer
        self.mirrored = mirrored
        self._look_at(cutout, None)

    def _look_at(self, cutout: Cutout, weights: np.ndarray | None) -> None:
        self.cutout = cutout
        self.weights = np.ones(int(cutout.mask.sum())) if weights is None else weights[cutout.mask]
        recorded = cutout.values[cutout.mask]
        self._target = self.weights * recorded
        self._columns = np.empty((len(self._target), 1 + len(cutout.background)))
        self._columns[:, 1:] = self.weights[:, None] * cutout.background[:, cutout.mask].T
        self._signal = float(np.linalg.norm(self.weights * (recorded - recorded.mean())))
        self._last: tuple[PatternParameters, LinearFit] | None = None

    def seeing(self, cutout: Cutout, weights: np.ndarray | None = None) -> ForwardModel:
        """The same model of another record of the same pixels.

        Parameters
        ----------
        cutout : Cutout
        weights : float array, shape (y, x), optional
            By which the residual of each pixel is multiplied, to be in the unit of this model's again; by default 1.
        """
        other = copy(self)
        other._look_at(cutout, weights)
        if weights is not None:
            other._signal = self._signal  # the residual is in the unit of what was recorded
        return other

    def render(self, at: PatternParameters) -> np.ndarray:
        """Rendered pattern R on the cut-out's pixels, of unit mean over the mask; shape (y, x)."""
        return self.pattern(self.render_sharp(at), at)

    def render_sharp(self, at: PatternParameters) -> np.ndarray:
        """Rendered pattern without blur [fraction of the beam per pixel], shape (y, x).

        A mistilt beyond the table is drawn back to its edge, so that an optimiser may try any.
        """
        limit = self.mistilt_limit_mrad(at)
        size = float(np.hypot(*at.mistilt_mrad))
        shrink = min(1.0, 0.999 * limit / size) if size > 0 else 1.0
        inside = replace(at, mistilt_mrad=(at.mistilt_mrad[0] * shrink, at.mistilt_mrad[1] * shrink), blur_mrad=0.0)
        return render_pattern(self.renderer, inside, self.cutout.geometry(at, mirrored=self.mirrored))

    def sharp(self, at: PatternParameters) -> np.ndarray:
        """As `render_sharp`, at no cost where the model was last solved."""
        return self._last[1].sharp if self._last is not None and self._last[0] == at else self.render_sharp(at)

    def pattern(self, sharp: np.ndarray, at: PatternParameters) -> np.ndarray:
        """Rendered pattern R, of what `render_sharp` returns and the blur of some parameters; shape (y, x)."""
        sigma_px = at.blur_mrad / (at.pixel_mrad * self.cutout.factor)
        image = ndimage.gaussian_filter(sharp, sigma_px, mode="nearest") if sigma_px > 0 else sharp
        return np.asarray(image / max(float(image[self.cutout.mask].mean()), 1e-30))

    def mistilt_limit_mrad(self, at: PatternParameters) -> float:
        """Largest mistilt that the table holds at these parameters; negative where it holds none [mrad]."""
        edge = self.cutout.geometry(at, mirrored=self.mirrored).pixel_mrad
        return self.renderer.mistilt_max_mrad(at.convergence_mrad, edge)

    def solve(self, at: PatternParameters) -> LinearFit:
        """Best gain and background at some parameters, and what they leave over; the last answer is kept."""
        if self._last is None or self._last[0] != at:
            sharp = self.render_sharp(at)
            pattern = self.pattern(sharp, at)
            self._columns[:, 0] = self.weights * pattern[self.cutout.mask]
            coefficients = solve_linear(self._columns, self._target)
            residual = self._target - self._columns @ coefficients
            self._last = at, LinearFit(coefficients, residual, sharp, pattern)
        return self._last[1]

    def residual(self, at: PatternParameters) -> np.ndarray:
        """Recorded minus modelled pattern with its best gain and background, shape (pixel,) over the mask."""
        return self.solve(at).residual

    def image(self, at: PatternParameters) -> np.ndarray:
        """The model of the cut-out with its best coefficients, shape (y, x)."""
        best = self.solve(at)
        shapes = np.concatenate([best.pattern[None], self.cutout.background])
        return np.asarray(np.tensordot(best.coefficients, shapes, axes=1))

    def columns(self, images: np.ndarray) -> np.ndarray:
        """Images, shape (image, y, x), as columns over the mask with the weights of the residual: (pixel, image)."""
        return np.asarray(self.weights[:, None] * images[:, self.cutout.mask].T)

    def projected(self, changes: np.ndarray, best: LinearFit) -> np.ndarray:
        """How the residual answers to changes of the rendered pattern, with its best gain and background.

        The change of a projected residual is the projected change (Kaufman, BIT 15 (1975) 49). What this leaves out
        of the derivative is orthogonal to the residual: the gradient of its square is exact.

        Parameters
        ----------
        changes : float array, shape (change, y, x)
            Of the rendered pattern R, up to multiples of R itself.
        best : LinearFit
            Where they start.

        Returns
        -------
        float array, shape (pixel, change)
            Over the mask.
        """
        basis, _ = np.linalg.qr(self.columns(self.free_shapes(best)))
        slopes = -best.coefficients[0] * self.columns(changes)
        return np.asarray(slopes - basis @ (basis.T @ slopes))

    def free_shapes(self, best: LinearFit) -> np.ndarray:
        """Rendered pattern and background as far as they are not held at zero, shape (shape, y, x)."""
        shapes = np.concatenate([best.pattern[None], self.cutout.background])
        return shapes[[index == 1 or bool(value > 0) for index, value in enumerate(best.coefficients)]]

    def misfit(self, residual: np.ndarray) -> float:
        """Norm of a residual, shape (pixel,), over that of the pattern without its mean."""
        return float(np.linalg.norm(residual)) / max(self._signal, 1e-30)
