"""The bundles that are served: those that ship and every one dropped into a folder, each looked at before it counts."""

from __future__ import annotations

import logging
import sys
import time
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.to_thread

from pacbed.bundle.archive import TABLE, Archive
from pacbed.bundle.gate.contents import check_contents
from pacbed.bundle.pretrained.cache import cache_entry
from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.errors import PacbedError
from pacbed.service.catalogue.served import Served

LOGGER = logging.getLogger("pacbed.service.bundles")
SCAN_S = 2.0
SETTLED_S = 2.0  # a file that was changed more recently is still being copied
PREPARE = "pacbed.service.workers.prepare"


class Registry:
    """Bundles by file name, kept in step with the folder.

    Parameters
    ----------
    folder : path or None
        Its ``.pacbed`` files are served.
    shipped : bool
        Serve those that ship as well; one of the same name in the folder comes first.
    """

    def __init__(self, folder: Path | None, *, shipped: bool = True) -> None:
        self._folder, self._shipped = folder, shipped
        self._known: dict[str, Served] = {}

    @property
    def bundles(self) -> list[Served]:
        """All of them, sorted by name."""
        return sorted(self._known.values(), key=lambda one: one.name)

    def ready(self) -> Served | None:
        """One that answers, if there is any: the smallest."""
        able = [one for one in self._known.values() if one.state == "ready"]
        return min(able, key=lambda one: one.stamp, default=None)

    def scan(self) -> None:
        """Look at what is new or changed, and forget what is gone."""
        found = shipped_bundles() if self._shipped else {}
        if self._folder is not None and self._folder.is_dir():
            found |= {
                path.stem: path for path in sorted(self._folder.glob("*.pacbed")) if not path.name.startswith(".")
            }
        for name in self._known.keys() - found.keys():
            LOGGER.info("bundle %s: gone", name)
            del self._known[name]
        for name, path in found.items():
            self._look_at(name, path)

    def _look_at(self, name: str, path: Path) -> None:
        try:
            status = path.stat()
        except OSError:  # gone since it was listed
            return
        stamp, before = (status.st_size, status.st_mtime_ns), self._known.get(name)
        if before is not None and before.stamp == stamp and before.state != "waiting":
            return
        one = Served(name, path, stamp)
        if time.time() - status.st_mtime < SETTLED_S:
            self._known[name] = one
            return
        self._known[name] = self._examined(one)

    def _examined(self, one: Served) -> Served:
        try:
            archive = Archive(one.path)
            check_contents(archive)
            archive.verify()
        except (PacbedError, OSError) as error:
            reason = str(error).replace(str(one.path.parent), "").replace("bundle /", "bundle ")
            LOGGER.warning("bundle %s: refused: %s", one.name, reason)
            return replace(one, state="refused", reason=reason)
        ready = archive.holds(TABLE) or cache_entry(archive).exists()
        LOGGER.info("bundle %s: %s", one.name, "ready" if ready else "its table is made first")
        return replace(one, state="ready" if ready else "preparing", sha256=archive.sha256, meta=archive.meta)

    async def keep_in_step(self) -> None:
        """Scan for ever, and make tables one after the other."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._scan_for_ever)
            group.start_soon(self._prepare_for_ever)

    async def _scan_for_ever(self) -> None:
        while True:
            try:
                await anyio.to_thread.run_sync(self.scan)
            except (PacbedError, OSError) as error:
                LOGGER.warning("bundles: %s", error)
            await anyio.sleep(SCAN_S)

    async def _prepare_for_ever(self) -> None:
        while True:
            for one in [one for one in self.bundles if one.state == "preparing"]:
                await self._prepare(one)
            await anyio.sleep(SCAN_S)

    async def _prepare(self, one: Served) -> None:
        command = [sys.executable, "-m", PREPARE, str(one.path)]
        done = await anyio.run_process(command, check=False, stdout=None)
        if self._known.get(one.name) != one:  # another file by now
            return
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        state = (
            replace(one, state="ready") if done.returncode == 0 else replace(one, state="refused", reason="".join(last))
        )
        self._known[one.name] = state
        LOGGER.info("bundle %s: %s", one.name, state.state)
