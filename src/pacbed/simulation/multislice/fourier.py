"""Fourier transforms of a batch of waves, there and back: FFTW or SciPy on a processor, CuPy on a GPU.

On the small grid of a cell FFTW takes half the time of SciPy: it tries many algorithms and keeps the fastest. Which
one that is depends on timings, and algorithms differ in the last bits. What it kept is therefore stored, for a system
and for the machine, so that blocks and runs agree bit by bit. FFTW comes with abTEM; without it, as where only
bundles are applied, SciPy serves.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import scipy.fft

from pacbed.errors import FormatError
from pacbed.outputs import write_json

log = logging.getLogger(__name__)
FILE = "fft_plans.json"
HAS_FFTW = importlib.util.find_spec("pyfftw") is not None


class WaveTransforms(NamedTuple):
    """Memory for waves, and their transforms along the last two axes; neither divides by the number of points.

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
    """Transforms for waves of one shape (direction, x, y); xp is numpy or cupy."""
    if xp is np and HAS_FFTW:
        return _fftw(shape)
    fft = scipy.fft if xp is np else gpu_fft()
    return WaveTransforms(
        xp.zeros(shape, dtype=np.complex64),
        lambda wave: fft.ifft2(wave, axes=(1, 2), norm="forward", overwrite_x=True),
        lambda wave: fft.fft2(wave, axes=(1, 2), overwrite_x=True),
    )


def _pyfftw() -> ModuleType:
    """The library, without its interface to dask: importing that takes half a second of every block's job."""
    if "pyfftw" not in sys.modules and "dask" not in sys.modules:
        sys.modules["dask"] = None  # type: ignore[assignment]  # makes the import fail, which pyFFTW allows for
        try:
            return importlib.import_module("pyfftw")
        finally:
            del sys.modules["dask"]
    return importlib.import_module("pyfftw")


def _fftw(shape: tuple[int, int, int]) -> WaveTransforms:
    # One axis at a time, read across the rows of one array and written along the rows of the other, and so twice: FFTW
    # then works on neighbouring rows at once and copies nothing. Its own two-dimensional plans take a third longer.
    count, nx, ny = shape
    pyfftw = _pyfftw()
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
    pyfftw = _pyfftw()
    options, flags = {"axes": (2,), "direction": direction}, ("FFTW_PATIENT", "FFTW_DESTROY_INPUT")
    try:
        return pyfftw.FFTW(source, target, flags=(*flags, "FFTW_WISDOM_ONLY"), **options)
    except RuntimeError:
        log.info("FFTW plans its transforms of %s, %s", source.shape, direction)
        return pyfftw.FFTW(source, target, flags=flags, **options)


def save_plans(shape: tuple[int, int, int], folder: str | Path) -> None:
    """Store how waves of one shape are transformed on this machine.

    FFTW is asked once per machine: all runs on it share what it kept, in the user's cache, and agree bit by bit.
    """
    plans = {"library": "scipy"}
    if HAS_FFTW:
        plans = {"library": "fftw", "single_precision": _machine_wisdom(shape)}
    write_json(plans, Path(folder) / FILE)


def _machine_wisdom(shape: tuple[int, int, int]) -> str:
    """FFTW's wisdom for waves of one shape, from the user's cache or newly made and put there."""
    pyfftw = _pyfftw()
    size = "x".join(map(str, shape))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pacbed"
    file = cache / f"fftw_axes_{platform.node()}_{pyfftw.__version__}_{size}.txt"
    pyfftw.forget_wisdom()
    kept = file.read_bytes() if file.is_file() else b""
    if kept and pyfftw.import_wisdom((b"", kept, b""))[1]:
        return kept.decode()
    _fftw(shape)
    wisdom: bytes = pyfftw.export_wisdom()[1]
    aside = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(wisdom)
        os.replace(aside, file)
    except OSError as error:
        log.warning("FFTW's plans are not kept for other runs, whose tables may differ in the last bits: %s", error)
    return wisdom.decode()


def use_plans(folder: str | Path) -> None:
    """Let this process transform waves as `save_plans` found best.

    It plans for itself, once, where the folder has no plans, as in a bundle, or has those of another kind of processor.

    Raises
    ------
    FormatError
        The file is damaged.
    """
    file = Path(folder) / FILE
    if not file.exists():
        return
    try:
        plans = json.loads(file.read_text())
        library, wisdom = plans["library"], plans.get("single_precision", "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{file}: damaged ({error}), accepted: what orient_structure writes") from error
    if library == "fftw" and HAS_FFTW:
        _pyfftw().import_wisdom((b"", wisdom.encode(), b""))


def gpu_fft() -> ModuleType:
    """CuPy's Fourier transforms, with scipy's interface."""
    import cupyx.scipy.fft

    return cupyx.scipy.fft
