"""The rocking table I(t; G, q): every PACBED pattern of a crystal and voltage in compact form.

I(t; G, q) = |S(q + G, q)|^2 is the intensity that an incident plane wave of direction q sends into beam G at thickness
t. The pattern of a probe of semi-convergence angle alpha and mistilt tau, averaged over its positions in the cell, is
the sum of I(t; k - q, q) over the directions q of its aperture, |q - tau| <= alpha (LeBeau et al., Ultramicroscopy 110,
118 (2010)).
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from pacbed.errors import FormatError
from pacbed.outputs import check_done, check_version, folder_aside, plain_json, write_done
from pacbed.systems import System

SCHEMA_VERSION = 3  # the only one that is read: what had others held no coefficients of this spline
ARRAYS = ("codes", "rows", "nodes", "beams", "absorbed", "lost")
OPTIONAL = ("diffuse",)


@dataclass(frozen=True)
class RockingTable:
    """Plane-wave diffraction intensities of a slab, as the coefficients of a cubic spline.

    The spline runs over two directions and thickness (`pacbed.simulation.table.spline`). A coefficient is stored for
    each pair of a direction q and a beam G that a rendered pattern may need.

    Attributes
    ----------
    codes : ndarray of int16, shape (coefficient, pair)
        Spline coefficients of |S(q + G, q)|^2, coded as `decode_coefficients` reads them.
    rows : ndarray of int, shape (row, 4)
        Order of the pairs, in runs of directions m1, m2, m2 + 1 ... of one beam: index into `beams`, m1, first m2 and
        length of each run.
    nodes : ndarray of int, shape (direction, 2)
        Directions q = m1 G1 / n1 + m2 G2 / n2 that were computed, one of each orbit of the beam group.
    beams : ndarray of int, shape (beam, 2)
        Indices of the reciprocal-lattice vectors G.
    absorbed, lost : ndarray of float32, shape (plane, direction)
        Fractions of the beam absorbed and lost to the band limit, at the directions of `nodes`.
    steps : tuple of int
        n1, n2: directions per reciprocal-lattice vector.
    reciprocal_mrad : ndarray, shape (2, 2)
        Rows G1, G2, Cartesian in the crystal frame [mrad].
    operations : ndarray of int, shape (operation, 2, 2)
        Operations of the beam group that expand the stored coefficients, acting on node and beam indices.
    beam_group : ndarray of int, shape (operation, 2, 2)
        The whole beam group, acting on node and beam indices.
    cone_mrad, field_mrad : float
        Largest incident and largest scattered angle that can be rendered [mrad].
    plane_spacing_nm : float
        Distance of the thickness planes [nm].
    first_plane : int
        Plane of the first coefficient; -1 in a table that starts at the entrance surface.
    thickness_max_nm : float
        Largest thickness that can be rendered [nm].
    energy_ev : float
        Kinetic energy of the electrons [eV].
    facts : dict
        Crystal, beam and engine as plain JSON values.
    diffuse : ndarray of int16, shape (coefficient, pair), or None
        Of frozen phonons: the same for the diffuse intensity in the cell of reciprocal space around q + G. With it,
        `absorbed` is the whole diffuse part.
    """

    codes: np.ndarray
    rows: np.ndarray
    nodes: np.ndarray
    beams: np.ndarray
    absorbed: np.ndarray
    lost: np.ndarray
    steps: tuple[int, int]
    reciprocal_mrad: np.ndarray
    operations: np.ndarray
    beam_group: np.ndarray
    cone_mrad: float
    field_mrad: float
    plane_spacing_nm: float
    first_plane: int
    thickness_max_nm: float
    energy_ev: float
    facts: dict
    diffuse: np.ndarray | None = None

    @property
    def elastic(self) -> RockingTable:
        """The same table without its diffuse part."""
        return replace(self, diffuse=None)

    @property
    def pitch_mrad(self) -> np.ndarray:
        """Rows: the two node steps [mrad]."""
        return self.reciprocal_mrad / np.array(self.steps)[:, None]

    @property
    def beams_mrad(self) -> np.ndarray:
        """Reciprocal-lattice vectors of the beams, Cartesian, shape (beam, 2) [mrad]."""
        return self.beams @ self.reciprocal_mrad

    @property
    def widest_pitch_mrad(self) -> float:
        """The longer of the two node steps [mrad]."""
        return float(np.linalg.norm(self.pitch_mrad, axis=1).max())

    @property
    def group(self) -> np.ndarray:
        """Beam group as Cartesian matrices, shape (operation, 2, 2), acting on column vectors in the crystal frame."""
        return self._cartesian(self.beam_group)

    @property
    def exact_group(self) -> np.ndarray:
        """Those of the beam group that expand the stored coefficients: rendered patterns have them to rounding."""
        return self._cartesian(self.operations)

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

    def _cartesian(self, operations: np.ndarray) -> np.ndarray:
        basis = self.reciprocal_mrad.T
        return basis @ operations @ np.linalg.inv(basis)

    def save(self, folder: str | Path) -> None:
        """Write ``rocking.zarr`` and ``done.json`` into a folder that appears complete or not at all."""
        with folder_aside(folder) as aside:
            digests = self.write(zarr.open_group(str(aside / "rocking.zarr"), mode="w", zarr_format=3))
            done = {"pairs": self.codes.shape[1], "coefficients": self.codes.shape[0], "sha256": digests}
            write_done(aside, done)

    def write(self, group: zarr.Group) -> dict[str, str]:
        """Store the table in an open Zarr group; returns the SHA-256 of each array's bytes."""
        # LZ4 at level 9, which works on the largest blocks: half the time of Zstandard for 12 % more bytes at most.
        codec = BloscCodec(cname="lz4", clevel=9, shuffle="bitshuffle")
        names = (*ARRAYS, *(name for name in OPTIONAL if getattr(self, name) is not None))
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in names}
        with ThreadPoolExecutor(1) as pool:
            digests = pool.map(_digest, arrays.values())  # while the arrays are compressed
            for name, array in arrays.items():
                chunks = tuple(max(1, min(size, 4_000_000 // max(1, array.shape[0]))) for size in array.shape)
                chunks = (max(1, array.shape[0]), *chunks[1:])
                group.create_array(name, data=array, chunks=chunks, compressors=codec)
        facts = [field.name for field in fields(self) if field.name not in (*ARRAYS, *OPTIONAL)]
        plain = {name: plain_json(getattr(self, name)) for name in facts}
        group.attrs.update({"schema_version": SCHEMA_VERSION, **plain})
        return dict(zip(names, digests, strict=True))

    @classmethod
    def load(cls, folder: str | Path) -> RockingTable:
        """Read what `save` wrote.

        Raises
        ------
        FormatError
            The folder holds no complete table, one of a newer version, or other numbers than were written.
        """
        folder = Path(folder)
        digests = check_done(folder, "rocking table").get("sha256", {})
        try:
            table = cls.read(zarr.open_group(str(folder / "rocking.zarr"), mode="r"))
        except RuntimeError as error:  # of a codec
            raise FormatError(f"rocking table {folder}: damaged ({error}); delete it and make it again") from error
        wrong = [name for name, digest in digests.items() if _digest(getattr(table, name)) != digest]
        if wrong:
            raise FormatError(
                f"rocking table {folder}: damaged ({', '.join(wrong)}: other numbers than were written); delete it and "
                "make it again"
            )
        return table

    @classmethod
    def read(cls, group: zarr.Group) -> RockingTable:
        """Read a table from an open Zarr group.

        Raises
        ------
        FormatError
            Something is missing or damaged, or of another version.
        """
        facts: dict[str, Any] = dict(group.attrs)
        version = facts.pop("schema_version", None)
        check_version("rocking table", version, current=SCHEMA_VERSION, oldest=SCHEMA_VERSION)
        try:
            names = (*ARRAYS, *(name for name in OPTIONAL if name in group))
            stored: dict[str, Any] = dict(group.arrays())
            arrays: dict[str, Any] = {name: stored[name][...] for name in names}  # np.asarray would copy
            facts["steps"] = tuple(facts["steps"])
            facts["reciprocal_mrad"] = np.array(facts["reciprocal_mrad"])
            for name in ("operations", "beam_group"):
                facts[name] = np.array(facts[name], dtype=int)
            return cls(**arrays, **facts)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"rocking table: damaged or incomplete ({error})") from error


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.reshape(-1).data).hexdigest()


def of_table(table_dir: str | Path) -> System:
    """The system of a rocking table; its arrays are not read.

    Raises
    ------
    FormatError
        The folder holds no complete table, or one that does not say of which system it is.
    """
    check_done(table_dir, "rocking table")
    attributes: dict[str, Any] = dict(zarr.open_group(str(Path(table_dir) / "rocking.zarr"), mode="r").attrs)
    try:
        facts = attributes["facts"]
        return System(facts["formula"], tuple(facts["zone_axis"]), attributes["energy_ev"] / 1e3)
    except (TypeError, KeyError) as error:
        raise FormatError(f"rocking table {table_dir}: does not say of which system it is ({error!r})") from error
