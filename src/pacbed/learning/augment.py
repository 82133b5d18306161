"""What a camera and the thermal vibration do to a rendered pattern, drawn anew for every epoch. numpy only."""

from __future__ import annotations

import numpy as np

# ASSUME: thermal diffuse scattering is smooth, a broad Gaussian and the elastic disk smeared, without Kikuchi bands.
# Its height relative to the brightest elastic pixel: thick slabs scatter most of the beam diffusely.
DIFFUSE_MAX = 1.2
DIFFUSE_WIDTH = (0.15, 0.7)  # standard deviation of the broad part over the image's width
DISK_RADIUS = (0.12, 0.3)  # of the smeared disk, over the image's width
DISK_EDGE = (0.05, 0.2)  # standard deviation of its edge, over the image's width
CENTER_SPREAD = 0.02  # of the background about the pattern's centre of mass, over the image's width
OFFSET_MAX = 0.3  # camera offset relative to the brightest pixel
# Electrons in the brightest pixel, drawn evenly in the logarithm: from a quick single frame to a long average.
ELECTRONS = (50.0, 50_000.0)
HOT_PIXELS_MAX = 2


def turn_randomly(images: np.ndarray, *, rng: np.random.Generator, flip: bool) -> np.ndarray:
    """Turn each image by a random multiple of 90 degrees, exactly; flip half of them where the crystal has a mirror.

    Parameters
    ----------
    images : ndarray, shape (sample, n, n)
    rng : numpy.random.Generator
    flip : bool
        A mirrored image is a pattern of the same crystal only where its beam group holds a mirror.

    Returns
    -------
    ndarray, shape (sample, n, n)
    """
    turns = rng.integers(0, 4, len(images))
    flips = rng.random(len(images)) < 0.5 if flip else np.zeros(len(images), dtype=bool)
    turned = images.copy()
    for quarter in range(4):
        for mirrored in (False, True):
            chosen = (turns == quarter) & (flips == mirrored)
            part = images[chosen]
            turned[chosen] = np.rot90(part[:, ::-1] if mirrored else part, quarter, axes=(1, 2))
    return turned


def degrade(images: np.ndarray, *, rng: np.random.Generator, noise_max: float) -> np.ndarray:
    """Add a diffuse background, counting noise, a camera's offset and noise, and stray pixels.

    Parameters
    ----------
    images : ndarray of float32, shape (sample, n, n)
        Rendered patterns; each is scaled to a maximum of 1 first.
    rng : numpy.random.Generator
    noise_max : float
        Largest standard deviation of the Gaussian noise, over the pattern's maximum.

    Returns
    -------
    ndarray of float32, shape (sample, n, n)
        The elastic maximum is 1.
    """
    count = len(images)
    peak = np.maximum(images.max(axis=(1, 2), keepdims=True), np.float32(1e-30))
    clean = images / peak
    clean += diffuse_background(center_of_mass(clean), images.shape[1], rng=rng)
    electrons = _column(np.exp(rng.uniform(np.log(ELECTRONS[0]), np.log(ELECTRONS[1]), count)))
    # Small amounts of noise matter more often than the largest: sigma grows as the square of a uniform number.
    sigma = _column(noise_max * rng.random(count) ** 2)
    # ASSUME: with tens of electrons per bright pixel, Poisson counts are Gaussian with the variance of their mean.
    spread = np.sqrt(clean / electrons + sigma**2)
    clean += spread * rng.standard_normal(images.shape, dtype=np.float32)
    clean += _column(rng.uniform(0.0, OFFSET_MAX, count))
    _add_hot_pixels(clean, rng)
    return clean


def center_of_mass(images: np.ndarray) -> np.ndarray:
    """Centres (x, y) of patterns of shape (sample, n, n), over the image's width; shape (sample, 2)."""
    grid = ((np.arange(images.shape[1]) + 0.5) / images.shape[1]).astype(np.float32)
    columns, rows = images.sum(axis=1), images.sum(axis=2)
    total = np.maximum(columns.sum(axis=1), np.float32(1e-30))
    return np.stack([columns @ grid / total, rows @ grid / total], axis=1)


def diffuse_background(center: np.ndarray, pixels: int, *, rng: np.random.Generator) -> np.ndarray:
    """Smooth backgrounds of random height and width around centres (x, y), shape (sample, 2), over the image's width.

    Returns an ndarray of float32, shape (sample, pixels, pixels), relative to an elastic maximum of 1.
    """
    count = len(center)
    center = center + rng.normal(0.0, CENTER_SPREAD, (count, 2))
    grid = ((np.arange(pixels) + 0.5) / pixels).astype(np.float32)
    x2 = (grid - _row(center[:, 0])) ** 2
    y2 = (grid - _row(center[:, 1])) ** 2
    height = DIFFUSE_MAX * rng.random(count) ** 2
    share = rng.random(count)
    width = rng.uniform(*DIFFUSE_WIDTH, count)
    falloff = _row(1 / (2 * width**2))
    # A Gaussian of two coordinates is a product: two short exponentials instead of one per pixel.
    broad = np.exp(-y2 * falloff)[:, :, None] * np.exp(-x2 * falloff)[:, None, :]
    radius, edge = rng.uniform(*DISK_RADIUS, count), rng.uniform(*DISK_EDGE, count)
    distance = np.sqrt(y2[:, :, None] + x2[:, None, :])
    # The logistic function stands for the error function of a smeared edge.
    disk = 1 / (1 + np.exp(np.clip((distance - _column(radius)) * _column(1.7 / edge), -30, 30)))
    return np.asarray(_column(height * share) * broad + _column(height * (1 - share)) * disk, dtype=np.float32)


def _add_hot_pixels(images: np.ndarray, rng: np.random.Generator) -> None:
    count, pixels = images.shape[:2]
    for _ in range(HOT_PIXELS_MAX):
        hit = np.flatnonzero(rng.random(count) < 0.2)
        place = rng.integers(0, pixels, (2, len(hit)))
        images[hit, place[0], place[1]] += rng.uniform(0.5, 3.0, len(hit)).astype(np.float32)


def _column(values: np.ndarray) -> np.ndarray:
    """One number per image, shape (n, 1, 1)."""
    return np.asarray(values, dtype=np.float32)[:, None, None]


def _row(values: np.ndarray) -> np.ndarray:
    """One number per image, shape (n, 1)."""
    return np.asarray(values, dtype=np.float32)[:, None]
