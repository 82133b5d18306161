"""Values that a file stores as others: a factor and an offset apart, with a number that stands for none; or turned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np

FACTOR, OFFSET, FILLS = "scale_factor", "add_offset", ("_FillValue", "missing_value")  # of the CF conventions


class Scaled:
    """Factor times the stored values plus an offset, worked out when they are indexed.

    Parameters
    ----------
    stored : array-like
    factor, offset : float
    fills : tuple of float
        Stored values that stand for none.

    Attributes
    ----------
    shape, dtype
        As for an array; the values are float32, NaN where there is none.
    """

    def __init__(self, stored: Any, factor: float = 1.0, offset: float = 0.0, fills: tuple[float, ...] = ()) -> None:
        self._stored, self._factor, self._offset, self._fills = stored, factor, offset, fills
        self.shape, self.dtype = tuple(stored.shape), np.dtype(np.float32)

    def __getitem__(self, key: Any) -> np.ndarray:
        """A part of the array."""
        stored = np.asarray(self._stored[key])
        values = (stored * np.float64(self._factor) + self._offset).astype(self.dtype)
        return np.where(np.isin(stored, self._fills), np.float32(np.nan), values) if self._fills else values


class Turned:
    """Stored pictures, each turned as a whole, read when they are indexed.

    Parameters
    ----------
    stored : array-like, shape (..., y, x)
    turn : callable
        Takes pictures of that shape and returns them turned, as a view.

    Attributes
    ----------
    shape, dtype
        As for an array, of the turned pictures.
    """

    def __init__(self, stored: Any, turn: Callable[[np.ndarray], np.ndarray]) -> None:
        self._stored, self._turn = stored, turn
        *leading, rows, columns = stored.shape
        self.shape = (*leading, *turn(np.broadcast_to(0, (rows, columns))).shape)
        self.dtype = np.dtype(stored.dtype)

    def __getitem__(self, key: Any) -> np.ndarray:
        """A part of the array; of pictures that are asked for in part, the whole is read."""
        given = key if isinstance(key, tuple) else (key,)
        if Ellipsis in given:
            place = given.index(Ellipsis)
            lacking = len(self.shape) - len(given) + 1
            given = (*given[:place], *[slice(None)] * lacking, *given[place + 1 :])
        count = len(self.shape) - 2
        whole = self._turn(np.asarray(self._stored[given[:count] or ...]))
        return np.asarray(whole[(..., *given[count:], *[slice(None)] * (2 - len(given[count:])))])


def unpacked(stored: Any, attributes: Mapping[str, Any]) -> Any:
    """The values that an array of netCDF or xarray stands for; the array itself where it stands for itself.

    Parameters
    ----------
    stored : array-like
    attributes : mapping
        Of the array.
    """
    factor, offset = _number(attributes.get(FACTOR), 1.0), _number(attributes.get(OFFSET), 0.0)
    fills = [_number(attributes.get(name), np.nan) for name in FILLS]
    finite = tuple(fill for fill in fills if isfinite(fill))
    if (factor, offset) == (1.0, 0.0) and not finite:
        return stored
    return Scaled(stored, factor, offset, finite)


def _number(value: Any, default: float) -> float:
    found = np.ravel(value) if isinstance(value, int | float | np.generic | np.ndarray) else np.empty(0)
    return float(found[0]) if found.size == 1 and found.dtype.kind in "iuf" else default
