"""What a rocking table is to hold, and how it is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pacbed.simulation.multislice.phonon_pool import PhononSettings
from pacbed.simulation.table.numerics import PLANE_SPACING_NM


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
