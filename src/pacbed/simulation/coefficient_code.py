"""Coefficients of a table packed for a file: a cosine transform along thickness, steps of one size, small integers."""

from __future__ import annotations

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import zarr
from numba import njit
from scipy.fft import dct
from zarr.codecs import BloscCodec

from pacbed.errors import FormatError
from pacbed.simulation.intensity_code import COEFFICIENT_LEVELS, decode_coefficients
from pacbed.simulation.rocking_table import RockingTable

OFFSET = 128  # added to an integer: most then have a high byte of zero, which costs nothing
LARGEST = 32_000  # integers stay inside 16 bits
CHUNK_PAIRS = 65_536
BLOCK_PAIRS = 4_096  # decoded together, inside the cache
THREADS = 4  # at most, to unpack: the memory is busy then
ARRAYS = ("packed", "rows", "beams")
UNUSED = ("nodes", "absorbed", "lost", "diffuse")  # a reader of patterns needs none of them


@dataclass(frozen=True)
class PackedTable:
    """A table with its coefficients packed.

    A quantiser with steps of one size spends fewest bits on a pattern's squared error; the transform leaves most of
    what varies smoothly with thickness in a few integers, and the others are zeros that a compressor removes.

    Attributes
    ----------
    frame : RockingTable
        Everything but the coefficients; its `codes` have no pairs.
    packed : ndarray of uint16, shape (frequency, pair)
        Integers plus `OFFSET`.
    step : float
        What one of them is worth.
    """

    frame: RockingTable
    packed: np.ndarray
    step: float

    @classmethod
    def of(cls, table: RockingTable, step: float) -> PackedTable:
        """Pack a table with a step, or a larger one where the integers would not fit."""
        planes, pairs = len(table.codes), table.codes.shape[1]
        transform = _transform(planes)
        most = max(float(np.abs(decode_coefficients(plane)).max(initial=0.0)) for plane in table.codes)
        step = max(float(step), most * planes**0.5 / LARGEST)
        packed = np.empty((planes, pairs), dtype=np.uint16)
        for first in range(0, pairs, CHUNK_PAIRS):
            part = slice(first, first + CHUNK_PAIRS)
            integers = np.round(transform @ decode_coefficients(table.codes[:, part]) / np.float32(step))
            packed[:, part] = (integers.astype(np.int32) + OFFSET).astype(np.uint16)
        return cls(replace(table, codes=np.zeros((planes, 0), dtype=np.int16)), packed, step)

    def table(self) -> RockingTable:
        """Unpack."""
        codes = np.empty(self.packed.shape, dtype=np.int16)
        back = np.ascontiguousarray(_transform(len(codes)).T) * np.float32(self.step)

        def unpack(first: int) -> None:
            for block in range(first, min(first + CHUNK_PAIRS, codes.shape[1]), BLOCK_PAIRS):
                part = slice(block, block + BLOCK_PAIRS)
                integers = (self.packed[:, part] - np.uint16(OFFSET)).view(np.int16).astype(np.float32)
                _encode(back @ integers, codes[:, part])

        with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
            list(pool.map(unpack, range(0, codes.shape[1], CHUNK_PAIRS)))
        return replace(self.frame, codes=codes)

    def write(self, group: zarr.Group) -> None:
        """Store in an open Zarr group."""
        codec = BloscCodec(cname="zstd", clevel=7, shuffle="shuffle")
        arrays = self._arrays()
        for name, array in arrays.items():
            chunks = (len(array), min(CHUNK_PAIRS, array.shape[1])) if name == "packed" else array.shape
            group.create_array(name, data=np.ascontiguousarray(array), chunks=chunks, compressors=codec)
        plain = {
            field.name: _plain(getattr(self.frame, field.name))
            for field in fields(RockingTable)
            if field.name not in ("codes", "rows", "beams", *UNUSED)
        }
        checks = {name: _checksum(array) for name, array in arrays.items()}
        group.attrs.update({"step": self.step, "crc32": checks, "table": plain})

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"packed": self.packed, "rows": self.frame.rows, "beams": self.frame.beams}

    @classmethod
    def read(cls, group: zarr.Group) -> PackedTable:
        """Read what `write` stored.

        Raises
        ------
        FormatError
            Something is missing or damaged.
        """
        try:
            arrays: dict[str, Any] = {name: np.ascontiguousarray(group[name]) for name in ARRAYS}
            facts: dict[str, Any] = dict(group.attrs["table"])  # type: ignore[arg-type]
            checks: dict[str, Any] = dict(group.attrs["crc32"])  # type: ignore[arg-type]
            facts["steps"] = tuple(facts["steps"])
            facts["reciprocal_mrad"] = np.array(facts["reciprocal_mrad"])
            for name in ("operations", "beam_group"):
                facts[name] = np.array(facts[name], dtype=int)
            frame = RockingTable(
                codes=np.zeros((len(arrays["packed"]), 0), dtype=np.int16),
                rows=arrays["rows"],
                beams=arrays["beams"],
                nodes=np.zeros((0, 2), dtype=np.int32),
                absorbed=np.zeros((0, 0), dtype=np.float32),
                lost=np.zeros((0, 0), dtype=np.float32),
                **facts,
            )
            step = float(group.attrs["step"])  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"rocking table {group.path}: damaged or incomplete ({error})") from error
        wrong = [name for name, array in arrays.items() if _checksum(array) != checks.get(name)]
        if wrong:
            raise FormatError(f"rocking table {group.path}: {', '.join(wrong)} damaged, accepted: what was written")
        return cls(frame, arrays["packed"], step)


def _transform(planes: int) -> np.ndarray:
    """Orthonormal cosine transform, float32, shape (frequency, coefficient)."""
    return np.ascontiguousarray(dct(np.eye(planes), axis=0, norm="ortho").astype(np.float32))


@njit(nogil=True, cache=True, fastmath=True)
def _encode(values, codes):
    """`encode_coefficients` in one pass."""
    levels = np.float32(COEFFICIENT_LEVELS)
    for row in range(codes.shape[0]):
        for pair in range(codes.shape[1]):
            root = np.sqrt(abs(values[row, pair])) * levels + np.float32(0.5)
            code = np.int16(min(root, np.float32(32767.0)))
            codes[row, pair] = code if values[row, pair] >= 0 else -code


def _checksum(array: np.ndarray) -> int:
    """Finds what the Zarr store does not miss, such as a chunk that is gone and reads as zeros."""
    return zlib.crc32(np.ascontiguousarray(array).data.cast("B"))


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value
