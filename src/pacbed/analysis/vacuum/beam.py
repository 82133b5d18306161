"""The beam as a vacuum pattern shows it: read from a file, refused where it is no bare, unsaturated disk."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.picture.repair import repair
from pacbed.analysis.recording.pattern_file import pattern_from_array, read_pattern
from pacbed.analysis.vacuum.disk import VacuumDisk, fit_disk
from pacbed.errors import PatternError, bad_value

LARGEST_MISFIT = 0.12  # beyond noise; fringes of a specimen, even of a few nanometres, leave more
CLIPPED_PIXELS = 4  # at the largest value, and twice as many as at the next below it


@dataclass(frozen=True)
class Beam:
    """The beam that a pattern was recorded with.

    Attributes
    ----------
    disk : VacuumDisk
        As fitted to the vacuum pattern.
    counts : float
        Of the whole beam in the exposure of the pattern.
    zero_loss_nm : tuple of float or None
        Mean free path of inelastic scattering and its standard deviation, for a pattern filtered for zero loss [nm].
    source : str
        File name of the vacuum pattern.
    """

    disk: VacuumDisk
    counts: float
    zero_loss_nm: tuple[float, float] | None
    source: str


def read_beam(options: PredictOptions, shape: tuple[int, int], mask: np.ndarray | None = None) -> Beam | None:
    """The beam of the options; None where they name no vacuum pattern.

    Parameters
    ----------
    options : PredictOptions
    shape : tuple of int
        Rows and columns of the pattern: the vacuum pattern was recorded by the same camera in the same mode.
    mask : bool array, shape (y, x), optional
        Pixels that the user does not want used, such as those behind a beam stop.

    Raises
    ------
    PatternError, ParameterError
        The file cannot be read, is of another shape, saturated, or no bare disk; or a number cannot be used.
    """
    _check_numbers(options)
    if options.vacuum is None:
        return None
    given = options.vacuum
    try:
        recorded = pattern_from_array(given) if isinstance(given, np.ndarray) else read_pattern(given)
    except PatternError as error:
        raise PatternError(f"vacuum: {error}") from error
    name, array = recorded.source, recorded.array
    if array.shape != shape:
        raise bad_value("vacuum", name, f"a pattern of the same camera: {shape}, not {array.shape} pixels")
    repaired = repair(array, masked=mask)
    sound = repaired.used | repaired.saturated  # hot pixels have a ceiling of their own
    clipped = clipped_pixels(array[sound]) or int(repaired.saturated.sum())
    if clipped:
        raise bad_value("vacuum", name, f"a pattern without saturated pixels, not {clipped} of them: expose shorter")
    # What looks like padding about a bare disk is a dark field without a count, hot pixels in it apart.
    dark = 0.0 if repaired.seen.all() else float(np.nanmedian(array[~repaired.seen]))
    disk = fit_disk(np.where(repaired.seen, repaired.array, dark))
    left = disk.misfit_beyond_noise
    if not left <= LARGEST_MISFIT:
        accepted = f"a bare disk: a misfit up to {LARGEST_MISFIT:g} beyond noise, not {left:.2f}; is a specimen in it?"
        raise bad_value("vacuum", name, accepted)
    return Beam(disk, disk.counts * options.exposure_ratio, options.zero_loss_nm, name)


def clipped_pixels(array: np.ndarray) -> int:
    """Pixels at a ceiling, or 0: the largest value is where the tail of a histogram is thinnest, unless clipped.

    Parameters
    ----------
    array : float array, of any shape
        Counts.
    """
    values, count = np.unique(array[np.isfinite(array)], return_counts=True)
    many = len(values) > 1 and count[-1] >= CLIPPED_PIXELS and count[-1] >= 2 * count[-2]
    return int(count[-1]) if many else 0


def _check_numbers(options: PredictOptions) -> None:
    if not (isfinite(options.exposure_ratio) and options.exposure_ratio > 0):
        raise bad_value("exposure_ratio", options.exposure_ratio, "a number above 0: exposure of pattern over vacuum's")
    if options.vacuum is None and (options.zero_loss_nm is not None or options.exposure_ratio != 1):
        raise bad_value("vacuum", None, "a vacuum pattern, which zero_loss and exposure_ratio refer to")
    if options.zero_loss_nm is not None:
        path, std = options.zero_loss_nm
        if not (isfinite(path) and path > 0 and 0 <= std < path):
            raise bad_value("zero_loss", options.zero_loss_nm, "a mean free path above 0 and its error [nm]")
