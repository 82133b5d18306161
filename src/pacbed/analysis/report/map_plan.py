"""What a map is made of, settled before the first window: options, window, how evenly it averages."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.maps.uniformity import Uniformity, uniformity, window_of_a_cell
from pacbed.analysis.options import DEFAULT_OPTIONS, PredictOptions
from pacbed.analysis.picture.mask_file import mask_name, read_mask
from pacbed.analysis.recording.scan_file import ScanData, open_scan
from pacbed.analysis.steps import check_networks, checked_conditions
from pacbed.analysis.vacuum.beam import read_beam
from pacbed.bundle.reader import Bundle
from pacbed.errors import bad_value
from pacbed.logs import LOGGER, installed_versions

CELL = "cell"  # the window that averages over one cell of the crystal
UNEVEN = 0.1  # of `Uniformity.worst`: above it the average depends on where in the cell the windows lie


@dataclass(frozen=True)
class MapSettings:
    """How a scan is divided, and who does the work.

    Attributes
    ----------
    window : int or "cell"
        Scan positions averaged along each edge of a window, or as many as cover one cell of the crystal.
    jobs : int
        Processes.
    scheduler : str or None
        Address of a dask scheduler, whose workers are used instead.
    scan_step_nm : float or None
        Distance of neighbouring scan positions [nm]; by default what the file states.
    """

    window: int | str = 1
    jobs: int = 1
    scheduler: str | None = None
    scan_step_nm: float | None = None


@dataclass(frozen=True)
class MapPlan:
    """What is known of a map before its first window.

    Attributes
    ----------
    options : PredictOptions
        With what the file states; a mask is an array.
    told : dict
        What the map says of them.
    window : int
        Scan positions along the edge of a window.
    shape, scan_shape : tuple of int
        Rows and columns of map and scan.
    step_nm : float or None
        Distance of neighbouring scan positions [nm].
    evenness : Uniformity or None
        None where that distance is not known.
    token : str
        Stands for all that the answers depend on.
    """

    options: PredictOptions
    told: dict[str, Any]
    window: int
    shape: tuple[int, int]
    scan_shape: tuple[int, int]
    step_nm: float | None
    evenness: Uniformity | None
    token: str


def plan_map(bundle: Bundle, data: Path, options: PredictOptions, settings: MapSettings) -> MapPlan:
    """Settle all that can be known before the first window.

    Parameters
    ----------
    bundle : Bundle
    data : Path
        4D-STEM data, see `open_scan`.
    options : PredictOptions
    settings : MapSettings

    Raises
    ------
    PatternError, ParameterError, FormatError
        The data, an option or the bundle cannot be used.
    """
    if settings.jobs < 1:
        raise bad_value("jobs", settings.jobs, "a whole number, 1 or more")
    step = settings.scan_step_nm
    if step is not None and not (np.isfinite(step) and step > 0):
        raise bad_value("scan_step_nm", step, "a number above 0 [nm]")
    with open_scan(data, dataset=options.dataset, scan_shape=options.scan_shape) as scan:
        if scan.is_series and options.scan_shape is None:
            count = scan.scan_shape[1]
            accepted = f"rows and columns of its {count} patterns, which lie in a series; 1,{count} if it is a line"
            raise bad_value("scan_shape", None, accepted)
        known = _known(options, scan, bundle)
        told = _told(known)
        # Read once, and refused before the first window.
        mask = None if known.mask is None else read_mask(known.mask, scan.pattern_shape)
        known = replace(known, mask=mask)
        read_beam(known, scan.pattern_shape, mask)
        step = scan.step_nm if step is None else step
        window = _window(settings.window, scan, bundle, step)
        shape, scan_shape = scan.windows(window), scan.scan_shape
    evenness = None if step is None else uniformity(bundle.table, window, step)
    _warn(evenness)
    return MapPlan(known, told, window, shape, scan_shape, step, evenness, _token(bundle, data, told, window, options))


def _known(options: PredictOptions, scan: ScanData, bundle: Bundle) -> PredictOptions:
    """The options with what the file states, once it is seen that the bundle can answer that."""
    known, meta = options.or_stated(scan.calibration, bundle.meta.energy_kev), bundle.meta
    check_networks(bundle, refine=known.refine)
    checked_conditions(bundle, known)
    energy = known.energy_kev
    if energy is not None and abs(energy / meta.energy_kev - 1) > meta.thresholds.energy_relative:
        raise bad_value("energy_kev", energy, f"the bundle's beam energy, {meta.energy_kev:g} kV")
    if known.vacuum is None or isinstance(known.vacuum, np.ndarray):
        return known
    return replace(known, vacuum=Path(known.vacuum).absolute())


def _window(asked: int | str, scan: ScanData, bundle: Bundle, step_nm: float | None) -> int:
    """Scan positions along the edge of a window."""
    rows, columns = scan.scan_shape
    if asked == CELL:
        if step_nm is None:
            raise bad_value("scan_step_nm", None, "a number above 0 [nm]: the file does not state the scan's steps")
        window = window_of_a_cell(bundle.table, step_nm)
    else:
        window = int(asked)
    if not 1 <= window <= max(rows, columns):
        raise bad_value("window", window, f"a whole number of scan positions from 1 to {max(rows, columns)}")
    return window


def _warn(evenness: Uniformity | None) -> None:
    if evenness is not None and evenness.worst > UNEVEN:
        LOGGER.warning(
            "a window of %g nm averages unevenly over the cell of %g nm: up to %.0f %% of its strongest modulation are "
            "left; a window of %d positions or more leaves less than %.0f %%",
            evenness.window_nm, evenness.cell_nm, 100 * evenness.worst, evenness.enough, 100 * UNEVEN,
        )  # fmt: skip


def _token(bundle: Bundle, data: Path, told: dict[str, Any], window: int, options: PredictOptions) -> str:
    """A word that stands for all that the answers depend on."""
    stat = data.stat()
    facts = {
        "bundle": bundle.sha256,
        "data": [str(data.absolute()), stat.st_size, stat.st_mtime_ns],
        "options": [told, options.dataset, options.scan_shape, _digest(options.vacuum), _digest(options.mask)],
        "window": window,
        "versions": installed_versions(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _digest(given: Any) -> str:
    """A file's name, or what an array holds."""
    return hashlib.sha256(given.tobytes()).hexdigest() if isinstance(given, np.ndarray) else str(given)


def _told(options: PredictOptions) -> dict[str, Any]:
    """The calibration, and those of the other options that are not as usual."""
    told: dict[str, Any] = {
        "convergence_mrad": options.convergence_mrad,
        "energy_kev": options.energy_kev,
        "pixel_mrad": options.pixel_mrad,
    }
    if options.mask is not None:
        told["mask"] = mask_name(options.mask)
    if options.vacuum is not None:
        told["vacuum"] = "part of the scan" if isinstance(options.vacuum, np.ndarray) else Path(options.vacuum).name
    others = {"mirrored": options.mirrored, "refine": options.refine}
    return told | {name: value for name, value in others.items() if value != getattr(DEFAULT_OPTIONS, name)}
