"""What lies in a bundle, looked at member by member before zarr, NumPy or onnxruntime sees any of it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pacbed.bundle.gate.arrays import check_arrays
from pacbed.bundle.gate.networks import check_network
from pacbed.bundle.meta import BundleMeta
from pacbed.config.values import TASKS
from pacbed.errors import FormatError
from pacbed.networks.description import NetworkDescription

META = "bundle.json"
STORES = ("rocking.zarr", "validation.zarr")
LARGEST_ARCHIVED = 2**31  # bytes of all arrays in an archive of NumPy, unpacked


class Members(Protocol):
    """A bundle that is read member by member."""

    path: Path
    meta: BundleMeta

    def names(self) -> list[str]:
        """All members."""
        ...

    def read(self, name: str) -> bytes:
        """Content of one member."""
        ...

    def starts(self, names: Iterable[str], count: int) -> Iterator[tuple[str, bytes]]:
        """First bytes of many members, with their names."""
        ...


def check_contents(bundle: Members) -> None:
    """Refuse a bundle whose arrays or networks are anything but data of bounded size.

    Parameters
    ----------
    bundle : Members
        Its container was accepted by `check_container`.

    Raises
    ------
    FormatError
        Naming bundle and member.
    """
    names = bundle.names()
    try:
        foreign = set(names) - bundle.meta.members.keys() - {META}
        if bundle.meta.members and foreign:
            raise FormatError(f"got the foreign member {min(foreign)}, accepted: members that {META} lists")
        for store in STORES:
            check_arrays(names, bundle.read, bundle.starts, store=store)
        for name in names:
            if name.endswith(".npz"):
                _check_archived(name, bundle.read(name))
        for task in TASKS:
            if f"{task}.onnx" in names:
                check_network(task, bundle.read(f"{task}.onnx"), _description(task, names, bundle))
    except FormatError as error:
        where = f"bundle {bundle.path}: "
        raise FormatError(f"{where}{str(error).removeprefix(where)}") from None


def _description(task: str, names: Sequence[str], bundle: Members) -> NetworkDescription:
    if f"{task}.json" not in names:
        raise FormatError(f"{task}.json is missing or damaged (KeyError)")
    try:
        return NetworkDescription.from_json(task, json.loads(bundle.read(f"{task}.json")))
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError(f"{task}.json: damaged ({error})") from None


def _check_archived(name: str, content: bytes) -> None:
    """An archive of NumPy is a Zip of its own; `numpy.load` refuses pickles, but unpacks whatever size."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            total = sum(member.file_size for member in archive.infolist())
            foreign = [member for member in archive.namelist() if not member.endswith(".npy")]
    except (ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise FormatError(f"{name} is missing or damaged ({type(error).__name__})") from None
    if foreign or total > LARGEST_ARCHIVED:
        raise FormatError(f"{name}: got {total} bytes unpacked, accepted: arrays of {LARGEST_ARCHIVED} bytes at most")
