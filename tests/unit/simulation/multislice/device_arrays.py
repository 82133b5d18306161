"""A stand-in for CuPy on machines without a GPU: arrays as strict as its own about which memory they lie in."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import scipy.fft
from numpy.lib.mixins import NDArrayOperatorsMixin


class DeviceArray(NDArrayOperatorsMixin):
    """Refuses NumPy's arrays wherever CuPy's do, so that code which mixes the two fails here as well."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    def __array__(self, *_args, **_options):
        raise TypeError("implicit conversion to a NumPy array")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if out is not None:
            options["out"] = tuple(map(inside, out))
        return outside(getattr(ufunc, method)(*map(inside, inputs), **options))

    def __getitem__(self, key):
        return outside(self._values[key_inside(key)])

    def __setitem__(self, key, value):
        self._values[key_inside(key)] = inside(value)

    def __len__(self):
        return len(self._values)

    def __iter__(self):
        return map(outside, self._values)

    def __getattr__(self, name):
        found = getattr(self._values, name)
        if callable(found):
            return lambda *args, **options: outside(found(*map(inside, args), **options))
        return outside(found)

    def get(self) -> np.ndarray:
        """As CuPy: a copy in the memory of the processor."""
        return self._values.copy()


def inside(value):
    """What a device's function works on."""
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError("unsupported type numpy.ndarray")
    return value._values if isinstance(value, DeviceArray) else value


def key_inside(key):
    return tuple(map(inside, key)) if isinstance(key, tuple) else inside(key)


def outside(value):
    """Arrays as those of the device."""
    return DeviceArray(value) if isinstance(value, np.ndarray) else value


def install(monkeypatch) -> None:
    """Let ``import cupy`` and ``import cupyx.scipy.fft`` find the stand-in."""

    def make(function):
        return lambda *args, **options: outside(function(*args, **options))

    def asarray(values, dtype=None):
        return DeviceArray(np.array(values._values if isinstance(values, DeviceArray) else values, dtype=dtype))

    def transform(function):
        return lambda values, **options: outside(function(inside(values), **options))

    runtime = SimpleNamespace(getDeviceCount=lambda: 1)
    cupy = SimpleNamespace(
        asarray=asarray, zeros=make(np.zeros), empty=make(np.empty), cuda=SimpleNamespace(runtime=runtime)
    )
    fft = SimpleNamespace(fft2=transform(scipy.fft.fft2), ifft2=transform(scipy.fft.ifft2))
    cupyx = SimpleNamespace(scipy=SimpleNamespace(fft=fft))
    modules = {"cupy": cupy, "cupyx": cupyx, "cupyx.scipy": cupyx.scipy, "cupyx.scipy.fft": fft}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
