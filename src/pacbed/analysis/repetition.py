"""Patterns of the evaluation that travel with a bundle, so that anybody can have them answered again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.networks import Asked, ask_networks
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.picture.examine import examine
from pacbed.analysis.predict import analyse
from pacbed.analysis.recording.pattern_file import pattern_from_array
from pacbed.bundle.archive import EXAMPLES
from pacbed.bundle.reader import Bundle
from pacbed.errors import FormatError

COUNTS = 8000  # of a pattern's maximum: far below its noise
SLACK_NM, SLACK_STD = 0.02, 0.2  # answers agree within this length and share of their error bar: tables are compressed


@dataclass(frozen=True)
class Examples:
    """Recorded patterns and how they were answered.

    Attributes
    ----------
    pattern : uint16 array, shape (pattern, y, x)
        Counts.
    convergence_mrad, pixel_mrad : float array, shape (pattern,)
        Semi-convergence angle, as given, and pixel size, where networks that need one start [mrad].
    true_nm : float array, shape (pattern,)
        True thickness [nm].
    networks_nm, refined_nm : float array, shape (pattern, 2)
        Thickness and its standard deviation, by the networks alone and refined [nm]; not finite where there are none.
    """

    pattern: np.ndarray
    convergence_mrad: np.ndarray
    pixel_mrad: np.ndarray
    true_nm: np.ndarray
    networks_nm: np.ndarray
    refined_nm: np.ndarray

    def save(self, path: str | Path) -> None:
        """Store them as NPZ."""
        np.savez_compressed(path, **asdict(self))

    @classmethod
    def of(cls, bundle: Bundle) -> Examples | None:
        """Those of a bundle; None where it was made without.

        Raises
        ------
        FormatError
            They are damaged.
        """
        if EXAMPLES not in bundle.names():
            return None
        content = bundle.read(EXAMPLES)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return cls(**{name: arrays[name] for name in cls.__annotations__})
        except Exception as error:  # numpy and zipfile raise what they like on damaged data
            raise FormatError(f"bundle {bundle.path}: {EXAMPLES} is damaged ({type(error).__name__})") from error


class Repetition(NamedTuple):
    """How far answers given again lie from those stored.

    Attributes
    ----------
    patterns : int
    networks_nm, refined_nm : float or None
        Largest distance [nm]; None where no such answers are stored.
    """

    patterns: int
    networks_nm: float | None
    refined_nm: float | None

    def line(self) -> str:
        """One sentence."""
        named = {"networks": self.networks_nm, "refined": self.refined_nm}
        parts = [f"{name} within {value:.3f} nm" for name, value in named.items() if value is not None]
        return f"{self.patterns} patterns of its evaluation, answered again: {', '.join(parts)} of the answers stored"


def answer_examples(bundle: Bundle, images: Sequence[np.ndarray], at: Sequence[PatternParameters]) -> Examples:
    """Round patterns to counts and answer them, told the convergence angle to 0.1 mrad.

    Parameters
    ----------
    bundle : Bundle
    images : sequence of float array, shape (y, x)
        As recorded, all of one shape, of any scale.
    at : sequence of PatternParameters
        The truth of each.
    """
    asked = Examples(
        pattern=np.stack([_counts(image) for image in images]),
        convergence_mrad=np.array([round(one.convergence_mrad, 1) for one in at]),
        pixel_mrad=np.array([one.pixel_mrad for one in at]),
        true_nm=np.array([one.thickness_nm for one in at]),
        networks_nm=np.full((len(at), 2), np.nan),
        refined_nm=np.full((len(at), 2), np.nan),
    )
    alone = network_answers(bundle, asked) if bundle.networks else asked.networks_nm
    return replace(asked, networks_nm=alone, refined_nm=refined_answers(bundle, asked))


def repeat_examples(bundle: Bundle, examples: Examples, *, refine: bool = True) -> Repetition:
    """Answer the patterns again.

    Parameters
    ----------
    bundle : Bundle
    examples : Examples
        Of this bundle.
    refine : bool
        Refine them, too, for which a slim bundle makes its table.

    Raises
    ------
    FormatError
        An answer differs by more than `SLACK_NM` and `SLACK_STD` of its error bar.
    """
    alone, refined = bool(bundle.networks), None
    networks = _largest(bundle, "networks", examples.networks_nm, network_answers(bundle, examples)) if alone else None
    if refine:
        refined = _largest(bundle, "refined", examples.refined_nm, refined_answers(bundle, examples))
    return Repetition(len(examples.pattern), networks, refined)


def network_answers(bundle: Bundle, examples: Examples) -> np.ndarray:
    """Likeliest thickness and its standard deviation by the networks alone, shape (pattern, 2) [nm]."""
    answers = []
    for pattern, angle, pixel in zip(examples.pattern, examples.convergence_mrad, examples.pixel_mrad, strict=True):
        picture = examine(pattern_from_array(pattern))
        asked = Asked(picture.array, picture.outline, float(angle), float(pixel))
        best = ask_networks(bundle.networks, asked, bundle.meta.preprocessing).candidates[0]
        answers.append((best.value, best.std))
    return np.array(answers)


def refined_answers(bundle: Bundle, examples: Examples) -> np.ndarray:
    """Thickness by `predict`, and the standard deviation that the pattern leaves it, shape (pattern, 2) [nm]."""
    answers = []
    for pattern, angle in zip(examples.pattern, examples.convergence_mrad, strict=True):
        found: Any = analyse(bundle, pattern, PredictOptions(convergence_mrad=float(angle))).result.thickness_nm
        answers.append((found.value, found.std_pattern))
    return np.array(answers)


def _largest(bundle: Bundle, name: str, stored: np.ndarray, again: np.ndarray) -> float:
    """Largest distance of two sets of answers, shape (pattern, 2) [nm]."""
    off = np.abs(again[:, 0] - stored[:, 0])
    wrong = ~(off <= SLACK_NM + SLACK_STD * stored[:, 1])
    if wrong.any():
        at = int(np.argmax(wrong))
        raise FormatError(
            f"bundle {bundle.path}: {name}: {wrong.sum()} of {len(off)} patterns are answered otherwise than when the "
            f"bundle was made, such as {again[at, 0]:.2f} nm instead of {stored[at, 0]:.2f} ± {stored[at, 1]:.2f}"
        )
    return float(np.max(off))


def _counts(image: np.ndarray) -> np.ndarray:
    """An image as counts from 0 on, uint16, shape (y, x)."""
    above = np.asarray(image, dtype=float) - float(np.min(image))
    return np.asarray(np.rint(above * (COUNTS / above.max())), dtype=np.uint16)
