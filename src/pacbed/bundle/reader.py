"""Opens a bundle: everything a prediction needs for one crystal and voltage, loaded when it is first used."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import numpy as np
import zarr
from zarr.storage import LocalStore, ZipStore

from pacbed.bundle.archive import TABLE, VALIDATION, Archive
from pacbed.bundle.compact import CompactTable
from pacbed.bundle.gate.contents import check_contents
from pacbed.bundle.pretrained.cache import cached_table
from pacbed.bundle.pretrained.names import find_bundle, shipped_bundles
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


class Bundle(Archive):
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

    @cached_property
    def compact(self) -> CompactTable:
        """The rocking table, in levels of thickness; that of a slim bundle is made once and kept in the cache."""
        path = self.path if self.holds(TABLE) else cached_table(self)
        return self._from_zarr(path, TABLE, CompactTable.read)

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
        # They keep what reads their files; kept by it, a bundle would outlive its last user until a collection.
        return load_networks(Archive(self.path).read) if self.meta.class_values else {}

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
        """Held-out thickness series of the stack; a slim bundle has none.

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

        return self._from_zarr(self.path, VALIDATION, read)

    def _from_zarr(self, path: Path, name: str, read: Callable[[zarr.Group], Value]) -> Value:
        store: ZipStore | LocalStore = LocalStore(path, read_only=True) if path.is_dir() else ZipStore(path, mode="r")
        try:
            return read(zarr.open_group(store, path=name, mode="r"))
        except FormatError as error:
            raise FormatError(f"bundle {path}: {error}") from error
        except Exception as error:  # zarr, its codecs and zipfile raise what they like on damaged data
            raise FormatError(f"bundle {path}: {name} is damaged ({type(error).__name__}: {error})") from error
        finally:
            store.close()


def load_bundle(path: str | Path) -> Bundle:
    """Open a bundle: a ``.pacbed`` file, a folder of the same content, or the name of one that ships.

    One from elsewhere is looked at first, see `pacbed.bundle.gate`; what ships is part of the installation, as the
    code is.

    Raises
    ------
    FormatError
        The path holds no bundle, or one of a newer version; nothing ships under that name; or it holds what no bundle
        does, such as links, codecs or operators outside a list.
    """
    found = find_bundle(path)
    bundle = Bundle(found)
    if not any(found.samefile(one) for one in shipped_bundles().values()):
        check_contents(bundle)
    return bundle
