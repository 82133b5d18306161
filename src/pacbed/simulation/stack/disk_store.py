"""A Zarr store whose large files go straight to the disk, past the system's cache of files.

A stack is larger than what anybody reads again soon, and copying it into the cache can take as much of a core's time as
compressing it: 2 ms per megabyte on a virtual machine whose memory is new to it, a tenth of that straight to the disk.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import mmap
import os
from pathlib import Path
from threading import local

from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

log = logging.getLogger(__name__)
LEAST = 1_000_000  # bytes; the system handles small files better
BLOCK = 4096  # bytes; whole blocks, from memory that begins at one, are what disks take
DIRECT: int | None = getattr(os, "O_DIRECT", None)  # Linux only
_memory = local()


class DiskStore(LocalStore):
    """`zarr.storage.LocalStore` that writes large files directly where system and file system can.

    A file is written in place, not aside: use it in a folder that appears when it is complete.
    """

    _direct = DIRECT is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Store a value, as `LocalStore` does."""
        self._check_writable()
        large = len(value) >= LEAST and self._direct
        if not (large and await asyncio.to_thread(self._write, self.root / key, value)):
            await super().set(key, value)

    def _write(self, path: Path, value: Buffer) -> bool:
        """Write a file; False where that is not possible directly."""
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = -(-len(value) // BLOCK) * BLOCK
        blocks = _aligned(whole)
        blocks[: len(value)] = value.as_numpy_array().data
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | (DIRECT or 0), 0o666)
            try:
                done = 0
                while done < whole:
                    done += os.write(file, blocks[done:whole])
                os.ftruncate(file, len(value))
            finally:
                os.close(file)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise
            log.info("%s: no direct writing here (%s), the system's cache takes the files", self.root, error)
            self._direct = False
            return False
        return True


def _aligned(size: int) -> memoryview:
    """Memory of this thread that begins at a block; kept, because new memory costs as much as the cache."""
    if len(getattr(_memory, "blocks", ())) < size:
        _memory.blocks = memoryview(mmap.mmap(-1, size))
    blocks: memoryview = _memory.blocks
    return blocks
