"""From windows to a map: full fits of a few, quick fits of all, once more where a fit stands out.

Windows that touch a hole are then fitted in full, and a map of few windows is throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.maps.answer import REFUSED, VERDICTS, WindowAnswer
from pacbed.analysis.maps.constants import Constants, FullFit, find_constants
from pacbed.analysis.maps.tasks import MapSource, WindowDone, WindowTask, run_task
from pacbed.analysis.maps.windows import Place, blocks_of, spread_places
from pacbed.analysis.maps.workers import done_by
from pacbed.logs import progress
from pacbed.outputs import KeptLines

FEW_WINDOWS = 24  # of which each is fitted in full
FULL_FITS, MOST_TRIED = 12, 48  # that shall be ok, and windows that are tried for them
RISES = 1.6  # coarse chi-square over the median about it, and over 1, from which a window is fitted anew
ABOUT = 5  # windows along the edge of what a window is compared with
MORE_STARTS = 8
MOST_EDGE = 400  # windows at the edge of a hole that are fitted in full, unless there are more
BESIDE = "beside vacuum, of which it may hold a part, and not fitted in full"


@dataclass
class MapAnswers:
    """What became of the windows so far.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the map.
    answers : dict of Place to WindowAnswer
    constants : Constants or None
        None where each window was fitted in full, or none could be.
    again : int
        Windows that were fitted anew.
    """

    shape: tuple[int, int]
    answers: dict[Place, WindowAnswer] = field(default_factory=dict)
    constants: Constants | None = None
    again: int = 0

    def values(self, name: str) -> np.ndarray:
        """One number of each window, shape (row, column); verdicts as indices into `VERDICTS`."""
        if name == "verdict":
            found = np.full(self.shape, VERDICTS.index("unusable"), np.uint8)
            for place, answer in self.answers.items():
                found[place] = VERDICTS.index(answer.verdict)
            return found
        numbers = np.full(self.shape, np.nan)
        for place, answer in self.answers.items():
            numbers[place] = getattr(answer, name)
        return numbers


class KeptAnswers:
    """Windows that were answered, in a file that a run which was stopped goes on from.

    Parameters
    ----------
    file : path
    made_for : mapping
        Whatever the answers depend on.
    """

    def __init__(self, file: Path, made_for: Mapping[str, Any]) -> None:
        self._lines = KeptLines(file, made_for)

    def of(self, stage: str) -> dict[Place, WindowDone]:
        """What was kept of a stage."""
        return {
            Place(*row["place"]): WindowDone(Place(*row["place"]), _answer(row["answer"]), _full_fit(row["fit"]))
            for row in self._lines.rows
            if row["stage"] == stage
        }

    def keep(self, stage: str, done: Sequence[WindowDone]) -> None:
        """Keep some more."""
        self._lines.append(
            {
                "stage": stage,
                "place": list(one.place),
                "answer": asdict(one.answer),
                "fit": None if one.fit is None else {**asdict(one.fit), "covariance": one.fit.covariance.tolist()},
            }
            for one in done
        )


def _answer(row: dict[str, Any]) -> WindowAnswer:
    return WindowAnswer(**{**row, "reasons": tuple(row["reasons"])})


def _full_fit(row: dict[str, Any] | None) -> FullFit | None:
    if row is None:
        return None
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row["parameters"].items()
    }
    return FullFit(**{**row, "parameters": PatternParameters(**values), "covariance": np.array(row["covariance"])})


class MapPasses:
    """The passes over a map.

    Parameters
    ----------
    source : MapSource
    shape : tuple of int
        Rows and columns of the map.
    period_deg : float
        Rotation that the crystal's symmetry leaves undetermined [deg].
    executor : Executor or None
        Of `pacbed.analysis.maps.workers`.
    kept : KeptAnswers
    """

    def __init__(
        self,
        source: MapSource,
        shape: tuple[int, int],
        period_deg: float,
        executor: Executor | None,
        kept: KeptAnswers,
    ) -> None:
        self._source, self._shape, self._period = source, shape, period_deg
        self._executor, self._kept = executor, kept

    def run(self) -> MapAnswers:
        """Answer for every window."""
        found = MapAnswers(self._shape)
        rows, columns = self._shape
        everywhere = tuple(Place(row, column) for row in range(rows) for column in range(columns))
        if len(everywhere) <= FEW_WINDOWS and self._source.options.refine:
            self._answer(found, "full", [WindowTask(self._source, (place,)) for place in everywhere], "windows")
            return found
        found.constants = self._constants(found)
        if found.constants is None:
            tried = f"none of {min(len(everywhere), MOST_TRIED)} windows spread over the map could be fitted"
            found.answers = {place: WindowAnswer(reasons=(tried,)) for place in everywhere} | found.answers
            return found
        tasks = [WindowTask(self._source, block, found.constants) for block in blocks_of(self._shape)]
        self._answer(found, "quick", tasks, "windows")
        odd = standing_out(found)
        self._answer(
            found,
            "again",
            [WindowTask(self._source, (place,), found.constants, MORE_STARTS) for place in odd],
            "windows again",
        )
        found.again = len(odd)
        self._look_at_edges(found)
        return found

    def _look_at_edges(self, found: MapAnswers) -> None:
        """Fit windows beside vacuum in full; where they are too many, or networks answer alone, doubt them."""
        edge, quick = beside_vacuum(found), dict(found.answers)
        if not self._source.options.refine or len(edge) > MOST_EDGE:
            why = "too many are" if self._source.options.refine else "networks alone cannot tell"
            found.answers |= {place: _doubted(quick[place], f"{BESIDE}: {why}") for place in edge}
            return
        self._answer(found, "full", [WindowTask(self._source, (place,)) for place in edge], "windows at the edge")
        for place in edge:  # residuals of one resolution throughout, so that they can be compared
            before = quick[place]
            found.answers[place] = replace(found.answers[place], misfit=before.misfit, chi_square=before.chi_square)

    def _constants(self, found: MapAnswers) -> Constants | None:
        """From full fits of windows spread over the map, until enough of them are ok."""
        fits: list[FullFit] = []
        spread = spread_places(self._shape, MOST_TRIED)
        for first in range(0, len(spread), FULL_FITS):
            tasks = [WindowTask(self._source, (place,)) for place in spread[first : first + FULL_FITS]]
            fits += [one.fit for one in self._answer(found, "full", tasks, "full fits") if one.fit is not None]
            if sum(fit.verdict == "ok" for fit in fits) >= FULL_FITS - 2:
                break
        return find_constants(fits, self._period)

    def _answer(self, found: MapAnswers, stage: str, tasks: Sequence[WindowTask], label: str) -> list[WindowDone]:
        """Do what was not done before; `found` receives the answers, of quick fits only the better ones."""
        before = self._kept.of(stage)
        wanted = {place for task in tasks for place in task.places}
        left = [
            replaced
            for task in tasks
            if (replaced := task._replace(places=tuple(place for place in task.places if place not in before))).places
        ]
        done = [one for place, one in before.items() if place in wanted]

        def fresh() -> Iterator[WindowDone]:
            for group in done_by(self._executor, run_task, left):
                self._kept.keep(stage, group)
                yield from group

        count = sum(len(task.places) for task in left)
        done += list(progress(fresh(), count, label)) if left else []
        done.sort(key=lambda one: one.place)
        for place, answer, _ in done:
            if stage != "again" or _better(answer, found.answers[place]):
                found.answers[place] = answer
        return done


def _better(answer: WindowAnswer, before: WindowAnswer) -> bool:
    return bool(answer.misfit < before.misfit)


def _doubted(answer: WindowAnswer, reason: str) -> WindowAnswer:
    verdict = "doubtful" if answer.verdict == "ok" else answer.verdict
    return replace(answer, verdict=verdict, reasons=(*answer.reasons, reason))


def standing_out(found: MapAnswers) -> list[Place]:
    """Windows whose residual has more structure than those about them: they may have ended in a wrong basin."""
    chi, verdict = found.values("chi_square"), found.values("verdict")
    seen = np.isfinite(chi) & (verdict != VERDICTS.index("vacuum"))
    if not seen.any():
        return []
    usual = float(np.median(chi[seen & (verdict < REFUSED)])) if (seen & (verdict < REFUSED)).any() else 1.0
    about = ndimage.generic_filter(np.where(seen, chi, np.nan), _median, size=ABOUT, mode="constant", cval=np.nan)
    odd = seen & (chi > RISES * np.maximum(1.0, np.minimum(about, max(usual, 1.0))))
    return [Place(int(row), int(column)) for row, column in np.argwhere(odd)]


def beside_vacuum(found: MapAnswers) -> list[Place]:
    """Windows with a crystal that touch one without: a part of them may be vacuum, which only a full fit sees."""
    verdict = found.values("verdict")
    vacuum = verdict == VERDICTS.index("vacuum")
    edge = ndimage.binary_dilation(vacuum, np.ones((3, 3))) & (verdict < REFUSED)
    return [Place(int(row), int(column)) for row, column in np.argwhere(edge)]


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 1.0
