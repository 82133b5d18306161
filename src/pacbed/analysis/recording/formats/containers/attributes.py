"""Attributes of HDF5 objects."""

from __future__ import annotations

import numpy as np


def attribute_text(value: object) -> str:
    """An attribute as text, however it is stored; of an array, the first.

    Parameters
    ----------
    value : object
        What h5py gives.
    """
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
