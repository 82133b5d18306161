"""Distances of directions and of thickness planes that a table was given, or that were measured for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pacbed.crystal.potentials import whole_periods
from pacbed.errors import FormatError

FILE = "numerics.json"
PLANE_SPACING_NM = 1.0  # where none was given or measured


class PlaneLayout(NamedTuple):
    """Thickness planes of a table.

    Attributes
    ----------
    periods_per_plane : int
        Periods of the crystal between two planes.
    planes : int
        Planes below the entrance surface.
    """

    periods_per_plane: int
    planes: int


def pitch_of(structure_dir: str | Path, asked: float | str) -> float:
    """Upper limit of the distance between directions [mrad].

    Parameters
    ----------
    structure_dir : path
        Folder written by `orient_structure`.
    asked : float or "auto"
        The distance itself, or "auto" for the one measured there.

    Raises
    ------
    FormatError
        "auto", and the folder has no measured pitch.
    """
    return _chosen(structure_dir, "direction_pitch_mrad", asked)


def spacing_of(structure_dir: str | Path, asked: float | str) -> float:
    """Upper limit of the distance between thickness planes [nm]; arguments and errors are those of `pitch_of`."""
    return _chosen(structure_dir, "plane_spacing_nm", asked)


def plane_layout(period_a: float, thickness_max_nm: float, spacing_nm: float = PLANE_SPACING_NM) -> PlaneLayout:
    """Thickness planes at whole periods that reach the largest thickness, with one plane to spare.

    Parameters
    ----------
    period_a : float
        Period of the crystal along the beam [Å].
    thickness_max_nm : float
        Largest thickness [nm].
    spacing_nm : float
        Planes lie at whole periods, at most this far apart [nm].
    """
    periods = whole_periods(period_a, spacing_nm)
    return PlaneLayout(periods, int(np.ceil(thickness_max_nm * 10 / (periods * period_a) - 1e-9)) + 1)


def _chosen(structure_dir: str | Path, name: str, asked: float | str) -> float:
    if not isinstance(asked, str):
        return float(asked)
    file = Path(structure_dir) / FILE
    try:
        return float(json.loads(file.read_text())[name])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{file}: damaged or missing ({error}), accepted: what orient_structure writes") from error
