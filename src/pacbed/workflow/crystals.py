"""The crystals of a configuration, read while planning: what is wrong with a CIF file is told before any job."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from pacbed.config.system import SystemConfig
from pacbed.crystal.cell import require_displacements, zone_axis_indices
from pacbed.crystal.cif import ReadStructure, read_structure
from pacbed.crystal.reading import ReadingChoices
from pacbed.errors import ConfigError, StructureError
from pacbed.systems import shortest_indices


def check_crystals(systems: Mapping[str, SystemConfig]) -> list[str]:
    """Read the CIF file of every system and compare it with zone axis and thermal model.

    Parameters
    ----------
    systems : mapping of str to SystemConfig
        The validated systems.

    Returns
    -------
    list of str
        What was put right while reading, or is worth a warning: one line each, however many systems share a file.

    Raises
    ------
    ConfigError
        One line for each system whose crystal is refused: key, file, line of the file where there is one, value got
        and what is accepted.
    """
    notes: list[str] = []
    problems: list[str] = []
    for name, system in systems.items():
        try:
            notes += _notes(system)
        except StructureError as error:
            problems.append(f"systems.{name}.crystal.{str(error).removeprefix('crystal.')}")
        except OSError as error:
            problems.append(
                f"systems.{name}.crystal.cif: {system.crystal.cif}: cannot be read ({error.strerror}), "
                "accepted: the path of an existing CIF file"
            )
    if problems:
        raise ConfigError("\n".join(problems))
    return list(dict.fromkeys(notes))


def projected_cell_a2(system: SystemConfig) -> float:
    """Area of one cell seen along the beam [Å^2]; centring, which makes it smaller, is not looked at.

    Raises
    ------
    StructureError
        The CIF file is refused.
    """
    crystal = _read(system).crystal
    period = np.linalg.norm(np.array(shortest_indices(system.crystal.zone_axis)) @ crystal.cell)
    return float(crystal.volume_a3 / period)


def _notes(system: SystemConfig) -> list[str]:
    """Notes on a crystal that can be simulated, as far as reading tells."""
    found = _read(system)
    zone_axis_indices(system.crystal.zone_axis, found.crystal.cell)
    require_displacements(found.crystal, system.crystal.thermal_model)
    return [f"{system.crystal.cif}: {note}" for note in found.notes]


def _read(system: SystemConfig) -> ReadStructure:
    crystal = system.crystal
    given = tuple(crystal.displacements.items())
    return _read_once(crystal.cif, crystal.block, crystal.accept_contradictions, given)


@cache
def _read_once(
    cif: Path, block: str | None, accepted: tuple[str, ...], displacements: tuple[tuple[str, float], ...]
) -> ReadStructure:
    """One reading in a process, which the checks and every estimate share."""
    return read_structure(cif, ReadingChoices(block, accepted, dict(displacements)))
