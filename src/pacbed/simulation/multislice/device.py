"""Where waves are propagated: NumPy on the CPU, CuPy on a GPU."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from pacbed.errors import SimulationError

DEVICES = ("cpu", "gpu")


def array_module(device: str) -> ModuleType:
    """NumPy, or CuPy once it is certain that it can work.

    Parameters
    ----------
    device : {"cpu", "gpu"}

    Raises
    ------
    SimulationError
        CuPy or a GPU is missing.
    """
    if device not in DEVICES:
        raise SimulationError(f"device: got {device!r}, accepted: one of {DEVICES}")
    if device == "cpu":
        return np
    try:
        import cupy
    except ImportError as error:
        raise SimulationError(
            f"device: got 'gpu' without CuPy ({error}), accepted: cpu, or gpu with the extra `gpu` installed"
        ) from error
    try:
        found = int(cupy.cuda.runtime.getDeviceCount())
    except RuntimeError as error:  # no driver, or one too old for this CuPy
        raise SimulationError(f"device: got 'gpu' but CUDA fails ({error}), accepted: cpu, or a working GPU") from error
    if not found:
        raise SimulationError("device: got 'gpu' but there is none, accepted: cpu, or a machine with a GPU")
    module: ModuleType = cupy
    return module
