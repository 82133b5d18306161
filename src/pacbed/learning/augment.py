"""Augmentation of training patterns: turns and distortions, diffuse scattering, counting noise, a camera's faults."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import affine_transform

# ASSUME: thermal diffuse scattering is smooth, a broad Gaussian and the elastic disk smeared, without Kikuchi bands.
# Its height relative to the brightest elastic pixel: thick slabs scatter most of the beam diffusely (an
# estimate).
DIFFUSE_MAX = 1.2
DIFFUSE_WIDTH = (0.15, 0.7)  # standard deviation of the broad part over the image's width
DISK_RADIUS = (0.12, 0.3)  # of the smeared disk, over the image's width
DISK_EDGE = (0.05, 0.2)  # standard deviation of its edge, over the image's width
CENTER_SPREAD = 0.02  # of the background about the pattern's centre of mass, over the image's width
OFFSET_MAX = 0.3  # camera offset relative to the brightest pixel
# Electrons in the brightest pixel, drawn evenly in the logarithm: from a quick single frame to a long average.
ELECTRONS = (50.0, 50_000.0)
HOT_PIXELS_MAX = 2
HOT_PIXEL_SHARE = 0.2  # of the patterns, for each of them
HOT_PIXEL_HEIGHT = (0.5, 3.0)  # over the brightest pixel


def turn_randomly(images: np.ndarray, *, rng: np.random.Generator, flip: bool) -> np.ndarray:
    """Turn each image by a random multiple of 90 degrees, exactly; flip half of them where the crystal has a mirror.

    Parameters
    ----------
    images : ndarray, shape (pattern, y, x)
        Square images of any unit.
    rng : numpy.random.Generator
    flip : bool
        A mirrored image is a pattern of the same crystal only where its beam group holds a mirror.

    Returns
    -------
    ndarray, shape (pattern, y, x)
    """
    turns = rng.integers(0, 4, len(images))
    flips = rng.random(len(images)) < 0.5 if flip else np.zeros(len(images), dtype=bool)
    turned = images.copy()
    for quarter in range(4):
        for mirrored in (False, True):
            chosen = (turns == quarter) & (flips == mirrored)
            some = images[chosen]
            turned[chosen] = np.rot90(some[:, ::-1] if mirrored else some, quarter, axes=(1, 2))
    return turned


class Distortion(NamedTuple):
    """What is done to the shape of a pattern.

    Attributes
    ----------
    scale : float
        Pixel size relative to the undistorted pattern's: above 1 the pattern looks smaller.
    rotation_deg : float
        Turn from +x towards +y, y down [deg].
    shear_deg : ndarray, shape (2,)
        Shear along x and y [deg].
    shift : ndarray, shape (2,)
        Displacement along x and y over the width of the image [1].
    flips : ndarray of bool, shape (2,)
        Left-right and up-down.
    """

    scale: float
    rotation_deg: float
    shear_deg: np.ndarray
    shift: np.ndarray
    flips: np.ndarray


def distort(pattern: np.ndarray, distortion: Distortion, *, pixels: int) -> np.ndarray:
    """Flip, shear, turn, scale and shift a centred pattern in one bilinear interpolation.

    Parameters
    ----------
    pattern : ndarray of float32, shape (y, x)
        Square image of any unit.
    distortion : Distortion
        What is done to it.
    pixels : int
        Edge of the result [pixels], which covers the same field at scale 1.

    Returns
    -------
    ndarray of float32, shape (pixels, pixels)
        Intensities in the unit of the pattern; 0 where it had no pixel.
    """
    angle = np.deg2rad(distortion.rotation_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    tangents = np.tan(np.deg2rad(distortion.shear_deg))
    # From (row, column) of the result to those of the pattern: turning an image turns its coordinates backwards.
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shear = np.array([[1.0, tangents[1]], [tangents[0], 1.0]])
    flip = np.diag(np.where(distortion.flips[::-1], -1.0, 1.0))
    matrix = flip @ shear @ turn * distortion.scale * len(pattern) / pixels
    middle = (pixels - 1) / 2 + distortion.shift[::-1] * pixels
    distorted = affine_transform(
        pattern, matrix, (len(pattern) - 1) / 2 - matrix @ middle, output_shape=(pixels, pixels), order=1
    )
    return np.asarray(distorted, dtype=np.float32)


def degrade(images: np.ndarray, *, rng: np.random.Generator, noise_max: float) -> np.ndarray:
    """Add a diffuse background, counting noise, a camera's offset and noise, and hot pixels.

    Relative to the elastic maximum, a pixel of intensity I gets noise of the variance ``I / N + sigma^2``: the Poisson
    noise of N electrons in the brightest elastic pixel, and the camera's own.

    Parameters
    ----------
    images : ndarray of float32, shape (pattern, y, x)
        Rendered patterns of any unit; each is scaled to a maximum of 1 first.
    rng : numpy.random.Generator
    noise_max : float
        Largest standard deviation of the Gaussian noise, over the pattern's maximum.

    Returns
    -------
    ndarray of float32, shape (pattern, y, x)
        The elastic maximum is 1 [1].
    """
    count = len(images)
    peak = np.maximum(images.max(axis=(1, 2), keepdims=True), np.float32(1e-30))
    clean = images / peak
    clean += diffuse_background(center_of_mass(clean), images.shape[1], rng=rng)
    electrons = _per_image(np.exp(rng.uniform(np.log(ELECTRONS[0]), np.log(ELECTRONS[1]), count)))
    # Small amounts of noise matter more often than the largest: sigma grows as the square of a uniform number.
    sigma = _per_image(noise_max * rng.random(count) ** 2)
    # ASSUME: with tens of electrons per bright pixel, Poisson counts are Gaussian with the variance of their mean
    # (an estimate).
    spread = np.sqrt(clean / electrons + sigma**2)
    clean += spread * rng.standard_normal(images.shape, dtype=np.float32)
    clean += _per_image(rng.uniform(0.0, OFFSET_MAX, count))
    _add_hot_pixels(clean, rng)
    return clean


def center_of_mass(images: np.ndarray) -> np.ndarray:
    """Centres of patterns.

    Parameters
    ----------
    images : ndarray, shape (pattern, y, x)
        Square images of any unit.

    Returns
    -------
    ndarray, shape (pattern, 2)
        x and y over the image's width [1]; the corner of pixel (0, 0) is at 0.
    """
    grid = ((np.arange(images.shape[1]) + 0.5) / images.shape[1]).astype(np.float32)
    columns, rows = images.sum(axis=1), images.sum(axis=2)
    total = np.maximum(columns.sum(axis=1), np.float32(1e-30))
    return np.stack([columns @ grid / total, rows @ grid / total], axis=1)


def diffuse_background(center: np.ndarray, pixels: int, *, rng: np.random.Generator) -> np.ndarray:
    """Smooth backgrounds of random height and width.

    Parameters
    ----------
    center : ndarray, shape (pattern, 2)
        Centres (x, y) of the patterns over the image's width [1]; the backgrounds' lie near.
    pixels : int
        Edge of the images [pixels].
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (pattern, pixels, pixels)
        Relative to an elastic maximum of 1 [1].
    """
    count = len(center)
    center = center + rng.normal(0.0, CENTER_SPREAD, (count, 2))
    grid = ((np.arange(pixels) + 0.5) / pixels).astype(np.float32)
    x2 = (grid - _per_line(center[:, 0])) ** 2
    y2 = (grid - _per_line(center[:, 1])) ** 2
    height = DIFFUSE_MAX * rng.random(count) ** 2
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
