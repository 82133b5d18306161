"""The bundle: everything a prediction needs for one crystal and voltage, in one file or one folder of data only."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.storage import LocalStore, ZipStore

from pacbed.bundle.compact import CompactTable
from pacbed.bundle.meta import read_meta
from pacbed.errors import FormatError
from pacbed.networks.trained import TrainedNetwork, load_networks
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable


class Bundle:
    """An open bundle; table, renderer and networks load when they are first used.

    Parameters
    ----------
    path : path
        A ``.pacbed`` file, or a folder of the same content.

    Raises
    ------
    FormatError
        The path holds no bundle, or one of a newer version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FormatError(f"bundle: got {str(path)!r}, accepted: a .pacbed file or folder that exists")
        content = self.read("bundle.json")
        try:
            self.meta = read_meta(json.loads(content))
        except FormatError as error:
            raise FormatError(f"bundle {path}: {error}") from None
        except ValueError as error:
            raise FormatError(f"bundle {path}: bundle.json is damaged ({error})") from None
        self.cache: dict[Any, Any] = {}  # what several predictions share, such as libraries

    def names(self) -> list[str]:
        """All members, sorted."""
        if self.path.is_dir():
            return sorted(p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file())
        with zipfile.ZipFile(self.path) as archive:
            return sorted(archive.namelist())

    def read(self, name: str) -> bytes:
        """Content of one member."""
        try:
            if self.path.is_dir():
                return (self.path / name).read_bytes()
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(name)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise FormatError(f"bundle {self.path}: {name} is missing or damaged ({type(error).__name__})") from None

    @cached_property
    def compact(self) -> CompactTable:
        """The rocking table, in levels of thickness."""
        if not any(name.startswith("rocking.zarr/") for name in self.names()):
            raise FormatError(
                f"bundle {self.path}: got no rocking table, accepted: a bundle with one; "
                f"make it with: pacbed build-table {self.path} --out NEW.pacbed"
            )
        return self._from_zarr("rocking.zarr", CompactTable.read)

    @property
    def table(self) -> RockingTable:
        """The finest and deepest level of the rocking table, which stands for all."""
        return self.compact.levels[-1]

    @cached_property
    def renderer(self) -> Renderer:
        """Renders any pattern of the table."""
        return Renderer.of_levels(self.compact.levels)

    @cached_property
    def networks(self) -> dict[str, TrainedNetwork]:
        """The three networks, by task."""
        return load_networks(self.read)

    def validation(self) -> dict[str, np.ndarray]:
        """Held-out sample of the stack: arrays by name, `pattern` (series, thickness, y, x) [fraction of the beam]."""

        def read(group: zarr.Group) -> dict[str, np.ndarray]:
            arrays = {name: np.asarray(array[...]) for name, array in group.arrays()}
            scale = float(group["pattern"].attrs["scale_factor"])  # type: ignore[arg-type]
            return {**arrays, "pattern": arrays["pattern"] * np.float32(scale)}

        return self._from_zarr("validation.zarr", read)

    @cached_property
    def sha256(self) -> str:
        """Hash of ``bundle.json``, which holds the hash of every other member."""
        return hashlib.sha256(self.read("bundle.json")).hexdigest()

    def verify(self) -> None:
        """Check every member against its hash.

        Raises
        ------
        FormatError
            Naming the members that are missing, damaged or foreign.
        """
        names = set(self.names()) - {"bundle.json"}
        wrong = sorted(names ^ self.meta.members.keys())
        for name in sorted(names & self.meta.members.keys()):
            if hashlib.sha256(self.read(name)).hexdigest() != self.meta.members[name]:
                wrong.append(name)
        if wrong:
            raise FormatError(f"bundle {self.path}: damaged, missing or foreign: {', '.join(wrong[:10])}")

    def _from_zarr(self, name: str, read: Callable[[zarr.Group], Any]) -> Any:
        store: ZipStore | LocalStore = (
            LocalStore(self.path, read_only=True) if self.path.is_dir() else ZipStore(self.path, mode="r")
        )
        try:
            return read(zarr.open_group(store, path=name, mode="r"))
        except FormatError as error:
            raise FormatError(f"bundle {self.path}: {error}") from error
        except Exception as error:  # zarr, its codecs and zipfile raise what they like on damaged data
            raise FormatError(f"bundle {self.path}: {name} is damaged ({type(error).__name__}: {error})") from error
        finally:
            store.close()


def load_bundle(path: str | Path) -> Bundle:
    """Open a bundle, a ``.pacbed`` file or a folder of the same content."""
    return Bundle(path)
