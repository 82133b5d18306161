"""Windows of a scan: blocks of neighbouring scan positions, each averaged to one pattern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pacbed.analysis.picture.saturation import saturated_in_frames
from pacbed.analysis.recording.formats.opening import one_line
from pacbed.analysis.recording.mapped import give_back
from pacbed.analysis.recording.pattern_file import Pattern, pattern_from_array
from pacbed.analysis.recording.scan_file import ScanData
from pacbed.errors import PacbedError, PatternError
from pacbed.logs import LOGGER

READ_BYTES = 64e6  # of patterns that are in memory at once, at most, or one row of a window
BLOCK_ROWS, BLOCK_COLUMNS = 4, 16  # windows of a block; which these are, no result depends on


class Place(NamedTuple):
    """Where a window lies in a map."""

    row: int
    column: int


class WindowPattern(NamedTuple):
    """The mean pattern of a window.

    Attributes
    ----------
    place : Place
    pattern : Pattern or PacbedError
        Why there is none, where there is none.
    """

    place: Place
    pattern: Pattern | PacbedError


def blocks_of(shape: tuple[int, int]) -> list[tuple[Place, ...]]:
    """The windows of a map of so many rows and columns, a block of neighbours at a time."""
    rows, columns = shape
    corners = [(row, column) for row in range(0, rows, BLOCK_ROWS) for column in range(0, columns, BLOCK_COLUMNS)]
    return [
        tuple(
            Place(y, x)
            for y in range(row, min(row + BLOCK_ROWS, rows))
            for x in range(column, min(column + BLOCK_COLUMNS, columns))
        )
        for row, column in corners
    ]


def spread_places(shape: tuple[int, int], most: int) -> list[Place]:
    """Places spread evenly over a map of so many rows and columns, each group of neighbours in the list as well.

    Parameters
    ----------
    shape : tuple of int
    most : int
        How many, at most.
    """
    # The additive recurrence of two irrational numbers fills a square without clusters (Roberts, 2018).
    number = np.arange(1, 20 * most)
    root = 1.32471795724474602596
    along = np.stack([(0.5 + number / root) % 1, (0.5 + number / root**2) % 1])
    places = dict.fromkeys(Place(int(v * shape[0]), int(u * shape[1])) for v, u in along.T)
    return list(places)[:most]


def window_patterns(scan: ScanData, places: tuple[Place, ...], window: int) -> Iterator[WindowPattern]:
    """Mean patterns of some windows; one that cannot be read or averaged comes as its error.

    Parameters
    ----------
    scan : ScanData
    places : tuple of Place
        Neighbours along a row are read at once if they follow one another.
    window : int
        Scan positions along each edge of a window.
    """
    for run in _runs(places, _at_once(scan, window)):
        try:
            yield from _averaged(scan, run, window)
        except Exception:  # damaged chunks raise anything: one by one, so that the sound ones are not lost
            LOGGER.debug("windows from %s on", run[0], exc_info=True)
            yield from (_alone(scan, place, window) for place in run)
        give_back(scan.values)


def _at_once(scan: ScanData, window: int) -> int:
    """Windows of a row whose patterns may be in memory together."""
    bytes_of_one = np.prod(scan.pattern_shape) * (8 + window * np.dtype(scan.values.dtype).itemsize)
    return max(1, int(READ_BYTES / bytes_of_one))


def _runs(places: tuple[Place, ...], longest: int) -> Iterator[list[Place]]:
    run: list[Place] = []
    for place in places:
        if run and (place != (run[-1].row, run[-1].column + 1) or len(run) == longest):
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _alone(scan: ScanData, place: Place, window: int) -> WindowPattern:
    try:
        return next(_averaged(scan, [place], window))
    except PacbedError as error:
        return WindowPattern(place, error)
    except Exception as error:
        return WindowPattern(place, PatternError(f"{scan.source}: cannot be read ({one_line(error)})"))


def _averaged(scan: ScanData, run: list[Place], window: int) -> Iterator[WindowPattern]:
    """Mean patterns of neighbours in a row; a pixel that is saturated in one frame counts as saturated."""
    rows, columns = scan.scan_shape
    first = run[0]
    across = slice(first.column * window, min((run[-1].column + 1) * window, columns))
    starts = np.arange(0, across.stop - across.start, window)
    total = np.zeros((len(run), *scan.pattern_shape))
    saturated = np.zeros(total.shape, dtype=bool)
    down = range(first.row * window, min((first.row + 1) * window, rows))
    for y in down:
        line = scan.line(y, across)
        for index, start in enumerate(starts):
            frames = line[start : start + window]
            total[index] += frames.sum(axis=0, dtype=np.float64)
            saturated[index] |= saturated_in_frames(frames)
    for index, place in enumerate(run):
        count = len(down) * min(window, across.stop - across.start - starts[index])
        try:
            pattern = pattern_from_array(scan.without_bad(total[index] / count), source=scan.source)
            yield WindowPattern(place, replace(pattern, saturated=saturated[index]))
        except PacbedError as error:
            yield WindowPattern(place, error)
