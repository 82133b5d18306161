"""What `pacbed inspect` says of a CIF file: the crystal as it is read, the slab along a zone axis, a picture."""

from __future__ import annotations

import json
import logging
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pacbed.config.sections import CrystalConfig
from pacbed.config.system import load_config
from pacbed.crystal.cell import zone_axis_indices
from pacbed.crystal.cif import ReadStructure, read_structure
from pacbed.crystal.description import Slab, describe_slab, settling_note, structure_json, structure_lines
from pacbed.crystal.reading import ReadingChoices
from pacbed.errors import ConfigError, bad_value

if TYPE_CHECKING:
    from pacbed.crystal.drawing.crystal_picture import AlongBeam

PICTURES = (".png", ".pdf", ".svg")
SILENT = logging.NullHandler()  # notes of the reader are part of what is printed; without a handler, stderr gets them


class CifQuestion(NamedTuple):
    """What is asked of a CIF file.

    Attributes
    ----------
    path : Path
    zone_axis : tuple of int, optional
        Three or four indices; counts more than the configuration's.
    block : str, optional
        Name of the data block; counts more than the configuration's.
    config : Path, optional
        Configuration with a system whose CIF this is.
    system : str, optional
        Name of that system.
    """

    path: Path
    zone_axis: tuple[int, ...] | None = None
    block: str | None = None
    config: Path | None = None
    system: str | None = None


def inspect_cif(question: CifQuestion, *, as_json: bool = False, out: Path | None = None) -> None:
    """Print what a CIF file holds, and draw it where a picture is asked for.

    Parameters
    ----------
    question : CifQuestion
    as_json : bool
        One JSON object in place of lines.
    out : path, optional
        Picture to write; it must not exist.

    Raises
    ------
    ConfigError, ParameterError, StructureError
        An option is not accepted, or the file describes no crystal.
    """
    if out is not None:
        _check_picture(out)
    logging.getLogger("pacbed.crystal").addHandler(SILENT)
    choices, axis = _choices(question)
    read = read_structure(question.path, choices)
    along, note = (None, None) if axis is None else _along(read, axis)
    slab = None
    if along is not None:
        slab = describe_slab(along.oriented, along.zone_axis)
        settling = settling_note(read.crystal)
        read = replace(read, notes=(*read.notes, settling)) if settling else read
    if out is not None:
        from pacbed.crystal.drawing.crystal_picture import draw_crystal

        draw_crystal(out, read.crystal, read.space_group, along)
    if as_json:
        print(json.dumps(_as_json(read, axis, slab, note, out), ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(_lines(question.path, read, slab, note, out)))
    if axis is not None and along is None:
        print("zone axis: needs spglib; install pacbed with its extra 'workflow'", file=sys.stderr)


def _check_picture(out: Path) -> None:
    if out.suffix.lower() not in PICTURES:
        raise bad_value("out", str(out), f"a picture that ends in {', '.join(PICTURES)}")
    if out.exists():
        raise bad_value("out", str(out), "the name of a new file; this one exists")


def _choices(question: CifQuestion) -> tuple[ReadingChoices, tuple[int, ...] | None]:
    """How the file is read, and the zone axis: the command line's, else the configuration's."""
    if question.config is None:
        if question.system is not None:
            raise bad_value("system", question.system, "a name only together with config")
        return ReadingChoices(question.block), question.zone_axis
    crystal = _crystal_section(question.config, question.path, question.system)
    block = question.block or crystal.block
    choices = ReadingChoices(block, crystal.accept_contradictions, crystal.displacements)
    return choices, question.zone_axis or crystal.zone_axis


def _crystal_section(config: Path, cif: Path, name: str | None) -> CrystalConfig:
    """Crystal section of the system whose CIF file this is."""
    systems = load_config([config]).systems
    if name is not None and name not in systems:
        raise bad_value("system", name, f"one of {config}: {', '.join(systems)}")
    chosen = systems if name is None else {name: systems[name]}
    fitting = {key: system.crystal for key, system in chosen.items() if system.crystal.cif.resolve() == cif.resolve()}
    if not fitting:
        files = ", ".join(dict.fromkeys(str(system.crystal.cif) for system in chosen.values()))
        raise ConfigError(
            f"{config}: got crystal.cif {files}, accepted: a system whose crystal.cif is {cif}; paths count from the "
            "folder at hand"
        )
    first, *others = fitting.values()
    if any(_reading(other) != _reading(first) for other in others):
        raise bad_value("system", name, f"one of those with this CIF file: {', '.join(fitting)}")
    return first


def _reading(crystal: CrystalConfig) -> tuple[Any, ...]:
    return crystal.block, crystal.accept_contradictions, crystal.displacements, crystal.zone_axis


def _along(read: ReadStructure, axis: tuple[int, ...]) -> tuple[AlongBeam | None, str | None]:
    """The crystal along an axis, None where spglib is missing; what the axis is in the shortest three indices."""
    indices = zone_axis_indices(axis, read.crystal.cell)
    given, shortest = (" ".join(str(index) for index in values) for values in (axis, indices))
    note = None if given == shortest else f"zone axis [{given}] is [{shortest}] of the published cell"
    if note and math.gcd(*axis) > 1:
        note += f": the common divisor {math.gcd(*axis)} is taken out"
    try:
        from pacbed.crystal.orientation import lattice_vectors, orient
    except ModuleNotFoundError as error:
        if error.name != "spglib":
            raise
        return None, note
    from pacbed.crystal.drawing.crystal_picture import AlongBeam

    return AlongBeam(indices, orient(read.crystal, indices), lattice_vectors(read.crystal, indices)), note


def _as_json(
    read: ReadStructure, axis: tuple[int, ...] | None, slab: Slab | None, note: str | None, out: Path | None
) -> dict[str, Any]:
    facts = structure_json(read)
    if axis is not None:
        facts["slab"] = None if slab is None else slab.as_json()
        if note and math.gcd(*axis) > 1:
            facts["warnings"].append(note)
    if out is not None:
        facts["picture"] = str(out)
    return facts


def _lines(path: Path, read: ReadStructure, slab: Slab | None, note: str | None, out: Path | None) -> list[str]:
    first, *lines = structure_lines(read)
    lines = [f"cif {path.name}: {first}", *lines]
    if note:
        lines.append(note)
    if slab is not None:
        lines += slab.lines()
    if out is not None:
        lines.append(f"picture: {out}")
    return lines
