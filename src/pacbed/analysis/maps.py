"""Thickness maps: one prediction per window of a 4D-STEM data set."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.picture.saturation import saturated_in_frames
from pacbed.analysis.predict import analyse
from pacbed.analysis.recording.formats.opening import one_line
from pacbed.analysis.recording.pattern_file import pattern_from_array
from pacbed.analysis.recording.scan_file import ScanData
from pacbed.analysis.result import Result
from pacbed.analysis.steps import check_networks, checked_conditions
from pacbed.bundle.reader import Bundle
from pacbed.errors import FormatError, PacbedError
from pacbed.logs import LOGGER
from pacbed.outputs import folder_aside, write_json

SCHEMA_VERSION = 1
VERDICTS = ("ok", "doubtful", "refused", "unusable")  # the codes of the verdict map; unusable: no pattern to speak of
QUANTITIES = ("thickness_nm", "mistilt_x_mrad", "mistilt_y_mrad")
ARRAYS = ("thickness_nm", "thickness_std_nm", "mistilt_x_mrad", "mistilt_y_mrad", "misfit", "verdict")
MAP_FILES = {"map.json", *(f"{name}.npy" for name in ARRAYS)}
REASONS_KEPT = 10


@dataclass(frozen=True)
class ThicknessMap:
    """Maps over the windows of a scan, each an array of shape (row, column).

    Attributes
    ----------
    thickness_nm, thickness_std_nm : float array
        Thickness and its standard deviation [nm]; NaN where there is none.
    mistilt_x_mrad, mistilt_y_mrad : float array
        Mistilt in the frame of the patterns, x to the right, y down [mrad]; NaN where there is none.
    misfit : float array
        Norm of the residual of the best rendered pattern over that of the pattern without its mean; NaN where there
        is none.
    verdict : uint8 array
        Index into `VERDICTS`.
    """

    thickness_nm: np.ndarray
    thickness_std_nm: np.ndarray
    mistilt_x_mrad: np.ndarray
    mistilt_y_mrad: np.ndarray
    misfit: np.ndarray
    verdict: np.ndarray


class WindowResult(NamedTuple):
    """What became of one window.

    Attributes
    ----------
    result : Result or None
        None where the pattern cannot be used.
    reasons : list of str
        Why not to believe it, without their figures, so that those of many windows can be counted.
    """

    result: Result | None
    reasons: list[str]


def predict_windows(
    bundle: Bundle, scan: ScanData, options: PredictOptions, *, window: int, jobs: int
) -> Iterator[WindowResult]:
    """Predict every window of a scan, row by row.

    Parameters
    ----------
    bundle : Bundle
    scan : ScanData
    options : PredictOptions
        Of every window.
    window : int
        Scan positions averaged along each edge of a window.
    jobs : int
        Windows predicted at once.

    Raises
    ------
    ParameterError
        An option cannot be used: told before the first window. Whatever else goes wrong with a window is a
        `WindowResult` without a result.
    """
    check_networks(bundle, refine=options.refine)
    checked_conditions(bundle, options)
    rows, columns = scan.windows(window)
    windows = [(row, column) for row in range(rows) for column in range(columns)]

    def one(position: tuple[int, int]) -> WindowResult:
        try:
            mean, saturated = _averaged(scan.blocks(*position, window))
            pattern = replace(pattern_from_array(scan.without_bad(mean), source=scan.source), saturated=saturated)
            result = analyse(bundle, pattern, options).result
        except PacbedError as error:
            return WindowResult(None, [_with_dots(str(error).removeprefix(f"{scan.source}: "))])
        except Exception as error:  # damaged chunks and degenerate patterns raise anything; the other windows go on
            LOGGER.debug("window %s", position, exc_info=True)
            return WindowResult(None, [_with_dots(f"cannot be analysed ({one_line(error)})")])
        return WindowResult(result, [_without_figures(reason) for reason in result.reasons])

    # The first alone: it fills what the others share.
    yield from map(one, windows[:1])
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(one, windows[1:])


class _Averaged(NamedTuple):
    """Mean of patterns [counts], and the pixels that were saturated in one or more; shape (y, x)."""

    mean: np.ndarray
    saturated: np.ndarray


def _averaged(blocks: Iterator[np.ndarray]) -> _Averaged:
    """Mean of a window's patterns, from blocks of shape (position, y, x)."""
    total: np.ndarray | float = 0.0
    saturated: np.ndarray | bool = False
    count = 0
    for block in blocks:
        total = total + block.sum(axis=0, dtype=np.float64)
        saturated = saturated | saturated_in_frames(block)
        count += len(block)
    return _Averaged(np.asarray(total / count, dtype=np.float32), np.asarray(saturated))


def gather(results: Sequence[Result | None], shape: tuple[int, int]) -> ThicknessMap:
    """Arrange the results of the windows as maps.

    Parameters
    ----------
    results : sequence of Result or None
        Row by row; None where there is none.
    shape : tuple of int
        Rows and columns of the map.
    """

    def values(name: str, attribute: str = "value") -> np.ndarray:
        estimates = [None if result is None else getattr(result, name) for result in results]
        numbers = [None if one is None else getattr(one, attribute) for one in estimates]
        return np.array([np.nan if number is None else number for number in numbers]).reshape(shape)

    misfits = [None if result is None else result.misfit for result in results]
    verdicts = ["unusable" if result is None else result.verdict for result in results]
    return ThicknessMap(
        **{name: values(name) for name in QUANTITIES},
        thickness_std_nm=values("thickness_nm", "std"),
        misfit=np.array([np.nan if misfit is None else misfit for misfit in misfits]).reshape(shape),
        verdict=np.array([VERDICTS.index(verdict) for verdict in verdicts], dtype=np.uint8).reshape(shape),
    )


def write_map(found: ThicknessMap, facts: dict[str, Any], out_dir: str | Path) -> None:
    """Write the maps and a description into a folder that appears complete or not at all.

    Parameters
    ----------
    found : ThicknessMap
    facts : dict
        Content of ``map.json``: plain JSON values.
    out_dir : path
        Receives one ``.npy`` per attribute of `ThicknessMap`, and ``map.json``.
    """
    with folder_aside(out_dir) as aside:
        for name in ARRAYS:
            np.save(aside / f"{name}.npy", getattr(found, name))
        write_json(facts, aside / "map.json")


def read_map(folder: str | Path) -> ThicknessMap:
    """Read what `map_dataset` wrote.

    Raises
    ------
    FormatError
        The folder holds no complete map.
    """
    try:
        facts = json.loads((Path(folder) / "map.json").read_text(encoding="utf-8"))
        if facts["schema_version"] != SCHEMA_VERSION:
            version = facts["schema_version"]
            raise FormatError(f"map {folder}: got schema_version {version}, accepted: {SCHEMA_VERSION}; update pacbed")
        return ThicknessMap(**{name: np.load(Path(folder) / f"{name}.npy", allow_pickle=False) for name in ARRAYS})
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"map {folder}: damaged or incomplete ({error})") from error


def _with_dots(error: str) -> str:
    """An error with dots for its figures, so that those of many windows can be counted."""
    return re.sub(r"\d+(\.\d+)?", "…", error)


def _without_figures(reason: str) -> str:
    """A reason up to its first figure, so that those of many windows can be counted."""
    for index, character in enumerate(reason):
        if character.isdigit():
            return reason[:index].rstrip(" :(,") or reason
    return reason
