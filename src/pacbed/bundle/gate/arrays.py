"""The arrays of a bundle: Zarr of format 3, numbers, codecs from a list, chunks that are no larger than they say."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from pacbed.errors import FormatError

Read = Callable[[str], bytes]
Starts = Callable[[Iterable[str], int], Iterable[tuple[str, bytes]]]
NODE = "zarr.json"
LARGEST_JSON = 2**24  # bytes: attributes of a level, with all operations of a group, are a few thousand
NUMBERS = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)} | {"float32", "float64", "float16"}
COMPRESSORS = ("blosc", "zstd")
CODECS = ("bytes", *COMPRESSORS, "crc32c")
BLOSC = ("blosclz", "lz4", "lz4hc", "zlib", "zstd")
MOST_AXES = 8
LARGEST_CHUNK = 2**30  # bytes
LARGEST_ARRAY = 2**34  # bytes: a table of frozen phonons in full precision
BLOSC_HEADER = struct.Struct("<4xI8x")  # unpacked bytes; README_CHUNK_FORMAT of c-blosc
HEADER_BYTES = 18  # the longest header of a frame of Zstandard
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878, section 3.1.1
ZSTD_SIZES = (1, 2, 4, 8)  # bytes of the frame's content size, by its flag


def check_arrays(names: Sequence[str], read: Read, starts: Starts, *, store: str) -> None:
    """Refuse a Zarr store that asks for code, for other types than numbers, or for more memory than it says.

    Parameters
    ----------
    names : sequence of str
        All members of the bundle.
    read : callable
        Returns the bytes of a member.
    starts : callable
        Returns names and first bytes of many members.
    store : str
        Folder of the store, such as ``rocking.zarr``.

    Raises
    ------
    FormatError
        Naming the member.
    """
    members = [name for name in names if name.startswith(f"{store}/")]
    nodes = {name.removesuffix(f"/{NODE}"): _node(name, read) for name in members if name.endswith(f"/{NODE}")}
    arrays = {folder: _Array(folder, node) for folder, node in nodes.items() if node.get("node_type") == "array"}
    for name, start in starts([name for name in members if not name.endswith(f"/{NODE}")], HEADER_BYTES):
        folder = name.rpartition("/c/")[0] or name.removesuffix("/c")  # an array without axes has the one chunk `c`
        if folder not in arrays:
            raise FormatError(f"{name}: got a chunk of no array, accepted: chunks beside their {NODE}")
        arrays[folder].check_chunk(name, start)


def _node(name: str, read: Read) -> dict[str, Any]:
    content = read(name)
    try:
        node = json.loads(content) if len(content) <= LARGEST_JSON else None
    except (ValueError, RecursionError):
        node = None
    if not isinstance(node, dict) or node.get("zarr_format") != 3 or node.get("node_type") not in ("array", "group"):
        raise FormatError(f"{name}: got no group or array of Zarr format 3, accepted: that alone")
    if node.get("consolidated_metadata") or node.get("storage_transformers"):
        raise FormatError(f"{name}: got consolidated metadata or storage transformers, accepted: neither")
    return node


class _Array:
    """What an array says of itself, checked.

    Parameters
    ----------
    folder : str
        Its name.
    node : dict
        Its ``zarr.json``.
    """

    def __init__(self, folder: str, node: Mapping[str, Any]) -> None:
        self._folder = folder
        try:
            shape, chunks = _lengths(node["shape"], least=0), _lengths(_configured(node["chunk_grid"])["chunk_shape"])
            named = (_name(node["chunk_grid"]), _name(node["chunk_key_encoding"]))
            separator = _configured(node["chunk_key_encoding"]).get("separator", "/")
            self._codecs = [(_name(codec), _configured(codec)) for codec in node["codecs"]]
            data_type = str(node["data_type"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._refusal(f"damaged metadata ({error})", "an array of Zarr format 3") from None
        if data_type not in NUMBERS:
            raise self._refusal(f"values of type {data_type!r}", "numbers")
        if named != ("regular", "default") or separator != "/":
            raise self._refusal("another chunk grid or chunk keys", "regular chunks with default keys")
        self._check_sizes(shape, chunks, np.dtype(data_type).itemsize)
        self._check_codecs()
        self._grid = [-(-length // chunk) for length, chunk in zip(shape, chunks, strict=True)]

    def _check_sizes(self, shape: list[int], chunks: list[int], itemsize: int) -> None:
        if len(shape) != len(chunks) or len(shape) > MOST_AXES:
            raise self._refusal(f"{len(shape)} axes, chunks of {len(chunks)}", f"as many of each, at most {MOST_AXES}")
        if any(chunk > max(1, length) for length, chunk in zip(shape, chunks, strict=True)):
            raise self._refusal(f"chunks of {chunks} in a shape of {shape}", "chunks within the array")
        self._chunk_bytes = prod(chunks) * itemsize
        if self._chunk_bytes > LARGEST_CHUNK or prod(shape) * itemsize > LARGEST_ARRAY:
            largest = f"{LARGEST_CHUNK // 2**20} MiB a chunk, {LARGEST_ARRAY // 2**20} an array"
            raise self._refusal(f"a shape of {shape} in chunks of {chunks}", f"at most {largest}")

    def _check_codecs(self) -> None:
        names = [name for name, _ in self._codecs]
        foreign = [name for name in names if name not in CODECS]
        inside = [str(configured.get("cname")) for name, configured in self._codecs if name == "blosc"]
        foreign += [name for name in inside if name not in BLOSC]
        if foreign:
            raise self._refusal(f"the codec {foreign[0]!r}", ", ".join(CODECS))
        packing = [name for name in names if name in COMPRESSORS]
        if names[:1] != ["bytes"] or names.count("bytes") > 1 or len(packing) > 1 or len(names) > len(CODECS):
            raise self._refusal(f"the codecs {names}", "bytes first, and one compressor at most")
        self._packing = packing[0] if packing else ""
        # A checksum before the compressor is part of what is packed.
        self._checksum = 4 * names[: names.index(self._packing) if packing else 0].count("crc32c")

    def check_chunk(self, name: str, start: bytes) -> None:
        """Refuse a chunk outside the array, or one that says it becomes larger than a chunk is."""
        place = name.removeprefix(f"{self._folder}/c").strip("/")
        index = [int(number) for number in place.split("/")] if place else []
        if len(index) != len(self._grid) or any(n >= count for n, count in zip(index, self._grid, strict=True)):
            raise self._refusal(f"the chunk {place!r}", f"{self._grid} chunks")
        unpacked = {"blosc": _blosc_bytes, "zstd": _zstd_bytes, "": lambda _: self._chunk_bytes}[self._packing](start)
        if unpacked != self._chunk_bytes + self._checksum:
            raise self._refusal(f"{unpacked} bytes in the chunk {place!r}", f"{self._chunk_bytes}")

    def _refusal(self, got: str, accepted: str) -> FormatError:
        return FormatError(f"{self._folder}: got {got}, accepted: {accepted}")


def _lengths(values: object, *, least: int = 1) -> list[int]:
    if not isinstance(values, list) or any(type(value) is not int or value < least for value in values):
        raise ValueError(f"lengths {values!r}")
    return values


def _name(part: object) -> str:
    return part if isinstance(part, str) else str(part["name"])  # type: ignore[index]


def _configured(part: object) -> Mapping[str, Any]:
    return {} if isinstance(part, str) else dict(part.get("configuration") or {})  # type: ignore[attr-defined]


def _blosc_bytes(start: bytes) -> int:
    """Size that a chunk of Blosc unpacks to; -1 if it is none."""
    return int(BLOSC_HEADER.unpack_from(start)[0]) if len(start) >= BLOSC_HEADER.size else -1


def _zstd_bytes(start: bytes) -> int:
    """Size that a frame of Zstandard unpacks to; -1 if it is none, or does not say so."""
    if len(start) < 6 or not start.startswith(ZSTD_MAGIC):
        return -1
    descriptor = start[4]
    flag, single, dictionary = descriptor >> 6, descriptor >> 5 & 1, (0, 1, 2, 4)[descriptor & 3]
    if flag == 0 and not single:
        return -1
    begin = 5 + (1 - single) + dictionary
    size = int.from_bytes(start[begin : begin + ZSTD_SIZES[flag]], "little")
    return size + 256 if flag == 1 else size
