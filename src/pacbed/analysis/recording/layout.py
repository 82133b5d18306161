"""Which axes of an array run over scan positions and which over the pixels of a pattern."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from math import prod
from typing import NamedTuple

from pacbed.analysis.recording.stored import SMALLEST_PIXELS, Axis, StoredImage, order_by_name, sizes
from pacbed.analysis.recording.units import parse_unit
from pacbed.errors import PatternError, bad_value

PATTERN_NAME = re.compile(
    r"^(k|q|d|dp|det|detector|camera|diff|diffraction|reciprocal|recip|theta|angle|sig|signal)[ _-]?[xy]$",
    re.IGNORECASE,
)
SCAN_NAME = re.compile(
    r"^((r|s|real|scan|nav|navigation|probe|pos|position)[ _-]?[xy]"
    r"|time|frames?|series_count|image series|positions?|depth)$",
    re.IGNORECASE,
)
ROWS_ARE_X = re.compile(r"^[rq][ _-]?x$", re.IGNORECASE)  # in files of py4DSTEM
FIRST = (0, 1)


class Layout(NamedTuple):
    """Axes of an array by meaning, each a tuple of their numbers: in ascending order, or y before x by their names."""

    scan: tuple[int, ...]
    pattern: tuple[int, ...]


def find_layout(
    image: StoredImage, source: str, *, scan_shape: tuple[int, int] | None = None, framed: bool = False
) -> Layout:
    """Tell scan from pattern by units, names and the file's own word; without any, the last two axes are the pattern.

    Parameters
    ----------
    image : StoredImage
    source : str
        File, for errors.
    scan_shape : tuple of int, optional
        Rows and columns of the scan; decides where the file contradicts itself.
    framed : bool
        One frame is asked for: it may lie along the last axis when no other leaves a pattern.

    Raises
    ------
    PatternError
        The file contradicts itself, or no two axes are long enough.
    """
    axes, shape = image.described_axes(), image.shape
    long = tuple(axis for axis, length in enumerate(shape) if length > 1)
    if len(long) <= 2:  # one pattern; axes of one element have no meaning
        return _ordered(axes, long if len(long) == 2 else tuple(range(len(shape)))[-2:])
    said = _said(axes, len(shape))
    candidates = list(dict.fromkeys(said.values()))
    if not candidates:
        candidates = _unlabelled(shape)
        why = "axes have no names and whose last two are too short for a pattern" if candidates[0] == FIRST else ""
        if [axes[number].scan for number in long].count(False) == 1 and all(axis.scan is not None for axis in axes):
            why = "file makes one axis alone the signal, as of spectra"
        # Of axes that are too short for a pattern, the order need not be known.
        doubt = image.unsure if min(shape[axis] for axis in candidates[1]) >= SMALLEST_PIXELS else ""
        if (doubt or (why and not framed)) and scan_shape is None:
            raise PatternError(
                f"scan_shape: got none for {source} ({sizes(shape)}), whose {doubt or why}, accepted: rows and columns "
                f"of the scan (--scan-shape){'' if doubt else ', or one frame (--frame)'}"
            )
    if scan_shape is not None:
        candidates = [one for one in candidates if _fits(shape, _ordered(axes, one).scan, scan_shape)] or candidates
    if said and len(candidates) > 1:
        got = "none" if scan_shape is None else sizes(scan_shape)
        raise PatternError(
            f"scan_shape: got {got} for {source} ({sizes(shape)}), whose {_quarrel(said, shape)}, accepted: rows and "
            "columns of the scan that leave one of the two"
        )
    return _ordered(axes, candidates[0])


def check_scan_shape(stored: Sequence[int], scan_shape: tuple[int, int] | None) -> None:
    """Refuse a scan shape that is not the file's own, where it has one, nor divides its series of frames.

    Parameters
    ----------
    stored : sequence of int
        Lengths of the scan axes.
    scan_shape : tuple of int, optional
        Rows and columns.

    Raises
    ------
    ParameterError
    """
    long = [length for length in stored if length > 1]
    if scan_shape is None or [length for length in scan_shape if length > 1] == long:
        return
    if prod(scan_shape) != prod(stored) or len(long) > 1:
        many = sizes(stored) if stored else "1"
        raise bad_value("scan_shape", ",".join(map(str, scan_shape)), f"rows and columns of {many} positions")


def _ordered(axes: Sequence[Axis], pattern: tuple[int, ...]) -> Layout:
    """The layout with this pattern: rows are y, whichever of the two the file stores first."""
    scan = tuple(axis for axis in range(len(axes)) if axis not in pattern)
    return Layout(_rows_first(axes, scan), _rows_first(axes, pattern))


def _rows_first(axes: Sequence[Axis], numbers: tuple[int, ...]) -> tuple[int, ...]:
    for one, other in combinations(numbers, 2):
        if order_by_name(axes[one], axes[other]) == "xy" and not ROWS_ARE_X.match(axes[one].name):
            turned = {one: other, other: one}
            return tuple(turned.get(number, number) for number in numbers)
    return numbers


def _said(axes: Sequence[Axis], count: int) -> dict[str, tuple[int, ...]]:
    """Axes of the pattern after units, names and flags, as far as each tells two of them."""
    units = [parse_unit(axis.unit) for axis in axes]
    diffraction = [unit is not None and unit.is_diffraction for unit in units]
    real = [unit is not None and unit.kind in ("length", "time") for unit in units]
    named = [bool(PATTERN_NAME.match(axis.name)) for axis in axes]
    scanned = [bool(SCAN_NAME.match(axis.name)) for axis in axes]
    tellers = {
        "units": (diffraction, real),
        "names": (named, scanned),
        "flags": ([axis.scan is False for axis in axes], [axis.scan is True for axis in axes]),
    }
    found: dict[str, tuple[int, ...]] = {}
    for teller, (pattern, scan) in tellers.items():
        inside, outside = _where(pattern), _where([not one for one in scan])
        if len(inside) == 2:
            found[teller] = inside
        elif not inside and len(outside) == 2 and count > 2:
            found[teller] = outside
    return found


def _where(marks: Sequence[bool]) -> tuple[int, ...]:
    return tuple(number for number, mark in enumerate(marks) if mark)


def _unlabelled(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Pairs of axes that may be the pattern when nobody says: the last two, the first two; those too short last."""
    last = (len(shape) - 2, len(shape) - 1)
    return sorted((last, FIRST), key=lambda pair: min(shape[axis] for axis in pair) < SMALLEST_PIXELS)


def _fits(shape: tuple[int, ...], axes: tuple[int, ...], scan_shape: tuple[int, int]) -> bool:
    scan = [shape[axis] for axis in axes if shape[axis] > 1]
    return scan == [length for length in scan_shape if length > 1] or scan == [prod(scan_shape)]


def _quarrel(said: dict[str, tuple[int, ...]], shape: tuple[int, ...]) -> str:
    """Who says what, for an error."""
    views = []
    for pattern in dict.fromkeys(said.values()):
        tellers = " and ".join(teller for teller, other in said.items() if other == pattern)
        edges = sizes([shape[axis] for axis in pattern])
        views.append(f"{tellers} make axes {pattern[0]} and {pattern[1]} ({edges}) the pattern")
    return " but whose ".join(views)
