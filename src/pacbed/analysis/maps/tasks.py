"""What workers do: open the data once, and answer for some windows of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from pacbed.analysis.maps.answer import WindowAnswer, answer_of, bright_field
from pacbed.analysis.maps.constants import Constants, FullFit
from pacbed.analysis.maps.window_answer import STARTS, WindowFitter
from pacbed.analysis.maps.window_networks import WindowAsker
from pacbed.analysis.maps.windows import Place, WindowPattern, window_patterns
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import Analysis, analyse
from pacbed.analysis.recording.formats.opening import one_line
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.recording.scan_file import ScanData, open_scan
from pacbed.analysis.steps import checked_conditions
from pacbed.analysis.threads import one_thread
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.errors import PacbedError
from pacbed.logs import LOGGER


@dataclass(frozen=True)
class MapSource:
    """Where windows come from; the same for all tasks of a map.

    Attributes
    ----------
    bundle, data : Path
    options : PredictOptions
        With what the file states; a mask is an array.
    window : int
        Scan positions along each edge of a window.
    token : str
        No other map has it.
    """

    bundle: Path
    data: Path
    options: PredictOptions
    window: int
    token: str


class WindowTask(NamedTuple):
    """Some windows to be answered.

    Attributes
    ----------
    source : MapSource
    places : tuple of Place
    constants : Constants or None
        None asks for fits of all unknowns.
    starts : int
        Places that the library proposes for a window, at most.
    """

    source: MapSource
    places: tuple[Place, ...]
    constants: Constants | None = None
    starts: int = STARTS


class WindowDone(NamedTuple):
    """One window answered.

    Attributes
    ----------
    place : Place
    answer : WindowAnswer
    fit : FullFit or None
        Where all unknowns were fitted.
    """

    place: Place
    answer: WindowAnswer
    fit: FullFit | None = None


class _Opened(NamedTuple):
    bundle: Bundle
    scan: ScanData
    closing: ExitStack


_OPENED: dict[str, _Opened] = {}  # what this process has open: of one map


def opened(source: MapSource, bundle: Bundle | None = None) -> _Opened:
    """Bundle and data of a map, opened once in a process.

    Parameters
    ----------
    source : MapSource
    bundle : Bundle, optional
        If it is open already.
    """
    if source.token not in _OPENED:
        close_all()
        closing, options = ExitStack(), source.options
        scan = closing.enter_context(open_scan(source.data, dataset=options.dataset, scan_shape=options.scan_shape))
        _OPENED[source.token] = _Opened(bundle or load_bundle(source.bundle), scan, closing)
    return _OPENED[source.token]


def close_all() -> None:
    """Close what this process has open."""
    while _OPENED:
        _OPENED.popitem()[1].closing.close()


def run_task(task: WindowTask) -> list[WindowDone]:
    """Answer for some windows; one that cannot be answered says why."""
    with one_thread():
        source = task.source
        bundle, scan, _ = opened(source)
        windows = window_patterns(scan, task.places, source.window)
        if task.constants is None:
            return [_done(source, one, partial(_in_full, bundle, source, one.place)) for one in windows]
        if source.options.refine:
            fitter = _shared(bundle, source, WindowFitter, task.constants)
            return [_done(source, one, partial(_quickly, fitter, one.place, task.starts)) for one in windows]
        return _asked(source, list(windows), _shared(bundle, source, WindowAsker, task.constants))


Shared = TypeVar("Shared", WindowFitter, WindowAsker)


def _shared(bundle: Bundle, source: MapSource, kind: type[Shared], constants: Constants) -> Shared:
    """What the windows of a map share: made once, and kept with the bundle."""
    mask = source.options.mask
    assert mask is None or isinstance(mask, np.ndarray)  # it was read before the first task
    conditions = checked_conditions(bundle, source.options)
    return bundle.recent((kind.__name__, source.token, constants), lambda: kind(bundle, conditions, constants, mask))


def _quickly(fitter: WindowFitter, place: Place, starts: int, pattern: Pattern) -> WindowDone:
    return WindowDone(place, fitter.answer(pattern, starts=starts))


def _in_full(bundle: Bundle, source: MapSource, place: Place, pattern: Pattern) -> WindowDone:
    """A window that is predicted like a single pattern."""
    return _fully(place, analyse(bundle, pattern, replace(source.options, refine=True)))


def _asked(source: MapSource, windows: Sequence[WindowPattern], asker: WindowAsker) -> list[WindowDone]:
    """Windows that the networks are asked about together."""
    answers = iter(asker.answers([one.pattern for one in windows if isinstance(one.pattern, Pattern)]))

    def answered(place: Place, _: Pattern) -> WindowDone:
        answer = next(answers)
        if isinstance(answer, PacbedError):
            raise answer
        return WindowDone(place, answer)

    return [_done(source, one, partial(answered, one.place)) for one in windows]


def _done(source: MapSource, window: WindowPattern, answer: Callable[[Pattern], WindowDone]) -> WindowDone:
    """The answer for a window, or why there is none."""
    place, pattern = window
    try:
        if isinstance(pattern, PacbedError):
            raise pattern
        return answer(pattern)
    except PacbedError as error:
        return WindowDone(place, WindowAnswer(reasons=(str(error).removeprefix(f"{source.data.name}: "),)))
    except Exception as error:  # degenerate patterns raise anything; the other windows go on
        LOGGER.debug("window %s", place, exc_info=True)
        return WindowDone(place, WindowAnswer(reasons=(f"cannot be analysed ({one_line(error)})",)))


def _fully(place: Place, found: Analysis) -> WindowDone:
    """A window that was predicted like a single pattern."""
    answer = answer_of(found.result, found.parameters.center_px, bright_field(found.ready.picture))
    refinement = found.refinement
    if refinement is None:
        return WindowDone(place, answer)
    effects = [one.thickness_std_nm for one in refinement.effects]
    fit = FullFit(
        found.parameters,
        refinement.covariance.matrix,
        bool(found.result.mirrored),
        found.result.verdict,
        float(np.linalg.norm(effects)) if effects else 0.0,
        float(found.matches.mismatch[0]),
    )
    return WindowDone(place, answer, fit)
