"""The rocking table I(t; G, q): every PACBED pattern of a crystal and voltage in compact form."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from pacbed.errors import FormatError

SCHEMA_VERSION = 1
ARRAYS = ("intensity", "beam", "offset", "nodes", "beams", "absorbed", "lost")


@dataclass(frozen=True)
class RockingTable:
    """Plane-wave diffraction intensities of a slab on a grid of directions and thickness planes.

    Attributes
    ----------
    intensity : ndarray of uint16, shape (plane, pair)
        Square-root codes (`intensity_code`) of |S(q + G, q)|^2 for each kept pair of direction q and beam G,
        direction by direction; plane 0 is the entrance surface.
    beam : ndarray of int, shape (pair,)
        Index into `beams`.
    offset : ndarray of int, shape (direction + 1,)
        First pair of each direction.
    nodes : ndarray of int, shape (direction, 2)
        Directions q = m1 G1 / n1 + m2 G2 / n2, one of each orbit of the beam group.
    beams : ndarray of int, shape (beam, 2)
        Indices of the reciprocal-lattice vectors G.
    absorbed, lost : ndarray of float32, shape (plane, direction)
        Fractions of the beam absorbed and lost to the band limit.
    steps : tuple of int
        n1, n2.
    reciprocal_mrad : ndarray, shape (2, 2)
        Rows G1, G2, Cartesian in the crystal frame [mrad].
    operations : ndarray of int, shape (operation, 2, 2)
        Beam group acting on node and beam indices.
    cone_mrad, field_mrad : float
        Largest incident angle, interpolation margin included, and largest scattered angle kept [mrad].
    plane_spacing_nm : float
        Distance of the thickness planes [nm].
    energy_ev : float
        Kinetic energy of the electrons [eV].
    facts : dict
        Crystal, beam and engine as plain JSON values.
    """

    intensity: np.ndarray
    beam: np.ndarray
    offset: np.ndarray
    nodes: np.ndarray
    beams: np.ndarray
    absorbed: np.ndarray
    lost: np.ndarray
    steps: tuple[int, int]
    reciprocal_mrad: np.ndarray
    operations: np.ndarray
    cone_mrad: float
    field_mrad: float
    plane_spacing_nm: float
    energy_ev: float
    facts: dict

    @property
    def pitch_mrad(self) -> np.ndarray:
        """Rows: the two node steps [mrad]."""
        return self.reciprocal_mrad / np.array(self.steps)[:, None]

    @property
    def thickness_max_nm(self) -> float:
        """Deepest plane [nm]."""
        return (len(self.intensity) - 1) * self.plane_spacing_nm

    @property
    def thickness_planes_nm(self) -> np.ndarray:
        """Depths of the planes [nm], shape (plane,)."""
        return np.arange(len(self.intensity)) * self.plane_spacing_nm

    @property
    def group(self) -> np.ndarray:
        """Beam group as Cartesian matrices, shape (operation, 2, 2), acting on column vectors in the crystal frame."""
        basis = self.reciprocal_mrad.T
        return basis @ self.operations @ np.linalg.inv(basis)

    @property
    def rotation_period_deg(self) -> float:
        """Rotation by this angle leaves every pattern at zero mistilt unchanged [deg]."""
        return 360.0 / int(np.sum(np.linalg.det(self.group) > 0))

    @property
    def has_mirror(self) -> bool:
        """Whether the beam group holds a mirror line."""
        return bool(np.any(np.linalg.det(self.group) < 0))

    @property
    def azimuth_range_deg(self) -> tuple[float, float]:
        """Azimuths (low, high) of the mistilt that symmetry leaves distinct, from the x axis where it can [deg]."""
        group = self.group
        mirrors = group[np.linalg.det(group) < 0]
        if not len(mirrors):
            return 0.0, self.rotation_period_deg
        lines = np.rad2deg(np.arctan2(mirrors[:, 1, 0], mirrors[:, 0, 0])) / 2 % 180
        width = 180.0 / len(mirrors)
        low = -min((-line) % width for line in lines)
        return (0.0, width) if abs(low) < 1e-6 or abs(low + width) < 1e-6 else (low, low + width)

    def save(self, folder: str | Path) -> None:
        """Write ``rocking.zarr`` and ``done.json`` into a folder that appears complete or not at all."""
        folder = Path(folder)
        aside = folder.with_name(folder.name + ".part")
        shutil.rmtree(aside, ignore_errors=True)
        group = zarr.open_group(str(aside / "rocking.zarr"), mode="w", zarr_format=3)
        digests = self.write(group)
        done = {"pairs": self.intensity.shape[1], "planes": self.intensity.shape[0], "sha256": digests}
        (aside / "done.json").write_text(json.dumps(done, indent=2) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)

    def write(self, group: zarr.Group) -> dict[str, str]:
        """Store the table in an open Zarr group; returns the SHA-256 of each array's bytes."""
        codec = BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle")
        for name in ARRAYS:
            array = np.ascontiguousarray(getattr(self, name))
            chunks = tuple(max(1, min(size, 4_000_000 // max(1, array.shape[0]))) for size in array.shape)
            chunks = (max(1, array.shape[0]), *chunks[1:])
            group.create_array(name, data=array, chunks=chunks, compressors=codec)
        plain = {field.name: _plain(getattr(self, field.name)) for field in fields(self) if field.name not in ARRAYS}
        group.attrs.update({"schema_version": SCHEMA_VERSION, **plain})
        return {name: hashlib.sha256(getattr(self, name).tobytes()).hexdigest() for name in ARRAYS}

    @classmethod
    def load(cls, folder: str | Path) -> RockingTable:
        """Read what `save` wrote.

        Raises
        ------
        FormatError
            The folder holds no complete table, or one of a newer version.
        """
        folder = Path(folder)
        if not (folder / "done.json").is_file():
            raise FormatError(f"rocking table {folder}: got no done.json, accepted: a folder with a complete table")
        return cls.read(zarr.open_group(str(folder / "rocking.zarr"), mode="r"))

    @classmethod
    def read(cls, group: zarr.Group) -> RockingTable:
        """Read a table from an open Zarr group."""
        facts: dict[str, Any] = dict(group.attrs)
        version = facts.pop("schema_version", None)
        if version != SCHEMA_VERSION:
            raise FormatError(f"rocking table: got schema_version {version}, accepted: {SCHEMA_VERSION}")
        try:
            arrays: dict[str, Any] = {name: np.asarray(group[name]) for name in ARRAYS}
            facts["steps"] = tuple(facts["steps"])
            facts["reciprocal_mrad"] = np.array(facts["reciprocal_mrad"])
            facts["operations"] = np.array(facts["operations"], dtype=int)
            return cls(**arrays, **facts)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"rocking table: damaged or incomplete ({error})") from error


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def gather_rocking_table(block_dirs: Sequence[str | Path], out_dir: str | Path) -> None:
    """Join the blocks of a table.

    Parameters
    ----------
    block_dirs : sequence of path
        Folders written by `simulate_rocking_block`, in any order.
    out_dir : path
        Receives the table; complete or absent.

    Raises
    ------
    FormatError
        A block is damaged, belongs to another table, or is missing.
    """
    read = [_read_block(Path(folder)) for folder in block_dirs]
    read.sort(key=lambda item: item[0]["direction_range"])
    first = read[0][0]
    covered = 0
    for facts, _ in read:
        shared = {key: value for key, value in facts.items() if key != "direction_range"}
        if shared != {key: value for key, value in first.items() if key != "direction_range"}:
            raise FormatError("blocks: got parts of different tables, accepted: all blocks of one table")
        if facts["direction_range"][0] != covered:
            raise FormatError(f"blocks: directions from {covered} on are missing")
        covered = facts["direction_range"][1]
    if covered != first["directions"]:
        raise FormatError(f"blocks: got {covered} directions, accepted: all {first['directions']}")

    def joined(name: str, axis: int) -> np.ndarray:
        return np.concatenate([arrays[name] for _, arrays in read], axis=axis)

    RockingTable(
        intensity=joined("intensity", 1),
        beam=joined("beam", 0),
        offset=np.concatenate([[0], np.cumsum(joined("count", 0))]).astype(np.uint32),
        nodes=joined("nodes", 0).astype(np.int32),
        beams=read[0][1]["beams"].astype(np.int32),
        absorbed=joined("absorbed", 1),
        lost=joined("lost", 1),
        steps=tuple(first["steps"]),
        reciprocal_mrad=np.array(first["reciprocal_mrad"]),
        operations=np.array(first["operations"]),
        cone_mrad=first["cone_mrad"],
        field_mrad=first["field_mrad"],
        plane_spacing_nm=first["plane_spacing_a"] / 10,
        energy_ev=first["energy_ev"],
        facts={
            key: first[key]
            for key in (
                "formula",
                "zone_axis",
                "thermal_model",
                "propagator",
                "termination",
                "grid_px",
                "slice_depth_a",
            )
        },
    ).save(out_dir)


def _read_block(folder: Path) -> tuple[dict, dict[str, np.ndarray]]:
    try:
        with (folder / "block.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return json.loads((folder / "grid.json").read_text()), dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise FormatError(f"block {folder}: damaged or incomplete ({error})") from error
