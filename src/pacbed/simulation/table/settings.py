"""What a rocking table is to hold, how it is computed, and the distances of its directions and thickness planes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pacbed.crystal.potentials import whole_periods
from pacbed.errors import FormatError
from pacbed.simulation.multislice.phonon_pool import PhononSettings

NUMERICS_FILE = "numerics.json"  # distances that `orient_structure` was given or has measured
PLANE_SPACING_NM = 1.0  # where none was given or measured


@dataclass(frozen=True)
class TableSettings:
    """Arguments that all blocks of one rocking table share.

    Attributes
    ----------
    thickness_max_nm : float
        Deepest plane needed [nm].
    cone_mrad, field_mrad : float
        Largest incident and largest scattered angle [mrad].
    direction_pitch_mrad : float or "auto"
        Upper limit of the distance between directions [mrad]; "auto" takes what `orient_structure` measured.
    propagator : {"exact", "fresnel"}
        Free propagation between slices.
    batch : int
        Directions propagated together.
    plane_spacing_nm : float or "auto"
        Upper limit of the distance between thickness planes [nm]; "auto" takes what `orient_structure` measured.
    termination : {"top", "average"}
        A slab that is cut where the cell ends, or the mean over all equivalent surfaces.
    device : {"cpu", "gpu"}
        Where waves are propagated.
    phonons : PhononSettings, optional
        Needed by the thermal model "frozen_phonons".
    """

    thickness_max_nm: float
    cone_mrad: float
    field_mrad: float
    direction_pitch_mrad: float | str
    propagator: str
    batch: int
    plane_spacing_nm: float | str = PLANE_SPACING_NM
    termination: str = "top"
    device: str = "cpu"
    phonons: PhononSettings | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> TableSettings:
        """The same from plain values, as a workflow hands them over; ``phonons`` is a mapping or None."""
        phonons = settings.get("phonons")
        return cls(**{**settings, "phonons": None if phonons is None else PhononSettings(**phonons)})


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
    file = Path(structure_dir) / NUMERICS_FILE
    try:
        return float(json.loads(file.read_text())[name])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{file}: damaged or missing ({error}), accepted: what orient_structure writes") from error
