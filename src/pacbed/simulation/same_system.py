"""Do structure, table and stack belong to one crystal, seen along one axis at one voltage?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from pacbed.errors import FormatError
from pacbed.outputs import check_done
from pacbed.simulation.stored_stack import open_stack


@dataclass(frozen=True)
class System:
    """What identifies a system.

    Attributes
    ----------
    formula : str
        Formula of the cell content.
    zone_axis : tuple of int
        Points to the source.
    energy_kev : float
        Kinetic energy of the electrons [keV].
    """

    formula: str
    zone_axis: tuple[int, ...]
    energy_kev: float

    def __str__(self) -> str:
        return f"{self.formula} [{' '.join(map(str, self.zone_axis))}] at {self.energy_kev:g} keV"

    def differs(self, other: System) -> bool:
        """True if one of the three is different."""
        return (
            self.formula != other.formula
            or self.zone_axis != other.zone_axis
            or abs(self.energy_kev - other.energy_kev) > 1e-6
        )


def of_structure(structure_dir: str | Path) -> System:
    """The system of slice potentials."""
    try:
        facts = json.loads((Path(structure_dir) / "cell.json").read_text(encoding="utf-8"))
        return System(facts["formula"], tuple(facts["zone_axis"]), facts["energy_ev"] / 1e3)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FormatError(f"structure {structure_dir}: damaged or incomplete ({error!r})") from error


def of_table(table_dir: str | Path) -> System:
    """The system of a rocking table; its arrays are not read."""
    check_done(table_dir, "rocking table")
    attributes: dict[str, Any] = dict(zarr.open_group(str(Path(table_dir) / "rocking.zarr"), mode="r").attrs)
    try:
        facts = attributes["facts"]
        return System(facts["formula"], tuple(facts["zone_axis"]), attributes["energy_ev"] / 1e3)
    except (TypeError, KeyError) as error:
        raise FormatError(f"rocking table {table_dir}: does not say of which system it is ({error!r})") from error


def of_stack(stack_dir: str | Path) -> System:
    """The system of a stack; its patterns are not read."""
    attributes: dict[str, Any] = dict(open_stack(stack_dir).attrs)
    try:
        crystal, beam = attributes["crystal"], attributes["beam"]
        return System(crystal["formula"], tuple(crystal["zone_axis"]), beam["energy_kev"])
    except (TypeError, KeyError) as error:
        raise FormatError(f"stack {stack_dir}: does not say of which system it is ({error!r})") from error


def check_same_system(**systems: System) -> None:
    """Compare systems by name with the first.

    Raises
    ------
    FormatError
        Two of them differ.
    """
    (reference, first), *others = systems.items()
    for name, system in others:
        if system.differs(first):
            raise FormatError(f"{name}: got {system}, accepted: that of the {reference}, {first}")
