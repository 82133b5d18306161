"""What an experiment is going to be, and where its errors are computed."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.limits import EDGE_MARGIN_MRAD
from pacbed.analysis.fit.sensitivity import STEPS
from pacbed.bundle.reader import Bundle
from pacbed.errors import bad_value
from pacbed.evaluation.advice.expected import pixel_for
from pacbed.patterns import polar_to_vector

USUAL_ELECTRONS = 1e6
# ASSUME: a crystal is tilted up to 4 mrad off its zone axis (an estimate), in directions that no symmetry singles out.
USUAL_MISTILTS = ((0.0, 0.0), (2.0, 20.0), (4.0, 65.0))  # [mrad], [deg]
AZIMUTHS_DEG = (20.0, 65.0)  # of a mistilt that is given
THICKNESSES = 12
ANGLE_STEP_MRAD, FEWEST_ANGLES, MOST_ANGLES = 2.0, 3, 9


@dataclass(frozen=True)
class Question:
    """An experiment that is being planned.

    Attributes
    ----------
    electrons : float
        In the beam, for the whole pattern.
    thickness_nm : tuple of float or None
        Thinnest and thickest crystal [nm]; None for all that the bundle knows.
    mistilt_mrad : float or None
        Size of the mistilt [mrad]; None for several.
    """

    electrons: float = USUAL_ELECTRONS
    thickness_nm: tuple[float, float] | None = None
    mistilt_mrad: float | None = None


USUAL_QUESTION = Question()


class Grid(NamedTuple):
    """Where errors are computed.

    Attributes
    ----------
    convergence_mrad : float array, shape (angle,)
        Ascending [mrad].
    thickness_nm : float array, shape (thickness,)
        Ascending [nm].
    mistilts_mrad : tuple of tuple of float
        Vectors (x, y) in the frame of the crystal [mrad].
    """

    convergence_mrad: np.ndarray
    thickness_nm: np.ndarray
    mistilts_mrad: tuple[tuple[float, float], ...]


def grid_of(bundle: Bundle, question: Question) -> Grid:
    """The grid of a question, once it is seen that the bundle can answer it.

    Parameters
    ----------
    bundle : Bundle
    question : Question

    Raises
    ------
    ParameterError
        Electrons, thickness or mistilt are none that the bundle or physics knows.
    """
    if not (isfinite(question.electrons) and question.electrons > 0):
        raise bad_value("electrons", question.electrons, "a number above 0")
    low, high = _thickness_range(bundle, question)
    first, last = bundle.meta.trained.convergence_mrad
    count = int(np.clip(round((last - first) / ANGLE_STEP_MRAD) + 1, FEWEST_ANGLES, MOST_ANGLES))
    angles = np.linspace(first, last, count) if last > first else np.array([first])
    return Grid(angles, np.linspace(low, high, THICKNESSES), _mistilts(bundle, question))


def _thickness_range(bundle: Bundle, question: Question) -> tuple[float, float]:
    trained = bundle.meta.trained.thickness_nm
    thinnest = max(trained[0], bundle.meta.thresholds.thin_nm)
    # Derivatives are taken towards the thicker side.
    thickest = min(trained[1], bundle.table.thickness_max_nm - 2 * STEPS.thickness_nm)
    if question.thickness_nm is None:
        return thinnest, thickest
    low, high = question.thickness_nm
    if not thinnest <= low < high <= max(trained[1], thickest):
        raise bad_value(
            "thickness_nm", (low, high), f"A-B with {thinnest:g} <= A < B <= {trained[1]:g} [nm] for this bundle"
        )
    return min(low, thickest), min(high, thickest)


def _mistilts(bundle: Bundle, question: Question) -> tuple[tuple[float, float], ...]:
    widest = bundle.meta.trained.convergence_mrad[1]
    room = bundle.renderer.mistilt_max_mrad(widest + STEPS.convergence_mrad, pixel_for(widest)) - EDGE_MARGIN_MRAD
    limit = min(bundle.meta.trained.mistilt_mrad[1], room - STEPS.mistilt_x_mrad)
    if question.mistilt_mrad is None:
        asked = [(min(size, limit), azimuth) for size, azimuth in USUAL_MISTILTS]
    elif 0 <= question.mistilt_mrad <= limit:
        asked = [(question.mistilt_mrad, azimuth) for azimuth in AZIMUTHS_DEG]
    else:
        raise bad_value("mistilt_mrad", question.mistilt_mrad, f"0 to {limit:.1f} [mrad] for this bundle")
    vectors = (polar_to_vector(size, azimuth) for size, azimuth in asked)
    return tuple((float(x), float(y)) for x, y in vectors)
