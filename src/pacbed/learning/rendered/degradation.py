"""What a recording does to a pattern: diffuse scattering, counting noise, a camera's noise, offset and hot pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import convolve1d

from pacbed.learning.draws import SHIFT_MAX
from pacbed.networks.frame import PolarFrame

# ASSUME: thermal diffuse scattering is smooth, a broad Gaussian and the elastic disk smeared, without Kikuchi bands.
# Its height relative to the brightest elastic pixel: thick slabs scatter most of the beam diffusely (an
# estimate).
DIFFUSE_MAX = 1.2
# Lengths over the radius of the bright region.
DIFFUSE_WIDTH = (0.65, 3.0)  # standard deviation of the broad part
DISK_RADIUS = (0.5, 1.3)  # of the smeared disk
DISK_EDGE = (0.2, 0.9)  # standard deviation of its edge
CENTER_SPREAD = 0.09  # of the background about that of the bright region
OFFSET_MAX = 0.3  # camera offset relative to the brightest pixel
# Electrons of the beam, drawn evenly in the logarithm: from one window of a scan to a long average.
ELECTRONS = (5e3, 1e8)
HOT_PIXELS_MAX = 2
HOT_PIXEL_SHARE = 0.2  # of the patterns, for each of them
HOT_PIXEL_HEIGHT = (0.5, 3.0)  # over the brightest pixel
# Resampling a camera's pixels onto those of the frame leaves this correlation between neighbours, 0.25 to 0.3 by the
# sums of `noise_gain`; noise filtered with (NEIGHBOUR, 1, NEIGHBOUR) along both axes has a quarter.
NEIGHBOUR = 0.129


# ASSUME: a camera sees between this and this much of the stack's field of view, its centre up to `SHIFT_MAX` of the
# width off (an estimate).
FIELD = (0.9, 2.0)


class CameraPixels(NamedTuple):
    """How the frame's pixels stand to a camera's, for each pattern.

    Attributes
    ----------
    ratio : ndarray, shape (pattern,)
        Edge of a pixel of the frame over that of the camera [1].
    brightest : ndarray, shape (pattern,)
        Fraction of the beam in the camera's brightest pixel [1].
    """

    ratio: np.ndarray
    brightest: np.ndarray


class Recorded(NamedTuple):
    """Degraded patterns.

    Attributes
    ----------
    images : ndarray of float32, shape (pattern, y, x)
        The elastic maximum is 1 [1].
    diffuse : ndarray, shape (pattern,)
        Height of the diffuse background over that maximum [1].
    """

    images: np.ndarray
    diffuse: np.ndarray


def degrade(images: np.ndarray, camera: CameraPixels, *, rng: np.random.Generator, noise_max: float) -> Recorded:
    """What is left of patterns that a camera recorded, on the pixels of the frame.

    Relative to the elastic maximum, a camera's pixel of intensity I has noise of the variance ``I / (N b) + sigma^2``:
    the counting noise of N electrons in the beam, of which the brightest pixel holds the fraction b, and the camera's
    own. Resampling multiplies its standard deviation by `noise_gain`.

    Parameters
    ----------
    images : ndarray of float32, shape (pattern, y, x)
        Patterns in the pixels of a `PolarFrame`, centred, each relative to its elastic maximum [1].
    camera : CameraPixels
        The camera's pixels.
    rng : numpy.random.Generator
    noise_max : float
        Largest standard deviation of the Gaussian noise of a camera's pixel, over the pattern's maximum.
    """
    count = len(images)
    # Faint backgrounds matter more often than the strongest.
    diffuse = DIFFUSE_MAX * rng.random(count) ** 2
    clean = images + diffuse_background(diffuse, images.shape[1], rng=rng)
    electrons = np.exp(rng.uniform(np.log(ELECTRONS[0]), np.log(ELECTRONS[1]), count))
    # Small amounts of noise matter more often than the largest: sigma grows as the square of a uniform number.
    sigma = noise_max * rng.random(count) ** 2
    # ASSUME: counts of some camera pixels together are Gaussian with the variance of their mean (an estimate).
    variance = clean * _per_image(1 / (electrons * camera.brightest)) + _per_image(sigma**2)
    clean += np.sqrt(variance) * _per_image(noise_gain(camera.ratio)) * _correlated(images.shape, rng)
    clean += _per_image(rng.uniform(0.0, OFFSET_MAX, count))
    _add_hot_pixels(clean, rng)
    return Recorded(clean, diffuse)


def mask_field(images: np.ndarray, half_width: np.ndarray, *, rng: np.random.Generator) -> None:
    """Cut off, in place, what lies beyond a camera's field of view, as `resample` does: the dark level stands there.

    Parameters
    ----------
    images : ndarray of float32, shape (pattern, y, x)
        In the pixels of a `PolarFrame`.
    half_width : ndarray, shape (pattern,)
        Half width of the least field of view over the radius of the bright region [1].
    rng : numpy.random.Generator
        Draws how much larger the field is, and where in it the pattern lies.
    """
    count, pixels = images.shape[:2]
    half = half_width * rng.uniform(*FIELD, count)
    shift = 2 * half[:, None] * rng.uniform(-SHIFT_MAX, SHIFT_MAX, (count, 2))
    grid = _grid(pixels)
    outside_x, outside_y = (np.abs(grid - _per_line(shift[:, axis])) > _per_line(half) for axis in (0, 1))
    outside = outside_y[:, :, None] | outside_x[:, None, :]
    for image, beyond in zip(images, outside, strict=True):
        if beyond.any() and not beyond.all():
            image[beyond] = np.percentile(image[~beyond], 2)


def noise_gain(ratio: np.ndarray) -> np.ndarray:
    """Standard deviation of white noise after `resample` onto larger pixels, over what it was.

    `resample` smooths with a Gaussian of standard deviation ``0.45 sqrt(ratio^2 - 1)`` pixels and interpolates between
    two, at any place between them. With the kernel's autocorrelation A this leaves, along each axis, the variance
    ``2/3 A(0) + 1/3 A(1)``.

    Parameters
    ----------
    ratio : ndarray, shape (pattern,)
        New pixel over old [1].
    """
    sigma = 0.45 * np.sqrt(np.maximum(np.asarray(ratio, dtype=float) ** 2 - 1, 1e-6))[:, None]
    reach = int(np.ceil(4 * sigma.max())) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum(axis=1, keepdims=True)
    return np.asarray(2 / 3 * np.sum(kernel**2, axis=1) + 1 / 3 * np.sum(kernel[:, 1:] * kernel[:, :-1], axis=1))


def diffuse_background(height: np.ndarray, pixels: int, *, rng: np.random.Generator) -> np.ndarray:
    """Smooth backgrounds of random width.

    Parameters
    ----------
    height : ndarray, shape (pattern,)
        Of the backgrounds, relative to an elastic maximum of 1 [1].
    pixels : int
        Edge of the images [pixels], of the width of a `PolarFrame`.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (pattern, pixels, pixels)
        Relative to an elastic maximum of 1 [1].
    """
    count = len(height)
    center = rng.normal(0.0, CENTER_SPREAD, (count, 2))
    grid = _grid(pixels)
    x2 = (grid - _per_line(center[:, 0])) ** 2
    y2 = (grid - _per_line(center[:, 1])) ** 2
    share = rng.random(count)
    width = rng.uniform(*DIFFUSE_WIDTH, count)
    falloff = _per_line(1 / (2 * width**2))
    # A Gaussian of two coordinates is a product: two short exponentials instead of one per pixel.
    broad = np.exp(-y2 * falloff)[:, :, None] * np.exp(-x2 * falloff)[:, None, :]
    radius, edge = rng.uniform(*DISK_RADIUS, count), rng.uniform(*DISK_EDGE, count)
    distance = np.sqrt(y2[:, :, None] + x2[:, None, :])
    # The logistic function stands for the error function of a smeared edge.
    disk = 1 / (1 + np.exp(np.clip((distance - _per_image(radius)) * _per_image(1.7 / edge), -30, 30)))
    return np.asarray(_per_image(height * share) * broad + _per_image(height * (1 - share)) * disk, dtype=np.float32)


def _grid(pixels: int) -> np.ndarray:
    """Pixel centres along an edge, shape (pixels,), over the radius of the bright region [1]."""
    return np.asarray(((np.arange(pixels) + 0.5) / pixels * 2 - 1) * PolarFrame().half_width, dtype=np.float32)


def _correlated(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Noise of variance 1 with the correlation that resampling leaves, shape (pattern, y, x)."""
    kernel = np.array([NEIGHBOUR, 1.0, NEIGHBOUR], dtype=np.float32)
    kernel /= np.linalg.norm(kernel)
    noise = rng.standard_normal(shape, dtype=np.float32)
    for axis in (1, 2):
        noise = convolve1d(noise, kernel, axis=axis, mode="wrap")
    return noise


def _add_hot_pixels(images: np.ndarray, rng: np.random.Generator) -> None:
    count, pixels = images.shape[:2]
    for _ in range(HOT_PIXELS_MAX):
        hit = np.flatnonzero(rng.random(count) < HOT_PIXEL_SHARE)
        row, column = rng.integers(0, pixels, (2, len(hit)))
        images[hit, row, column] += rng.uniform(*HOT_PIXEL_HEIGHT, len(hit)).astype(np.float32)


def _per_image(values: np.ndarray) -> np.ndarray:
    """One number per image, shape (pattern, 1, 1)."""
    return np.asarray(values, dtype=np.float32)[:, None, None]


def _per_line(values: np.ndarray) -> np.ndarray:
    """One number per image, shape (pattern, 1), for all pixels of a row or column."""
    return np.asarray(values, dtype=np.float32)[:, None]
