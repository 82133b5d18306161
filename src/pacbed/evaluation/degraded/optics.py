"""From a specimen to the mean signal of every pixel of a camera [fraction of the beam]."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
from scipy import ndimage, special

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.evaluation.budget.inelastic import convolved, loss_kernel
from pacbed.evaluation.degraded.settings import Blur, Degradation, Light, View
from pacbed.evaluation.degraded.specimens import Parts
from pacbed.patterns import Geometry

FINEST_MRAD = 0.5  # wider pixels are made of several
PLASMON_MRAD = 0.05  # characteristic angle of some 20 eV at 200 kV
MOST_LOSSES = 4  # plasmons that one electron excites


class Area(Protocol):
    """A specimen that can be seen."""

    @property
    def mean(self) -> PatternParameters:
        """Mean thickness and mistilt, and convergence angle."""

    @property
    def blur_mrad(self) -> float:
        """Blur of the elastic part as it is seen [mrad]."""

    def image(self, geometry: Geometry) -> Parts:
        """Elastic and diffuse pattern on the pixels of a camera."""


class Signal(NamedTuple):
    """What reaches the camera.

    Attributes
    ----------
    truth : PatternParameters
        Crystal, beam and place of the pattern on the camera.
    image : float array, shape (y, x)
        Fraction of the beam per pixel.
    """

    truth: PatternParameters
    image: np.ndarray


def signal_of(area: Area, how: Degradation) -> Signal:
    """The mean signal of every pixel, before electrons are counted."""
    truth = placed(area.mean, how)
    factor = max(1, int(np.ceil(truth.pixel_mrad / FINEST_MRAD)))
    fine = _fine(truth, how.view, factor)
    parts = area.image(fine)
    image = parts.elastic + parts.diffuse * _diffuse_gain(fine, how.light, truth.convergence_mrad)
    image = _plasmons(image, fine.pixel_mrad, how.blur)
    image = (1 - how.light.vacuum) * image + how.light.vacuum * _disk(fine, truth.convergence_mrad, area.blur_mrad)
    further = np.sqrt(max(0.0, truth.blur_mrad**2 - area.blur_mrad**2)) / fine.pixel_mrad
    image = ndimage.gaussian_filter(image, further, mode="nearest") if further > 0 else image
    edge = how.view.pixels
    binned = image.reshape(edge, factor, edge, factor).sum(axis=(1, 3))
    return Signal(truth, binned * _shading(edge, how.light.shading))


def placed(mean: PatternParameters, how: Degradation) -> PatternParameters:
    """What a fit of the pattern is to find."""
    view = how.view
    x, y = ((view.pixels - 1) / 2 + view.pixels * off for off in view.shift)
    return replace(
        mean,
        center_px=(x, y),
        pixel_mrad=mean.convergence_mrad / view.radius_px,
        rotation_deg=view.rotation_deg,
        blur_mrad=how.blur.gaussian_mrad,
        ellipse_percent=(100 * view.ellipse[0], 100 * view.ellipse[1]),
    )


def camera_tail(counts: np.ndarray, blur: Blur) -> np.ndarray:
    """Spread some of each pixel's counts, shape (y, x), as the scintillator of a camera does."""
    if blur.tail_share == 0:
        return counts
    reach = int(np.ceil(6 * blur.tail_px))
    kernel = np.exp(-_distance(reach) / blur.tail_px)
    return (1 - blur.tail_share) * counts + blur.tail_share * convolved(counts, kernel / kernel.sum())


def _fine(truth: PatternParameters, view: View, factor: int) -> Geometry:
    """Pixels of a camera, each cut into squares."""
    edge = view.pixels * factor
    x, y = (factor * middle + (factor - 1) / 2 for middle in truth.center_px)
    return replace(truth, pixel_mrad=truth.pixel_mrad / factor, center_px=(x, y)).geometry((edge, edge))


def _diffuse_gain(geometry: Geometry, light: Light, convergence_mrad: float) -> np.ndarray:
    """Factor of the diffuse intensity in every pixel, shape (y, x): no simulation knows it everywhere."""
    kx, ky = (axis / (2 * convergence_mrad) for axis in geometry.angles_mrad())
    gain = np.full(geometry.shape, light.diffuse)
    for wave in light.waves:
        gain *= 1 + wave.amplitude * np.cos(2 * np.pi * (wave.x * kx + wave.y * ky) + wave.phase)
    return gain


def _plasmons(image: np.ndarray, pixel_mrad: float, blur: Blur) -> np.ndarray:
    """The pattern, shape (y, x), of electrons that have excited no, one or several plasmons."""
    if blur.plasmons == 0:
        return image
    kernel = loss_kernel(pixel_mrad, PLASMON_MRAD)
    shares = np.exp(-blur.plasmons) * np.cumprod([1.0, *(blur.plasmons / n for n in range(1, MOST_LOSSES + 1))])
    shares[-1] += 1 - shares.sum()
    found, scattered = shares[0] * image, image
    for share in shares[1:]:
        scattered = convolved(scattered, kernel)
        found = found + share * scattered
    return found


def _disk(geometry: Geometry, convergence_mrad: float, blur_mrad: float) -> np.ndarray:
    """The disk of the beam without a specimen [fraction of the beam per pixel], shape (y, x)."""
    beyond = np.hypot(*geometry.angles_mrad()) - convergence_mrad
    inside = 0.5 * special.erfc(beyond / (np.sqrt(2) * blur_mrad))
    return np.asarray(inside * geometry.pixel_mrad**2 / (np.pi * convergence_mrad**2))


def _shading(edge: int, shading: tuple[float, float, float]) -> np.ndarray:
    """Relative sensitivity of every pixel of a square camera, shape (edge, edge)."""
    line = np.linspace(-1, 1, edge)
    right, down, corner = shading
    return np.asarray(1 + right * line + down * line[:, None] + corner * (line**2 + line[:, None] ** 2) / 2)


def _distance(reach: int) -> np.ndarray:
    """Distance from the middle of a square kernel [pixels]."""
    line = np.arange(-reach, reach + 1.0)
    return np.hypot(line, line[:, None])
