"""How the rocking table of a bundle was made from its slice potentials, so that it can be made again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pacbed.bundle.meta import Ranges
from pacbed.config.plan import CONE_MARGIN_MRAD
from pacbed.errors import FormatError
from pacbed.outputs import write_json
from pacbed.simulation.table.rocking_table import RockingTable

FILE = "table.json"


class LevelRecipe(NamedTuple):
    """A level of a compact table, as it was found to be fine enough.

    Attributes
    ----------
    low_nm, high_nm : float
        Where it begins and ends [nm].
    steps : tuple of int
        Nodes per reciprocal-lattice vector.
    packing_step : float
        See `pacbed.bundle.packed.PackedTable.step`.
    """

    low_nm: float
    high_nm: float
    steps: tuple[int, int]
    packing_step: float


@dataclass(frozen=True)
class Recipe:
    """Numerics of the table in full precision, and what of it the compact one keeps.

    Attributes
    ----------
    thickness_max_nm : float
        Largest thickness [nm].
    cone_mrad, field_mrad : float
        Largest incident direction, and largest scattering angle that is kept [mrad].
    direction_pitch_mrad : float
        Largest distance of neighbouring incident directions [mrad].
    plane_spacing_nm : float
        Distance of thickness planes [nm].
    propagator : {"exact", "fresnel"}
    termination : {"top", "average"}
    kept_thickness_nm, kept_cone_mrad, kept_field_mrad : float
        Largest thickness [nm], incident direction and scattering angle [mrad] of the compact table.
    levels : tuple of LevelRecipe
        Levels of the compact table, which take longest to look for; empty where they were not.
    """

    thickness_max_nm: float
    cone_mrad: float
    field_mrad: float
    direction_pitch_mrad: float
    plane_spacing_nm: float
    propagator: str
    termination: str
    kept_thickness_nm: float
    kept_cone_mrad: float
    kept_field_mrad: float
    levels: tuple[LevelRecipe, ...] = ()

    @classmethod
    def of(cls, table: RockingTable, trained: Ranges, max_angle_mrad: float) -> Recipe:
        """The recipe of a table of which a parameter grid is needed.

        Parameters
        ----------
        table : RockingTable
            In full precision.
        trained : Ranges
            The grid's.
        max_angle_mrad : float
            Half width of the field of view at scale 1 [mrad].
        """
        # The larger of the two node distances, taken as the limit, gives the same numbers of steps again.
        pitch = table.widest_pitch_mrad
        thickness_nm, convergence_mrad, mistilt_mrad = trained.largest()
        return cls(
            thickness_max_nm=table.thickness_max_nm - table.plane_spacing_nm,  # a table has one plane to spare
            cone_mrad=table.cone_mrad,
            field_mrad=table.field_mrad,
            direction_pitch_mrad=pitch,
            plane_spacing_nm=table.plane_spacing_nm,
            propagator=table.facts["propagator"],
            termination=table.facts["termination"],
            kept_thickness_nm=min(table.thickness_max_nm, thickness_nm + 2 * table.plane_spacing_nm),
            kept_cone_mrad=min(table.cone_mrad, convergence_mrad + mistilt_mrad + CONE_MARGIN_MRAD),
            kept_field_mrad=min(table.field_mrad, 2**0.5 * max_angle_mrad + mistilt_mrad),
        )

    def save(self, folder: str | Path) -> None:
        """Write ``table.json``."""
        write_json(self, Path(folder) / FILE)

    @classmethod
    def load(cls, folder: str | Path) -> Recipe:
        """Read what `save` wrote.

        Raises
        ------
        FormatError
            It is missing or damaged.
        """
        file = Path(folder) / FILE
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            levels = [LevelRecipe(low, high, (a, b), step) for low, high, (a, b), step in plain.pop("levels", [])]
            return cls(**plain, levels=tuple(levels))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise FormatError(
                f"{FILE}: damaged or missing ({type(error).__name__}), accepted: what packing a bundle writes"
            ) from error
