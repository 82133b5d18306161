"""The forward model: what a detector would have recorded, as a function of what is to be found out.

A rendered pattern times a gain, plus a constant and two broad Gaussians (inelastic and diffuse scattering that the
table does not hold). These four enter linearly and are solved for inside (variable projection, Golub & Pereyra 1973).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pacbed.analysis.recording.outline import bin_pixels
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS, solve_linear
from pacbed.simulation.rendering.renderer import Renderer


@dataclass(frozen=True)
class Parameters:
    """What the refinement frees.

    Attributes
    ----------
    thickness_nm : float
    mistilt_mrad : tuple of float
        Vector (x, y) in the crystal frame [mrad].
    center_px : tuple of float
        Column and row of the optic axis in the recorded pattern.
    pixel_mrad, rotation_deg, convergence_mrad, blur_mrad : float
    """

    thickness_nm: float
    mistilt_mrad: tuple[float, float]
    center_px: tuple[float, float]
    pixel_mrad: float
    rotation_deg: float
    convergence_mrad: float
    blur_mrad: float


@dataclass(frozen=True)
class View:
    """A binned cut-out of a recorded pattern.

    Attributes
    ----------
    values : float array, shape (y, x)
        Means over squares of `factor` recorded pixels, dark level 0, bright level about 1.
    mask : bool array, shape (y, x)
        Pixels that count.
    factor : int
        Recorded pixels per edge of a pixel of the view.
    origin_px : tuple of int
        Column and row of the first recorded pixel.
    background : float array, shape (1 + Gaussian, y, x)
        The smooth background's shapes.
    """

    values: np.ndarray
    mask: np.ndarray
    factor: int
    origin_px: tuple[int, int]
    background: np.ndarray

    @classmethod
    def around(
        cls, array: np.ndarray, center_px: tuple[float, float], radius_px: float, *, reach: float, pixels: int
    ) -> View:
        """Cut out a circle of `reach` times the bright region's radius [pixels] with some `pixels` across.

        Parameters
        ----------
        array : float array, shape (y, x)
            Repaired counts.
        center_px, radius_px
            Bright region.
        reach : float
            Radius of the circle that counts, in units of `radius_px`.
        pixels : int
            Pixels across that circle, as nearly as whole binning factors allow.
        """
        half = reach * radius_px
        factor = max(1, round(2 * half / pixels))
        first = [max(0, int(np.floor(c - half))) for c in center_px]
        last = [min(n, int(np.ceil(c + half)) + 1) for c, n in zip(center_px, array.shape[::-1], strict=True)]
        cut = array[first[1] : last[1], first[0] : last[0]].astype(float)
        dark, bright = np.percentile(cut, [1, 98])
        values = (bin_pixels(cut, factor) - dark) / max(bright - dark, 1e-30)
        row, column = np.indices(values.shape) * factor + (factor - 1) / 2
        distance = np.hypot(column + first[0] - center_px[0], row + first[1] - center_px[1]) / radius_px
        shapes = [np.ones_like(values), *(np.exp(-0.5 * (distance / width) ** 2) for width in BACKGROUND_WIDTHS)]
        return cls(values, distance <= reach, factor, (first[0], first[1]), np.stack(shapes))

    def geometry(self, at: Parameters, *, mirrored: bool) -> Geometry:
        """Pixels of the view when the recorded pattern has the given parameters."""
        center = [
            (c - o - (self.factor - 1) / 2) / self.factor for c, o in zip(at.center_px, self.origin_px, strict=True)
        ]
        return Geometry(
            self.values.shape, at.pixel_mrad * self.factor, (center[0], center[1]), at.rotation_deg, mirrored
        )


class ForwardModel:
    """Compares parameters with one view of a recorded pattern.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    view : View
        What was recorded.
    mirrored : bool
        The camera shows the pattern mirrored.
    """

    def __init__(self, renderer: Renderer, view: View, *, mirrored: bool = False) -> None:
        self.renderer = renderer
        self.view = view
        self.mirrored = mirrored
        self._target = view.values[view.mask]
        self._columns = np.empty((len(self._target), 1 + len(view.background)))
        self._columns[:, 1:] = view.background[:, view.mask].T
        self._signal = float(np.linalg.norm(self._target - self._target.mean()))

    def render(self, at: Parameters) -> np.ndarray:
        """Rendered pattern on the view's pixels, of unit mean over the mask; shape (y, x).

        A mistilt beyond the table is drawn back to its edge, so that an optimiser may try any.
        """
        geometry = self.view.geometry(at, mirrored=self.mirrored)
        limit = self.mistilt_room_mrad(at)
        size = float(np.hypot(*at.mistilt_mrad))
        shrink = min(1.0, 0.999 * limit / size) if size > 0 else 1.0
        image = self.renderer.render(
            thickness_nm=at.thickness_nm,
            convergence_mrad=at.convergence_mrad,
            mistilt_mrad=(at.mistilt_mrad[0] * shrink, at.mistilt_mrad[1] * shrink),
            geometry=geometry,
            blur_mrad=at.blur_mrad,
        )
        return image / max(float(image[self.view.mask].mean()), 1e-30)

    def mistilt_room_mrad(self, at: Parameters) -> float:
        """Largest mistilt that the table holds at these parameters; negative where it holds none [mrad]."""
        edge = self.view.geometry(at, mirrored=self.mirrored).pixel_mrad
        return self.renderer.mistilt_max_mrad(at.convergence_mrad, edge)

    def solve(self, at: Parameters) -> tuple[np.ndarray, np.ndarray]:
        """Best linear coefficients (gain, constant, Gaussians), and the residual over the mask, shape (pixel,)."""
        self._columns[:, 0] = self.render(at)[self.view.mask]
        coefficients = solve_linear(self._columns, self._target)
        return coefficients, self._target - self._columns @ coefficients

    def image(self, at: Parameters) -> np.ndarray:
        """The model of the view with its best coefficients, shape (y, x)."""
        coefficients, _ = self.solve(at)
        stack = np.concatenate([self.render(at)[None], self.view.background])
        return np.asarray(np.tensordot(coefficients, stack, axes=1))

    def misfit(self, residual: np.ndarray) -> float:
        """Norm of a residual over that of the pattern without its mean."""
        return float(np.linalg.norm(residual)) / max(self._signal, 1e-30)


def moved(at: Parameters, vector: np.ndarray) -> Parameters:
    """Parameters displaced by (nm, mrad, mrad, mrad, mrad, %, deg, mrad, mrad), in the order of the attributes."""
    return replace(
        at,
        thickness_nm=at.thickness_nm + float(vector[0]),
        mistilt_mrad=(at.mistilt_mrad[0] + float(vector[1]), at.mistilt_mrad[1] + float(vector[2])),
        center_px=(
            at.center_px[0] + float(vector[3]) / at.pixel_mrad,
            at.center_px[1] + float(vector[4]) / at.pixel_mrad,
        ),
        pixel_mrad=at.pixel_mrad * float(np.exp(vector[5] / 100)),
        rotation_deg=at.rotation_deg + float(vector[6]),
        convergence_mrad=at.convergence_mrad + float(vector[7]),
        blur_mrad=at.blur_mrad + float(vector[8]),
    )


def differ(one: Parameters, other: Parameters, *, nm: float, mrad: float) -> bool:
    """Whether two solutions are apart in thickness [nm] or in the mistilt as the image shows it [mrad]."""
    if abs(one.thickness_nm - other.thickness_nm) > nm:
        return True
    seen = [
        Geometry((1, 1), 1.0, (0.0, 0.0), at.rotation_deg).to_image(np.array(at.mistilt_mrad)) for at in (one, other)
    ]
    return float(np.linalg.norm(seen[0] - seen[1])) > mrad
