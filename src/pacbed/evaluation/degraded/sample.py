"""The patterns of the benchmark: which specimen, what happens to it, by number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pacbed.evaluation.degraded.kinds import KINDS, Kind, as_it_is, ordinary
from pacbed.evaluation.degraded.optics import Area
from pacbed.evaluation.degraded.recording import Recording, record
from pacbed.evaluation.degraded.settings import Degradation

ORDINARY = Kind("ordinary", as_it_is)
BLOCK = 4  # of numbers in a row: two are ordinary, one of each half, and two of one kind


class Case(NamedTuple):
    """A pattern before it is recorded.

    Attributes
    ----------
    number : int
    kind : Kind
    specimen : int
        Index among the specimens.
    how : Degradation
    """

    number: int
    kind: Kind
    specimen: int
    how: Degradation


def case(number: int, kinds_of_specimens: Sequence[str], *, seed: int) -> Case:
    """The pattern of a number; even ones are the half that thresholds come from, odd ones that of the figures.

    Parameters
    ----------
    number : int
    kinds_of_specimens : sequence of str
        What there is.
    seed : int
    """
    block, place = divmod(number, BLOCK)
    kind = ORDINARY if place < BLOCK // 2 else KINDS[block % len(KINDS)]
    return of_kind(kind, number, kinds_of_specimens, seed=seed)


def of_kind(kind: Kind, number: int, kinds_of_specimens: Sequence[str], *, seed: int) -> Case:
    """The pattern of a number, of one kind; arguments as for `case`."""
    rng = np.random.default_rng([seed, number])
    there = [index for index, one in enumerate(kinds_of_specimens) if one == kind.specimen]
    specimen = there[int(rng.integers(len(there)))]
    return Case(number, kind, specimen, kind.change(ordinary(rng), rng))


def recorded(one: Case, areas: Sequence[Area], folder: Path, *, seed: int) -> Recording:
    """Record the pattern of a case into a folder; the same at every call."""
    rng = np.random.default_rng([seed, one.number, 1])
    return record(areas[one.specimen], one.how, folder / f"{one.number:05d}", rng=rng)
