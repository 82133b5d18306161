"""From the mean signal of every pixel to a file, as cameras and image programs write it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np
import tifffile

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.evaluation.degraded.optics import Area, camera_tail, signal_of
from pacbed.evaluation.degraded.settings import Degradation, File, Spot
from pacbed.outputs import file_aside

LARGEST_16_BIT, LARGEST_12_BIT, LARGEST_8_BIT = 65_535, 4_095, 255
JPEG_QUALITY = 92
GIVEN_DIGITS = 1  # a user notes the convergence angle to 0.1 mrad


class Recording(NamedTuple):
    """A recorded pattern of known truth.

    Attributes
    ----------
    file : Path
    truth : PatternParameters
    given_mrad, given_pixel_mrad : float, float or None
        Convergence angle and pixel size that the user says [mrad].
    electrons : float
        In the beam.
    """

    file: Path
    truth: PatternParameters
    given_mrad: float
    given_pixel_mrad: float | None
    electrons: float


def record(area: Area, how: Degradation, stem: Path, *, rng: np.random.Generator) -> Recording:
    """Record a pattern and write its file.

    Parameters
    ----------
    area : Area
        The specimen.
    how : Degradation
    stem : Path
        File name without suffix.
    rng : numpy.random.Generator
        Counts the electrons.
    """
    truth, mean = signal_of(area, how)
    counts = rng.poisson(np.maximum(mean, 0) * how.light.electrons).astype(float)
    bright = float(mean.max()) * how.light.electrons
    file = write_picture(camera_tail(counts, how.blur) / bright, how.file, stem, rng=rng)
    error = how.told.pixel_error
    given = round(truth.convergence_mrad + how.told.convergence_error_mrad, GIVEN_DIGITS)
    pixel = None if error is None else truth.pixel_mrad * (1 + error)
    return Recording(file, truth, given, pixel, how.light.electrons)


def write_picture(picture: np.ndarray, how: File, stem: Path, *, rng: np.random.Generator) -> Path:
    """Write a picture of maximum about 1, shape (y, x), as TIFF or JPEG.

    Parameters
    ----------
    picture : float array, shape (y, x)
    how : File
    stem : Path
        File name without suffix.
    rng : numpy.random.Generator
        Of the readout noise.

    Returns
    -------
    Path
    """
    picture = picture + how.offset + how.readout * rng.standard_normal(picture.shape)
    picture /= picture.max()
    for spot in how.spots:
        picture = _with_spot(picture, spot, 1 / how.brightest)
    if how.gamma is not None:
        grey = np.clip(picture / picture.max(), 0, 1) ** how.gamma * LARGEST_8_BIT
        return _written(stem.with_suffix(".jpg"), np.rint(grey).astype(np.uint8))
    if how.clipped > 0:
        ceiling = float(np.quantile(picture, 1 - how.clipped))
        return _written(stem.with_suffix(".tif"), _whole(picture / ceiling * LARGEST_12_BIT, LARGEST_12_BIT))
    return _written(stem.with_suffix(".tif"), _whole(picture * how.brightest * LARGEST_16_BIT, LARGEST_16_BIT))


def _with_spot(picture: np.ndarray, spot: Spot, end: float) -> np.ndarray:
    """A picture of maximum 1, shape (y, x), with a spot, whose height is `end` where it says none."""
    edge, height = np.array(picture.shape[::-1]), end if spot.height is None else spot.height
    x, y = np.clip(np.array(spot.place) * edge, 0, edge - 1)
    row, column = np.indices(picture.shape)
    if spot.sigma_px > 0:
        square = (column - x) ** 2 + (row - y) ** 2
        return np.asarray(picture + height * np.exp(-0.5 * square / spot.sigma_px**2))
    inside = (column >= int(x)) & (column < int(x) + spot.edge_px) & (row >= int(y)) & (row < int(y) + spot.edge_px)
    return np.where(inside, np.maximum(picture, height), picture)


def _whole(counts: np.ndarray, largest: int) -> np.ndarray:
    """Whole numbers of 16 bits, up to what the converter knows."""
    return np.rint(np.clip(counts, 0, largest)).astype(np.uint16)


def _written(file: Path, picture: np.ndarray) -> Path:
    with file_aside(file) as aside:
        if file.suffix == ".jpg":
            iio.imwrite(aside, picture, quality=JPEG_QUALITY)
        else:
            tifffile.imwrite(aside, picture)
    return file
