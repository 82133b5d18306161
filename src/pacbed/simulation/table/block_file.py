"""A block of a rocking table on disk: written in one piece, checked, and read without holding all of it.

A block is a folder with ``grid.json``, what the block says of its table, and ``block.npz``, its arrays (see
`BlockRecord.arrays`) with ``nodes`` and ``beams``.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from pacbed.errors import FormatError
from pacbed.outputs import folder_aside, write_json

ARRAYS_FILE, FACTS_FILE = "block.npz", "grid.json"
DAMAGE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)
CHUNK_BYTES = 1 << 23  # read at once: much more than a call costs, little beside a table
INTENSITIES = ("intensity", "diffuse")  # arrays too large to be held: shape (plane, pair)
REQUIRED_FACTS = (
    *("direction_range", "directions", "steps", "reciprocal_mrad", "operations", "cone_mrad", "field_mrad"),
    *("plane_spacing_a", "energy_ev", "formula", "zone_axis", "thermal_model", "propagator", "grid_px"),
    "slice_depth_a",
)


@dataclass(frozen=True)
class PlaneFile:
    """Coded intensities (plane, pair) of one block on disk.

    Iterating reads them some planes at a time: arrays of uint16, shape (some planes, pair).

    Attributes
    ----------
    folder : path
        Folder of the block.
    name : str
        Array in its ``block.npz``.
    shape : tuple of int
        Planes and pairs.
    """

    folder: Path
    name: str
    shape: tuple[int, int]

    @classmethod
    def of(cls, archive: zipfile.ZipFile, folder: Path, name: str) -> PlaneFile:
        """An array of an open block, its shape read."""
        with archive.open(f"{name}.npy") as stream:
            return cls(folder, name, _shape(stream))

    def __iter__(self) -> Iterator[np.ndarray]:
        planes, pairs = self.shape
        step = max(1, CHUNK_BYTES // max(1, 2 * pairs))
        try:
            with zipfile.ZipFile(self.folder / ARRAYS_FILE) as archive, archive.open(f"{self.name}.npy") as stream:
                _shape(stream)
                for first in range(0, planes if pairs else 0, step):
                    count = min(step, planes - first)
                    data = stream.read(2 * count * pairs)
                    yield np.frombuffer(data, dtype=np.uint16).reshape(count, pairs)
        except DAMAGE as error:
            raise _damaged(self.folder, error) from error


class Block(NamedTuple):
    """A block that has been found whole.

    Attributes
    ----------
    facts : dict
        What it says of its table, and the range of its directions.
    arrays : dict of ndarray
        All but the intensities.
    intensities : dict of PlaneFile
        Coded intensities by kind, not read yet.
    """

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]
    intensities: dict[str, PlaneFile]


def write_block(folder: str | Path, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write a block into a folder that appears complete or not at all."""
    with folder_aside(folder) as aside:
        np.savez(aside / ARRAYS_FILE, **arrays)
        write_json(facts, aside / FACTS_FILE)


def read_block(folder: Path) -> Block:
    """Read a block but for its intensities.

    Raises
    ------
    FormatError
        The block is damaged or incomplete.
    """
    try:
        with zipfile.ZipFile(folder / ARRAYS_FILE) as archive, (folder / ARRAYS_FILE).open("rb") as stream:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            with np.load(stream, allow_pickle=False) as stored:
                arrays: dict[str, np.ndarray] = {name: stored[name] for name in names if name not in INTENSITIES}
            intensities = {name: PlaneFile.of(archive, folder, name) for name in names if name in INTENSITIES}
        facts = json.loads((folder / FACTS_FILE).read_text())
    except DAMAGE as error:
        raise _damaged(folder, error) from error
    block = Block(facts, arrays, intensities)
    _check(block, folder)
    return block


def _check(block: Block, folder: Path) -> None:
    """Hold the content of a block against itself: nothing is missing, and lengths fit together."""
    facts, arrays, intensities = block
    try:
        missing = [name for name in REQUIRED_FACTS if name not in facts]
        first, last = facts["direction_range"] if not missing else (0, 0)
        directions, pairs, planes = last - first, len(arrays["beam"]), len(arrays["absorbed"])
        expected = {
            "count": (directions,),
            "absorbed": (planes, directions),
            "lost": (planes, directions),
            "nodes": (directions, 2),
            "beams": (len(arrays["beams"]), 2),
        }
        wrong = [name for name, shape in expected.items() if arrays[name].shape != shape]
        kinds = dict.fromkeys(("intensity", *intensities))
        wrong += [name for name in kinds if intensities[name].shape != (planes, pairs)]
        fits = int(arrays["count"].sum()) == pairs and (not pairs or int(arrays["beam"].max()) < len(arrays["beams"]))
    except (TypeError, ValueError, KeyError) as error:
        raise FormatError(f"block {folder}: damaged or incomplete ({type(error).__name__}: {error})") from error
    if missing or wrong or not fits:
        what = ", ".join(missing + wrong) or "count"
        raise FormatError(
            f"block {folder}: damaged or incomplete (bad: {what}), accepted: a whole block; make it again"
        )


def _shape(stream: IO[bytes]) -> tuple[int, int]:
    """Planes and pairs of an array of intensities, whose header is read."""
    np.lib.format.read_magic(stream)
    (planes, pairs), transposed, dtype = np.lib.format.read_array_header_1_0(stream)
    if transposed or dtype != np.uint16:
        raise ValueError(f"got {dtype} samples, accepted: uint16 in rows of planes")
    return planes, pairs


def _damaged(folder: Path, error: Exception) -> FormatError:
    return FormatError(f"block {folder}: damaged or incomplete ({error})")
