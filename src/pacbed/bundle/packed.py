"""A rocking table packed for a file: a cosine transform along thickness, steps of one size, small integers."""

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
from pacbed.outputs import plain_json
from pacbed.simulation.table.codes import COEFFICIENT_LEVELS, decode_coefficients
from pacbed.simulation.table.rocking_table import RockingTable

OFFSET = 128  # added to an integer: most then have a high byte of zero, which costs nothing
LARGEST_INTEGER = 32_000  # integers stay inside 16 bits
BLOCK_PAIRS = 1_024  # share a list of the frequencies that occur; small, because weak beams have few or none
CHUNK = 2_000_000  # integers
THREADS = 4  # at most, to unpack: the memory is busy then
ARRAYS = ("packed", "occurs", "rows", "beams")
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
    packed : ndarray of uint16, shape (integer,)
        Integers plus `OFFSET`: for each block of pairs, for each frequency that occurs in it, those of its pairs.
    occurs : ndarray of uint8, shape (block, frequency)
        1 where a block has an integer that is not zero.
    step : float
        What one of them is worth, in the unit of `decode_coefficients`.
    """

    frame: RockingTable
    packed: np.ndarray
    occurs: np.ndarray
    step: float

    @classmethod
    def of(cls, table: RockingTable, step: float) -> PackedTable:
        """Pack a table.

        Parameters
        ----------
        table : RockingTable
        step : float
            What an integer is worth; larger where the integers would not fit.
        """
        planes, pairs = len(table.codes), len(table.codes[0])
        transform = _transform(planes)
        most = max(float(np.abs(decode_coefficients(plane)).max(initial=0.0)) for plane in table.codes)
        step = max(float(step), most * planes**0.5 / LARGEST_INTEGER)
        occurs, kept = np.zeros((-(-pairs // BLOCK_PAIRS), planes), dtype=np.uint8), []
        for block in range(len(occurs)):
            coefficients = decode_coefficients(table.codes[:, block * BLOCK_PAIRS : (block + 1) * BLOCK_PAIRS])
            integers = np.round(transform @ coefficients / np.float32(step)).astype(np.int32)
            occurs[block] = integers.any(axis=1)
            kept.append((integers[occurs[block] > 0] + OFFSET).astype(np.uint16).ravel())
        packed = np.concatenate([np.zeros(0, dtype=np.uint16), *kept])
        return cls(replace(table, codes=np.zeros((planes, 0), dtype=np.int16)), packed, occurs, step)

    def table(self) -> RockingTable:
        """Unpack.

        Raises
        ------
        FormatError
            There are more or fewer integers than there should be.
        """
        pairs, planes = int(self.frame.rows[:, 3].sum()), self.occurs.shape[1]
        codes = np.zeros((planes, pairs), dtype=np.int16)
        back = np.ascontiguousarray(_transform(planes).T * np.float32(self.step))
        widths = np.minimum(BLOCK_PAIRS, pairs - BLOCK_PAIRS * np.arange(len(self.occurs)))
        ends = np.cumsum(widths * self.occurs.sum(axis=1, dtype=np.int64))
        if len(ends) and ends[-1] != len(self.packed):
            raise FormatError(f"packed coefficients: got {len(self.packed)}, accepted: {ends[-1]}")

        def unpack(blocks: np.ndarray) -> None:
            if len(blocks):
                _unpack(self.packed, self.occurs, ends, back, codes, blocks[0], blocks[-1] + 1)

        workers = min(THREADS, os.cpu_count() or 1)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(unpack, np.array_split(np.arange(len(self.occurs)), 4 * workers)))
        return replace(self.frame, codes=codes)

    def write(self, group: zarr.Group) -> None:
        """Store in an open Zarr group: the arrays of `ARRAYS`, and everything else as attributes."""
        codec = BloscCodec(cname="zstd", clevel=7, shuffle="shuffle")
        arrays = self._arrays()
        for name, array in arrays.items():
            chunks = (max(1, min(CHUNK, len(array))), *array.shape[1:])
            group.create_array(name, data=np.ascontiguousarray(array), chunks=chunks, compressors=codec)
        plain = {
            field.name: plain_json(getattr(self.frame, field.name))
            for field in fields(RockingTable)
            if field.name not in ("codes", "rows", "beams", *UNUSED)
        }
        checks = {name: _checksum(array) for name, array in arrays.items()}
        group.attrs.update({"step": self.step, "crc32": checks, "table": plain})

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"packed": self.packed, "occurs": self.occurs, "rows": self.frame.rows, "beams": self.frame.beams}

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
                codes=np.zeros((arrays["occurs"].shape[1], 0), dtype=np.int16),
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
        return cls(frame, arrays["packed"], arrays["occurs"], step)


def _transform(planes: int) -> np.ndarray:
    """Orthonormal cosine transform, float32, shape (frequency, coefficient)."""
    return np.ascontiguousarray(dct(np.eye(planes), axis=0, norm="ortho").astype(np.float32))


@njit(nogil=True, cache=True, fastmath=True)
def _unpack(packed, occurs, ends, back, codes, first_block, last_block):
    """Transform blocks back and code as `decode_coefficients` reads; blocks without any coefficients stay zero."""
    levels, half, most = np.float32(COEFFICIENT_LEVELS), np.float32(0.5), np.float32(32767.0)
    # Frequencies are taken four at a time, the last ones with weights of zero.
    values = np.zeros((occurs.shape[1] + 3, BLOCK_PAIRS), dtype=np.float32)
    weights = np.zeros((codes.shape[0], occurs.shape[1] + 3), dtype=np.float32)
    line = np.empty(BLOCK_PAIRS, dtype=np.float32)
    for block in range(first_block, last_block):
        rows = np.nonzero(occurs[block])[0]
        pair = np.uintp(block * BLOCK_PAIRS)
        width = np.uintp(min(BLOCK_PAIRS, codes.shape[1] - block * BLOCK_PAIRS))
        if len(rows) == 0:
            continue
        begin = np.uintp(ends[block] - width * len(rows))
        for at in range(np.uintp(len(rows))):
            for i in range(width):
                values[at, i] = np.float32(np.int32(np.int16(packed[begin + at * width + i])) - OFFSET)
        weights[:, len(rows) : len(rows) + 3] = 0.0
        weights[:, : len(rows)] = back[:, rows]
        for plane in range(np.uintp(codes.shape[0])):
            line[:] = 0.0
            for at in range(np.uintp(0), np.uintp(len(rows)), np.uintp(4)):
                _add_four(line, width, values, weights, plane, at)
            for i in range(width):
                root = np.floor(min(np.sqrt(abs(line[i])) * levels + half, most))
                codes[plane, pair + i] = np.int16(root if line[i] >= np.float32(0.0) else -root)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _add_four(line, width, values, weights, plane, at):
    """Add four weighted frequencies."""
    one, two, three = at + np.uintp(1), at + np.uintp(2), at + np.uintp(3)
    w0, w1, w2, w3 = weights[plane, at], weights[plane, one], weights[plane, two], weights[plane, three]
    for i in range(width):
        near = w0 * values[at, i] + w1 * values[one, i]
        line[i] += near + w2 * values[two, i] + w3 * values[three, i]


def _checksum(array: np.ndarray) -> int:
    """Finds what the Zarr store does not miss, such as a chunk that is gone and reads as zeros."""
    return zlib.crc32(np.ascontiguousarray(array).data.cast("B"))
