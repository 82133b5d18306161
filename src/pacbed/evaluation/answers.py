"""What every method answered to every pattern, kept row by row so that a stopped run goes on where it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pacbed.evaluation.noise import Noise
from pacbed.evaluation.truths import Truth
from pacbed.outputs import KeptLines

# Kinds of truth.
RENDERED, DIRECT, VARIED, PHONONS = "rendered", "direct", "varied", "phonons"
KINDS = (RENDERED, DIRECT, VARIED, PHONONS)
METHODS = ("least_squares_no_tilt", "least_squares", "networks", "match", "match_refinement", "networks_refinement")
FLOOR = "floor"


class Key(NamedTuple):
    """What an answer is found by."""

    kind: str
    noise: str
    pattern: int
    method: str


@dataclass(frozen=True)
class Answer:
    """What one method made of one pattern. None where the method gives no such number, or could not answer.

    Attributes
    ----------
    kind : str
        Where the pattern comes from, one of `KINDS`.
    sigma : float
        Gaussian noise, as in `Noise`.
    electrons : float or None
        Counted electrons, as in `Noise`.
    pattern : int
        Number of the pattern; the same parameters at every noise level.
    method : str
        One of `METHODS`, or `FLOOR`, whose standard deviations are the smallest possible.
    true_thickness_nm, true_mistilt_mrad, true_scale, convergence_mrad : float
        Truth [nm], [mrad], [1], [mrad].
    thickness_nm, thickness_std_nm, thickness_std_statistical_nm : float or None
        Thickness, its error bar, and the part of that which the pattern's noise makes [nm].
    interval_90_nm : tuple of float or None
        The method's own central 90 % interval [nm].
    candidates_nm : tuple of float
        Thicknesses that the method offers, likeliest first [nm].
    mistilt_mrad : float or None
        Magnitude of the mistilt [mrad].
    mistilt_vector_error_mrad : float or None
        Length of the difference of the mistilt vectors; None where the method gives no direction [mrad].
    scale : float or None
        Pixel size over that of the stack [1].
    verdict : str or None
        Of the prediction.
    cpu_s : float or None
        Processor time of the answer [s].
    """

    kind: str
    sigma: float
    electrons: float | None
    pattern: int
    method: str
    true_thickness_nm: float
    true_mistilt_mrad: float
    true_scale: float
    convergence_mrad: float
    thickness_nm: float | None = None
    thickness_std_nm: float | None = None
    thickness_std_statistical_nm: float | None = None
    interval_90_nm: tuple[float, float] | None = None
    candidates_nm: tuple[float, ...] = ()
    mistilt_mrad: float | None = None
    mistilt_vector_error_mrad: float | None = None
    scale: float | None = None
    verdict: str | None = None
    cpu_s: float | None = None

    @property
    def noise(self) -> Noise:
        """Its level of noise."""
        return Noise(self.sigma, self.electrons)

    @property
    def key(self) -> Key:
        """What it is found by."""
        return Key(self.kind, self.noise.label, self.pattern, self.method)

    @property
    def thickness_error_nm(self) -> float | None:
        """Answer minus truth [nm]."""
        return None if self.thickness_nm is None else self.thickness_nm - self.true_thickness_nm

    @property
    def mistilt_error_mrad(self) -> float | None:
        """Difference of the magnitudes [mrad]."""
        return None if self.mistilt_mrad is None else self.mistilt_mrad - self.true_mistilt_mrad

    @property
    def scale_error_percent(self) -> float | None:
        """Relative difference of the pixel sizes [%]."""
        return None if self.scale is None else 100 * (self.scale / self.true_scale - 1)

    @property
    def candidate_error_nm(self) -> float | None:
        """Distance of the truth from the nearest candidate [nm]."""
        return min((abs(one - self.true_thickness_nm) for one in self.candidates_nm), default=None)


@dataclass(frozen=True)
class Recording:
    """A pattern at one level of noise.

    Attributes
    ----------
    kind : str
        Where it comes from.
    number : int
    truth : Truth
    noise : Noise
    seed : int
    """

    kind: str
    number: int
    truth: Truth
    noise: Noise
    seed: int

    @property
    def camera(self) -> np.ndarray:
        """As the camera recorded it, the same at every call; float32, shape (y, x)."""
        return self.noise.record(self.truth.camera, rng=self._rng(0))

    @property
    def aligned(self) -> np.ndarray:
        """In the frame of the stack, maximum 1 without its noise; float32, shape (y, x)."""
        image = self.noise.record(self.truth.aligned, rng=self._rng(1))
        if self.noise.electrons is None:
            return image
        return np.asarray(image * (self.truth.aligned.sum() / self.noise.electrons), dtype=np.float32)

    def blank(self, method: str) -> Answer:
        """The answer of a method that found nothing."""
        at = self.truth.parameters
        return Answer(
            kind=self.kind,
            sigma=self.noise.sigma,
            electrons=self.noise.electrons,
            pattern=self.number,
            method=method,
            true_thickness_nm=at.thickness_nm,
            true_mistilt_mrad=float(np.hypot(*at.mistilt_mrad)),
            true_scale=self.truth.scale,
            convergence_mrad=at.convergence_mrad,
        )

    def _rng(self, picture: int) -> np.random.Generator:
        level = [round(1e6 * self.noise.sigma), round(self.noise.electrons or 0)]
        return np.random.default_rng([self.seed, self.number, *level, picture])


def column(answers: Iterable[Answer], name: str) -> np.ndarray:
    """One attribute of several answers, NaN where there is none, shape (answer,)."""
    values = (getattr(answer, name) for answer in answers)
    return np.array([np.nan if value is None else value for value in values], dtype=float)


class AnswerBook:
    """Answers in a file of JSON lines, appended as they come.

    Parameters
    ----------
    file : path
        Where they are kept; the first line says what for.
    made_for : mapping
        Plain values; a file made for others is begun anew.

    Attributes
    ----------
    answers : dict
        `Answer` by `Key`.
    """

    def __init__(self, file: str | Path, made_for: Mapping[str, Any]) -> None:
        self._kept = KeptLines(file, made_for)
        self.answers: dict[Key, Answer] = {}
        for row in self._kept.rows:
            answer = _read(row)
            self.answers[answer.key] = answer

    def __contains__(self, key: Key) -> bool:
        return key in self.answers

    def add(self, answers: Iterable[Answer]) -> None:
        """Keep some more."""
        for answer in answers:
            self.answers[answer.key] = answer
            self._kept.append([asdict(answer)])


def _read(row: dict[str, Any]) -> Answer:
    interval = row["interval_90_nm"]
    pair = None if interval is None else (float(interval[0]), float(interval[1]))
    return Answer(**{**row, "interval_90_nm": pair, "candidates_nm": tuple(row["candidates_nm"])})
