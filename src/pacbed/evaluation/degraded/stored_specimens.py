"""Specimens on disk: the sums of their directions, from which any camera's pattern is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from pacbed.errors import FormatError
from pacbed.evaluation.degraded.specimens import Part, Specimen
from pacbed.evaluation.direct.camera import DirectPattern
from pacbed.evaluation.direct.lattice import DirectionLattice
from pacbed.evaluation.direct.phonons import PhononPattern
from pacbed.evaluation.direct.stored import parameters_from_json
from pacbed.outputs import folder_aside

SCHEMA_VERSION = 1
NAMES = ("elastic", "diffuse")


def store_specimens(specimens: Sequence[Specimen], facts: Mapping[str, Any], folder: str | Path) -> None:
    """Write specimens that share their lattices of directions.

    Parameters
    ----------
    specimens : sequence of Specimen
    facts : mapping
        Plain JSON values: how they were made.
    folder : path
        Zarr group; complete or absent.
    """
    parts = [part for one in specimens for part in one.parts]
    first = parts[0].pattern
    with folder_aside(folder) as aside:
        group = zarr.open_group(str(aside), mode="w")
        group.attrs.update(
            {
                "schema_version": SCHEMA_VERSION,
                **facts,
                "lattice": {name: _plain(getattr(first, name).lattice) for name in NAMES},
                "kind": [one.kind for one in specimens],
                "parts": [len(one.parts) for one in specimens],
                "parameters": [asdict(part.parameters) for part in parts],
            }
        )
        for name in NAMES:
            sums = np.stack([getattr(part.pattern, name).sums for part in parts]).astype(np.float32)
            group.create_array(name, data=sums, chunks=(1, *sums.shape[1:]))


def read_specimens(folder: str | Path) -> list[Specimen]:
    """Read what `store_specimens` wrote.

    Raises
    ------
    FormatError
        The folder holds no such specimens, or those of another version.
    """
    try:
        group = zarr.open_group(str(folder), mode="r")
        facts: dict[str, Any] = dict(group.attrs)
        version = facts["schema_version"]
        lattices = {name: _lattice(facts["lattice"][name]) for name in NAMES}
        elastic, diffuse = (np.asarray(group[name]) for name in NAMES)
        parameters = iter([parameters_from_json(plain) for plain in facts["parameters"]])
        sizes = list(zip(facts["kind"], facts["parts"], strict=True))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise FormatError(f"specimens {folder}: missing or damaged ({error})") from error
    if version != SCHEMA_VERSION:
        raise FormatError(f"specimens {folder}: got schema_version {version}, accepted: {SCHEMA_VERSION}")
    found, pairs = [], iter(zip(elastic, diffuse, strict=True))
    for kind, count in sizes:
        parts = []
        for _ in range(count):
            at, (sharp, smooth) = next(parameters), next(pairs)
            patterns = (
                DirectPattern(lattices[name], sums, at.mistilt_mrad)
                for name, sums in zip(NAMES, (sharp, smooth), strict=True)
            )
            parts.append(Part(at, PhononPattern(*patterns)))
        found.append(Specimen(kind, tuple(parts)))
    return found


def _plain(lattice: DirectionLattice) -> dict[str, Any]:
    """What a camera needs of a lattice: nodes and beams are in the sums."""
    return {
        "steps": lattice.steps,
        "offset": lattice.offset.tolist(),
        "pitch_mrad": lattice.pitch_mrad.tolist(),
        "field_mrad": lattice.field_mrad,
        "unit_mrad": lattice.unit_mrad,
    }


def _lattice(plain: Mapping[str, Any]) -> DirectionLattice:
    none = np.empty((0, 2), dtype=int)
    arrays = {name: np.array(plain[name], dtype=float) for name in ("offset", "pitch_mrad")}
    return DirectionLattice(**{**plain, **arrays}, nodes=none, beams=none)
