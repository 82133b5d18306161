"""A recording as a prediction would use it: what is in the file, what is repaired, what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pacbed.analysis.picture.examine import Picture, examine
from pacbed.analysis.recording.formats.opening import one_line
from pacbed.analysis.recording.metadata import OBLONG_TOLD, Calibration
from pacbed.analysis.recording.pattern_file import SEVERAL, Pattern, pattern_from_array, read_pattern
from pacbed.analysis.recording.scan_file import ScanData, open_scan
from pacbed.analysis.recording.stored import NO_IMAGE
from pacbed.errors import PatternError
from pacbed.outline import Outline

LOOKED_AT = 8  # scan positions along each edge, of which the mean is shown


@dataclass(frozen=True)
class ScanLook:
    """A glance at a scan.

    Attributes
    ----------
    shape : tuple of int
        Scan positions (y, x).
    kind : str
        Type of the values.
    gigabytes : float
        Size of all patterns.
    brightness : float array, shape (y, x)
        Mean count at the positions looked at; NaN where a pattern could not be read.
    trouble : str
        Why the first of these could not, or empty.
    series : bool
        Nobody says how the positions lie.
    """

    shape: tuple[int, int]
    kind: str
    gigabytes: float
    brightness: np.ndarray
    trouble: str = ""
    series: bool = False


@dataclass(frozen=True)
class Look:
    """A recording as a prediction would use it.

    Attributes
    ----------
    pattern : Pattern
        As it was read; of a scan the mean of the positions looked at.
    picture : Picture
        Repaired, with its bright region.
    scan : ScanLook or None
        None for a single pattern.
    """

    pattern: Pattern
    picture: Picture
    scan: ScanLook | None = None

    @property
    def array(self) -> np.ndarray:
        """Repaired counts, float32, shape (y, x)."""
        return self.picture.array

    @property
    def defects(self) -> int:
        """Pixels replaced."""
        return self.picture.defects

    @property
    def outline(self) -> Outline:
        """The bright region."""
        return self.picture.outline


def look_at(
    path: Path,
    *,
    dataset: str | None = None,
    frame: tuple[int, ...] | None = None,
    scan_shape: tuple[int, int] | None = None,
) -> Look:
    """Read a pattern, or some of the patterns of a scan, and prepare it as a prediction does.

    Parameters
    ----------
    path : Path
        File, or folder of a Zarr array.
    dataset : str, optional
        Which data set of a file that holds several.
    frame : tuple of int, optional
        One pattern of a scan or series, instead of a glance at the whole.
    scan_shape : tuple of int, optional
        Rows and columns of a scan that the file holds as one series, or describes in contradictory ways.

    Raises
    ------
    PatternError
        It is neither.
    """
    try:
        return look_over(read_pattern(path, dataset=dataset, frame=frame, scan_shape=scan_shape))
    except PatternError as refused:
        if NO_IMAGE in str(refused) or frame is not None:  # then there is no scan either, or none is asked for
            raise
        try:
            return _look_at_scan(path, dataset, scan_shape)
        except PatternError:
            if SEVERAL in str(refused):  # it is a scan, and what is wrong with that counts
                raise
            raise refused from None


def _look_at_scan(path: Path, dataset: str | None, scan_shape: tuple[int, int] | None) -> Look:
    with open_scan(path, dataset=dataset, scan_shape=scan_shape) as scan:
        mean, glance = _glance(scan)
        glance = replace(glance, series=scan.is_series and scan_shape is None)
        pattern = pattern_from_array(mean, source=scan.source)
        return look_over(replace(pattern, calibration=scan.calibration), glance)


def look_over(pattern: Pattern, scan: ScanLook | None = None) -> Look:
    """Prepare a pattern that was read as a prediction does.

    Parameters
    ----------
    pattern : Pattern
    scan : ScanLook, optional
        Where it is the mean of some positions.

    Raises
    ------
    PatternError
        Nothing bright is in it.
    """
    picture = examine(pattern)
    if np.ptp(picture.array) <= 0:
        raise PatternError(
            f"{pattern.source}: got no bright region after repair of {picture.defects} pixels, accepted: a pattern"
        )
    return Look(pattern, picture, scan)


def _glance(scan: ScanData) -> tuple[np.ndarray, ScanLook]:
    """Mean pattern and brightness of evenly spread positions: a scan may be too large to be read as a whole."""
    rows, columns = (np.unique(np.linspace(0, n - 1, LOOKED_AT).round().astype(int)) for n in scan.scan_shape)
    brightness = np.full((len(rows), len(columns)), np.nan)
    patterns, trouble = [], ""
    for at in np.ndindex(brightness.shape):
        try:
            patterns.append(scan.mean(int(rows[at[0]]), int(columns[at[1]]), 1))
            brightness[at] = patterns[-1].mean()
        except Exception as error:  # as in a map: a damaged position is a hole
            trouble = trouble or one_line(error)
    if not patterns:
        raise PatternError(f"{scan.source}: no position can be read ({trouble})")
    dtype = np.dtype(scan.values.dtype)
    gigabytes = np.prod([float(n) for n in scan.values.shape]) * dtype.itemsize / 1e9
    look = ScanLook(scan.scan_shape, str(dtype), float(gigabytes), brightness, trouble)
    return np.asarray(np.mean(patterns, axis=0, dtype=np.float64)), look


def recorded_lines(look: Look) -> list[str]:
    """What a prediction would use, and what it would miss, one fact a line."""
    array, outline, stated = look.array, look.outline, look.pattern.calibration
    (ny, nx), (cx, cy) = array.shape, outline.center_px
    values = f"values {array.min():g} to {array.max():g}, {look.defects} defective"
    if look.scan is None:
        first = [f"pattern {look.pattern.source}: {nx} x {ny} pixels, {values}"]
    else:
        first = [*_scan_lines(look, look.scan), f"their mean: {values}"]
    width = f"radius {outline.radius_px:.1f} pixels"
    if stated.pixel_mrad is not None:
        width += f" = {outline.radius_px * stated.pixel_mrad:.2f} mrad"
    region = (
        f"bright region: centre ({cx:.1f}, {cy:.1f}), {width}, {100 * outline.inside:.0f} % of its rim in the frame"
    )
    saturated = look.picture.saturated_share
    return [
        *first,
        f"the file states: {_stated(stated) or 'no calibration'}",
        region,
        *([f"saturated: {100 * saturated:.2g} % of the bright region"] if saturated else []),
        *_missing_lines(stated),
    ]


def _scan_lines(look: Look, scan: ScanLook) -> list[str]:
    (rows, columns), (ny, nx) = scan.shape, look.array.shape
    read = np.isfinite(scan.brightness)
    lines = [
        f"scan {look.pattern.source}: {columns} x {rows} positions of {nx} x {ny} pixels (axes: scan y, scan x, y, x), "
        f"{scan.kind}, {scan.gigabytes:.3g} GB",
        f"looked at: {read.sum()} of {rows * columns} positions",
    ]
    if not read.all():
        lines.append(f"not readable: {(~read).sum()} of those chosen ({scan.trouble})")
    if scan.series:
        lines.append("one series of frames: pacbed map needs --scan-shape, pacbed predict --frame")
    return lines


def _stated(calibration: Calibration) -> str:
    angle, frequency = (calibration.pixel_mrad, "mrad"), (calibration.pixel_per_nm, "1/nm")
    known = {
        "pixel": frequency if calibration.pixel_mrad is None else angle,
        "beam energy": (calibration.energy_kev, "kV"),
        "convergence": (calibration.convergence_mrad, "mrad"),
    }
    said = [f"{name} {value:.4g} {unit}" for name, (value, unit) in known.items() if value is not None]
    if calibration.oblong > OBLONG_TOLD:
        said.insert(1, f"oblong by {100 * (calibration.oblong - 1):.1f} %")
    return ", ".join([*([f"no usable pixel: {calibration.trouble}"] if calibration.trouble else []), *said])


def _missing_lines(calibration: Calibration) -> list[str]:
    """What is not in the file, and what happens without."""
    missing = []
    if calibration.convergence_mrad is None:
        missing.append("semi-convergence angle (needed: --convergence-mrad)")
    if calibration.energy_kev is None:
        missing.append("beam energy (the bundle's is assumed; --energy-kev)")
    if calibration.trouble:
        missing.append("usable pixel size (needed: --pixel-mrad)")
    elif calibration.pixel_mrad is None and calibration.pixel_per_nm is None:
        missing.append("pixel size (found from the pattern; --pixel-mrad)")
    return [f"missing: {', '.join(missing)}"] if missing else []
