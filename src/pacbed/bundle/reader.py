"""Opens a bundle: everything a prediction needs for one crystal and voltage, loaded when it is first used."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import numpy as np
import zarr
from zarr.storage import LocalStore, ZipStore

from pacbed.bundle.archive import META, TABLE, VALIDATION, names_in
from pacbed.bundle.compact import CompactTable
from pacbed.bundle.meta import BundleMeta, read_meta
from pacbed.errors import FormatError
from pacbed.networks.trained import TrainedNetwork, load_networks
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

Value = TypeVar("Value")
RECENT_RESULTS = 8  # libraries of a convergence angle take some 20 MB each


class RecentResults:
    """Results by key, the least recently used dropped first; a thread that asks for one in the making waits for it.

    Parameters
    ----------
    limit : int
        How many are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = RLock()  # held while a result is made: two threads never make the same one

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The result kept under a key, or what `make` returns, which is then kept; nothing is kept if it raises."""
        with self._lock:
            if key not in self._results:
                self._results[key] = make()
            self._results.move_to_end(key)
            while len(self._results) > self._limit:
                self._results.popitem(last=False)
            return self._results[key]


class Bundle:
    """An open bundle; table, renderer and networks load when they are first used. Threads may share it.

    Parameters
    ----------
    path : path
        A ``.pacbed`` file, or a folder of the same content; `pacbed.bundle.archive` says what is in it.

    Attributes
    ----------
    path : pathlib.Path
    meta : BundleMeta
        Content of ``bundle.json``.

    Raises
    ------
    FormatError
        The path holds no bundle, or one of a newer version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FormatError(f"bundle: got {str(path)!r}, accepted: a .pacbed file or folder that exists")
        content = self.read(META)
        try:
            self.meta: BundleMeta = read_meta(json.loads(content))
        except FormatError as error:
            raise FormatError(f"bundle {path}: {error}") from None
        except ValueError as error:
            raise FormatError(f"bundle {path}: {META} is damaged ({error})") from None

    def names(self) -> list[str]:
        """All members, sorted."""
        if self.path.is_dir():
            return names_in(self.path)
        with zipfile.ZipFile(self.path) as archive:
            return sorted(archive.namelist())

    def read(self, name: str) -> bytes:
        """Content of one member.

        Raises
        ------
        FormatError
            It is missing or damaged.
        """
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
        if not any(name.startswith(f"{TABLE}/") for name in self.names()):
            raise FormatError(
                f"bundle {self.path}: got no rocking table, accepted: a bundle with one; "
                f"make it with: pacbed build-table {self.path} --out NEW.pacbed"
            )
        return self._from_zarr(TABLE, CompactTable.read)

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
        """The three networks, by task; empty in a bundle that was made without networks."""
        return load_networks(self.read) if self.meta.class_values else {}

    def recent(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` returns: made once, and kept with the bundle while it is among the `RECENT_RESULTS` last used.

        Parameters
        ----------
        key : hashable
            Names the result.
        make : callable
            Makes it; other threads wait for it.
        """
        value: Value = self._recent.get(key, make)
        return value

    @cached_property
    def _recent(self) -> RecentResults:
        return RecentResults(RECENT_RESULTS)

    def validation(self) -> dict[str, np.ndarray]:
        """Held-out thickness series of the stack.

        Returns
        -------
        dict of ndarray
            ``pattern``, shape (series, thickness, y, x) [fraction of the beam per pixel]; its axes ``thickness_nm``
            [nm], ``ky_mrad`` and ``kx_mrad`` [mrad]; and ``convergence_mrad`` [mrad], ``mistilt_mrad`` [mrad] and
            ``azimuth_deg`` [deg], shape (series,).
        """

        def read(group: zarr.Group) -> dict[str, np.ndarray]:
            arrays = {name: np.asarray(array[...]) for name, array in group.arrays()}
            scale = float(group["pattern"].attrs["scale_factor"])  # type: ignore[arg-type]
            return {**arrays, "pattern": arrays["pattern"] * np.float32(scale)}

        return self._from_zarr(VALIDATION, read)

    @cached_property
    def sha256(self) -> str:
        """Hash of ``bundle.json``, which holds the hash of every other member."""
        return hashlib.sha256(self.read(META)).hexdigest()

    def verify(self) -> None:
        """Check every member against its hash.

        Raises
        ------
        FormatError
            Naming the members that are missing, damaged or foreign.
        """
        names = set(self.names()) - {META}
        wrong = sorted(names ^ self.meta.members.keys())
        for name in sorted(names & self.meta.members.keys()):
            if hashlib.sha256(self.read(name)).hexdigest() != self.meta.members[name]:
                wrong.append(name)
        if wrong:
            raise FormatError(f"bundle {self.path}: damaged, missing or foreign: {', '.join(wrong[:10])}")

    def _from_zarr(self, name: str, read: Callable[[zarr.Group], Value]) -> Value:
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
    """Open a bundle, a ``.pacbed`` file or a folder of the same content.

    Raises
    ------
    FormatError
        The path holds no bundle, or one of a newer version.
    """
    return Bundle(path)
