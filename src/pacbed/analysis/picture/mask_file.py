"""A mask given by the user: an image whose pixels other than zero are not used, such as a beam stop's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pacbed.analysis.recording.pattern_file import read_image
from pacbed.errors import PatternError, bad_value

LEAST_USED = 0.1  # of the frame


def mask_name(mask: np.ndarray | str | Path) -> str:
    """What a result calls a mask."""
    return "array" if isinstance(mask, np.ndarray) else Path(mask).name


def read_mask(mask: np.ndarray | str | Path, shape: tuple[int, int]) -> np.ndarray:
    """Pixels that are not used.

    Parameters
    ----------
    mask : path, or array of shape (y, x)
        An image of any format that patterns have; not zero where a pixel is not used.
    shape : tuple of int
        Rows and columns of the patterns.

    Returns
    -------
    bool array, shape (y, x)

    Raises
    ------
    PatternError, ParameterError
        The file cannot be read, has another shape, or leaves too little.
    """
    if isinstance(mask, np.ndarray):
        values, name = mask, f"an array of shape {mask.shape}"
    else:
        values = _values(Path(mask))
        name = f"{Path(mask).name} of shape {values.shape}"
    if values.shape != tuple(shape):
        raise bad_value("mask", name, f"the shape of the pattern, {tuple(shape)}")
    masked = np.asarray(np.isnan(values) | (values != 0) if values.dtype.kind == "f" else values != 0)
    if 1 - masked.mean() < LEAST_USED:
        raise bad_value(
            "mask", f"{name}, {100 * masked.mean():.0f} % of it not zero", f"at most {100 * (1 - LEAST_USED):.0f} %"
        )
    return masked


def _values(file: Path) -> np.ndarray:
    """Pixels of a mask's file; a mask may be of one bit, or without a pixel other than zero, which patterns are not."""
    try:
        if file.suffix.lower() == ".npy" and file.is_file():
            return np.asarray(np.load(file, allow_pickle=False)).squeeze()
        return read_image(file)[0].squeeze()
    except (PatternError, ValueError, OSError) as error:
        raise PatternError(f"mask: {' '.join(str(error).split())}") from error
