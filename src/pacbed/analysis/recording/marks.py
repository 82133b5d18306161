"""Numbers that stand for no value: cameras write the largest of a type where a pixel is dead or lies in a gap."""

from __future__ import annotations

import numpy as np

MARKS = (2**16 - 1, 2**31 - 1, 2**32 - 1)
FAR = 4.0  # a mark is so many times the next largest value; what is saturated has values of all sizes below it


def marked(array: np.ndarray) -> np.ndarray | None:
    """Pixels that hold the mark for no value, bool, of the array's shape; None where there are none.

    Parameters
    ----------
    array : array of any shape
        Counts, as the file holds them.
    """
    for mark in MARKS:
        if array.dtype.kind in "iu" and not mark <= np.iinfo(array.dtype).max:
            continue
        found = array == np.asarray(mark, array.dtype)
        if found.any() and not found.all() and np.max(array[~found]) < mark / FAR:
            return np.asarray(found)
    return None
