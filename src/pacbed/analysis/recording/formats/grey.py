"""Pictures with channels: grey levels, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from pacbed.errors import PatternError

T = TypeVar("T")

GREY_TOLERANCE = 8  # JPEG rounds the three channels of a grey picture apart by a few counts of 255


class ColourError(PatternError):
    """A picture has colours that hide its counts."""


def without_coloured(readings: Iterable[Callable[[], T]]) -> list[T]:
    """What is read of a file's pictures; those in colour, such as a preview beside the data, are left out.

    Parameters
    ----------
    readings : iterable of callable
        One for each picture.

    Raises
    ------
    ColourError
        All are in colour.
    """
    found, refused = [], None
    for read in readings:
        try:
            found.append(read())
        except ColourError as error:
            refused = error
    if refused is not None and not found:
        raise refused
    return found


def grey_levels(image: np.ndarray, source: str) -> np.ndarray:
    """Grey levels of a picture in red, green and blue, with or without opacity.

    Parameters
    ----------
    image : array, shape (..., channel)
        Three or four channels; the fourth is opacity and is left out.
    source : str
        File, for the error.

    Returns
    -------
    array, shape (...)
        One of the channels where they are equal, of its own type; else their mean, float32.

    Raises
    ------
    ColourError
        The channels differ: a colour map hides the counts.
    """
    colours = image[..., :3]
    largest = 255.0 if image.dtype == np.uint8 else min(255.0, float(np.nanmax(np.abs(colours.astype(np.float32)))))
    if np.ptp(colours.astype(np.float32), axis=-1).max() > GREY_TOLERANCE * largest / 255:
        raise ColourError(
            f"pattern: got a coloured picture in {source}, accepted: grey levels (a colour map hides counts)"
        )
    if np.array_equal(colours[..., 0], colours[..., 1]) and np.array_equal(colours[..., 0], colours[..., 2]):
        return np.asarray(colours[..., 0])
    return np.asarray(colours.mean(axis=-1, dtype=np.float32))


def refuse_channels(kind: str, source: str) -> ColourError:
    """The error for channels that are no grey levels."""
    return ColourError(f"pattern: got a picture in {kind} ({source}), accepted: grey levels")
