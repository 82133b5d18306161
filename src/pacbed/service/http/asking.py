"""From an upload to a look-up in the store: saved by its hash, known before or answered by a worker, kept."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

import anyio
import anyio.to_thread
from fastapi import Request, UploadFile

from pacbed.service.catalogue.served import Served
from pacbed.service.identity import question_of
from pacbed.service.problems import unusable
from pacbed.service.state import Service
from pacbed.service.store.lookup import SHEET, Lookup, Question
from pacbed.service.workers.job import Job, RawFrame
from pacbed.service.workers.tasks import ANSWER

PIECE = 2**20  # bytes
LONGEST_NAME = 200
# Formats that one file carries; what it is is told by its content.
SUFFIXES = {
    *(
        ".tif",
        ".tiff",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".bmp",
        ".npy",
        ".npz",
        ".dm3",
        ".dm4",
        ".emd",
        ".hspy",
        ".mib",
    ),
    *(".blo", ".ser", ".tvips", ".mrc", ".mrcs", ".ali", ".st", ".mrcz", ".unf", ".prz", ".nxs", ".h5", ".hdf5"),
}
RAW = ".raw"


@dataclass(frozen=True)
class Asked:
    """A pattern and what is asked of it.

    Attributes
    ----------
    upload : UploadFile
    bundle : Served
    options : dict
        Fields of `pacbed.analysis.options.PredictOptions` that were given.
    raw : RawFrame or None
        For bytes without a header.
    suffix : str
        By which the upload is read; empty takes that of its name.
    sheet : bool
        Draw the sheet as well.
    """

    upload: UploadFile
    bundle: Served
    options: dict[str, Any] = field(default_factory=dict)
    raw: RawFrame | None = None
    suffix: str = ""
    sheet: bool = False


async def answer(service: Service, request: Request, owner: str, asked: Asked) -> tuple[Lookup, bool]:
    """Answer a pattern.

    Parameters
    ----------
    service : Service
    request : Request
        Is told the id, for the audit.
    owner : str
    asked : Asked

    Returns
    -------
    Lookup
    bool
        It was known before.

    Raises
    ------
    ServiceError
    """
    name = plain_file_name(asked.upload.filename)
    suffix = asked.suffix or accepted_suffix(name)
    async with aside(service.allowance(owner), service.scratch()) as (_, folder):
        file = folder / "upload" / f"pattern{suffix}"
        digest = await save_upload(asked.upload, file)
        question = _question(owner, asked, name, f"{digest}{suffix}")
        found = await anyio.to_thread.run_sync(service.lookups.asked_before, owner, question.key)
        again = found is not None and (not asked.sheet or (found.folder / SHEET).is_file())
        if found is None or not again:
            kept, options = service.lookups.folder, asked.options
            which = asked.bundle
            job = Job(folder, file, name, which.path, kept, options, asked.raw, asked.sheet, which.sha256)
            done = await service.pool.look_up(job, owner)
            if done.trouble:
                raise unusable(done.trouble)
            made = None if done.known else folder / ANSWER
            found = await anyio.to_thread.run_sync(service.lookups.keep, done.identity, question, file, made)
            again = done.known
    request.state.lookup = found.identity
    service.metrics.lookup(asked.bundle.name, found.verdict, again=again)
    return found, again


@asynccontextmanager
async def aside(*contexts: AbstractContextManager[Any]) -> AsyncIterator[list[Any]]:
    """Enter and leave contexts that wait for a database, for Redis or for the disk beside other requests.

    Parameters
    ----------
    *contexts : context manager
        What they yield is yielded in their order.
    """
    held = ExitStack()
    try:
        with anyio.CancelScope(shield=True):  # who goes away meanwhile leaves nothing taken
            entered = [await anyio.to_thread.run_sync(held.enter_context, one) for one in contexts]
        yield entered
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(held.close)


def _question(owner: str, asked: Asked, name: str, pattern: str) -> Question:
    raw = None if asked.raw is None else asked.raw._asdict()
    key = question_of({"file": pattern, "raw": raw, "name": name}, asked.bundle.sha256, asked.options)
    request = {
        "input": name,
        "bundle": asked.bundle.path.name,
        "bundle_sha256": asked.bundle.sha256,
        "options": asked.options,
        "raw": raw,
    }
    return Question(owner, key, pattern, request)


def plain_file_name(name: str | None) -> str:
    """The last part of a file name, printable and not too long; it is shown, and never a place on this machine."""
    last = PureWindowsPath((name or "").replace("\0", "")).name
    shown = "".join(letter if letter.isprintable() else "?" for letter in last).strip()
    stem, dot, suffix = shown.rpartition(".")
    if len(shown) > LONGEST_NAME:
        shown = f"{(stem or shown)[: LONGEST_NAME - 20]}{dot}{suffix[:10]}"
    return shown or "pattern"


def accepted_suffix(name: str) -> str:
    """The suffix of a file that is read.

    Raises
    ------
    ServiceError
        422: another.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise unusable(f"file: got {name!r}, accepted: a name ending in {', '.join(sorted(SUFFIXES))}")
    return suffix


async def save_upload(upload: UploadFile, file: Path) -> str:
    """Write an upload to the disk and return its SHA-256."""
    return await anyio.to_thread.run_sync(_save, upload, file)


def _save(upload: UploadFile, file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("wb") as out:
        while piece := upload.file.read(PIECE):
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest()
