"""Fourier transforms of a batch of waves, there and back: FFTW or SciPy on a processor, CuPy on a GPU.

A wave of Fourier coefficients c(h, k) has the value sum over h, k of c(h, k) exp(2 pi i (h x / nx + k y / ny)) at grid
point (x, y). The transforms are these sums, there with the plus sign and back with the minus sign, without a factor:
there and back multiplies by nx ny.

On the small grid of a cell FFTW takes half the time of SciPy: it tries many algorithms and keeps the fastest. Which
one that is depends on timings, and algorithms differ in the last bits. What it kept is therefore stored with a system's
structure, so that all blocks of its table agree bit by bit. FFTW comes with abTEM; without it, as where only bundles
are applied, SciPy serves.
"""

from __future__ import annotations

import importlib.util
import json
import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import scipy.fft

from pacbed.errors import FormatError
from pacbed.outputs import write_json

log = logging.getLogger(__name__)
PLANS_FILE = "fft_plans.json"
HAS_FFTW = importlib.util.find_spec("pyfftw") is not None


class WaveTransforms(NamedTuple):
    """Memory for waves, and their transforms along the last two axes.

    Attributes
    ----------
    wave : array of complex64, shape (direction, x, y)
        Zero at first; with FFTW both transforms work in this array and take no other.
    to_space, to_frequencies : callable
        Take the waves and return them transformed; what they were given is overwritten.
    """

    wave: Any
    to_space: Callable[[Any], Any]
    to_frequencies: Callable[[Any], Any]


def wave_transforms(shape: tuple[int, int, int], xp: ModuleType = np) -> WaveTransforms:
    """Transforms of waves of one shape.

    Parameters
    ----------
    shape : tuple of int
        Directions propagated together, and grid points along x and y.
    xp : module
        numpy or cupy.
    """
    if xp is np and HAS_FFTW:
        return _fftw(shape)
    fft = scipy.fft if xp is np else gpu_fft()
    return WaveTransforms(
        xp.zeros(shape, dtype=np.complex64),
        lambda wave: fft.ifft2(wave, axes=(1, 2), norm="forward", overwrite_x=True),
        lambda wave: fft.fft2(wave, axes=(1, 2), overwrite_x=True),
    )


def _fftw(shape: tuple[int, int, int]) -> WaveTransforms:
    # One axis at a time, read across the rows of one array and written along the rows of the other, and so twice: FFTW
    # then works on neighbouring rows at once and copies nothing. Its own two-dimensional plans take a third longer.
    import pyfftw  # where it is used: predictions, which transform nothing, need not wait for it

    count, nx, ny = shape
    wave, between = (pyfftw.empty_aligned(size, dtype="complex64") for size in (shape, (count, ny, nx)))
    there, back = (
        [_plan(source.transpose(0, 2, 1), target, direction) for source, target in ((wave, between), (between, wave))]
        for direction in ("FFTW_BACKWARD", "FFTW_FORWARD")
    )
    wave[:] = 0  # planning has used it

    def to_space(_given: Any) -> Any:
        for plan in there:
            plan.execute()
        return wave

    def to_frequencies(_given: Any) -> Any:
        for plan in back:
            plan.execute()
        return wave

    return WaveTransforms(wave, to_space, to_frequencies)


def _plan(source: np.ndarray, target: np.ndarray, direction: str) -> Any:
    """FFTW's plan along the last axis: the one it knows of, or else the fastest it finds within a second or so."""
    import pyfftw

    options, flags = {"axes": (2,), "direction": direction}, ("FFTW_PATIENT", "FFTW_DESTROY_INPUT")
    try:
        return pyfftw.FFTW(source, target, flags=(*flags, "FFTW_WISDOM_ONLY"), **options)
    except RuntimeError:
        log.info("FFTW plans its transforms of %s, %s", source.shape, direction)
        return pyfftw.FFTW(source, target, flags=flags, **options)


def save_plans(shape: tuple[int, int, int], folder: str | Path) -> None:
    """Store how this process transforms waves of one shape, for every other process that works on the same table.

    Parameters
    ----------
    shape : tuple of int
        Directions propagated together, and grid points along x and y.
    folder : path
        Receives ``fft_plans.json``.
    """
    plans = {"library": "scipy"}
    if HAS_FFTW:
        import pyfftw

        _fftw(shape)
        plans = {"library": "fftw", "single_precision": pyfftw.export_wisdom()[1].decode()}
    write_json(plans, Path(folder) / PLANS_FILE)


def use_plans(folder: str | Path) -> None:
    """Let this process transform waves as the one that called `save_plans`.

    It plans for itself, once, where the folder has no plans, as in a bundle, or has those of another kind of processor.

    Parameters
    ----------
    folder : path
        That of ``fft_plans.json``.

    Raises
    ------
    FormatError
        The file is damaged.
    """
    file = Path(folder) / PLANS_FILE
    if not file.exists():
        return
    try:
        plans = json.loads(file.read_text())
        library, wisdom = plans["library"], plans.get("single_precision", "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{file}: damaged ({error}), accepted: what orient_structure writes") from error
    if library == "fftw" and HAS_FFTW:
        import pyfftw

        pyfftw.import_wisdom((b"", wisdom.encode(), b""))


def gpu_fft() -> ModuleType:
    """CuPy's Fourier transforms, with scipy's interface."""
    import cupyx.scipy.fft

    return cupyx.scipy.fft
