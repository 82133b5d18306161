"""A mask given by the user: an image whose pixels other than zero are not used, such as a beam stop's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.errors import PatternError, bad_value

LEAST_USED = 0.1  # of the frame


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
        try:
            values = read_pattern(mask).array
        except PatternError as error:
            raise PatternError(f"mask: {error}") from error
        name = f"{Path(mask).name} of shape {values.shape}"
    if values.shape != tuple(shape):
        raise bad_value("mask", name, f"the shape of the pattern, {tuple(shape)}")
    masked = np.asarray(np.isnan(values) | (values != 0) if values.dtype.kind == "f" else values != 0)
    if 1 - masked.mean() < LEAST_USED:
        raise bad_value(
            "mask", f"{name}, {100 * masked.mean():.0f} % of it not zero", f"at most {100 * (1 - LEAST_USED):.0f} %"
        )
    return masked
