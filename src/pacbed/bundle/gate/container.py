"""The container of a bundle, Zip or folder: plain names of plain files, stored as they are, no larger than the file."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pacbed.config.values import TASKS
from pacbed.errors import FormatError

MOST_MEMBERS = 100_000
LONGEST_NAME = 200
ENCRYPTED = 0x1  # flag bit 0 of a member; APPNOTE.TXT of PKWARE, section 4.4.4
# What a bundle may hold, as `pacbed.bundle.archive` describes it; Zarr has its own look at its folders.
KNOWN = re.compile(
    rf"bundle\.json|(?:{'|'.join(TASKS)})\.(?:onnx|json)|evaluation/patterns\.npz"
    r"|structure/[A-Za-z0-9_-]+\.(?:json|npz|png|csv|svg)"
    r"|(?:rocking|validation)\.zarr(?:/[A-Za-z0-9_]+)*/(?:zarr\.json|c(?:/[0-9]+)*)"
)


def check_container(path: Path) -> None:
    """Refuse a container that could write or read elsewhere, or be more than it looks.

    Parameters
    ----------
    path : path
        A ``.pacbed`` file, or a folder of the same content.

    Raises
    ------
    FormatError
        It is no Zip or damaged; or it holds compressed, encrypted or doubled members, links, devices, names that leave
        it, or members that no bundle has.
    """
    try:
        found = list(_in_folder(path) if path.is_dir() else _in_zip(path))
    except FormatError:
        raise
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise FormatError(f"bundle {path}: bundle.json is missing or damaged ({type(error).__name__})") from None
    names = [name for name, _ in found]
    if len(names) > MOST_MEMBERS:
        raise _refusal(path, f"{len(names)} members", f"at most {MOST_MEMBERS}")
    for name, trouble in found:
        if trouble:
            raise _refusal(path, f"{trouble} {_shown(name)}", "plain files stored without compression")
        if len(name) > LONGEST_NAME or not KNOWN.fullmatch(name):
            raise _refusal(path, f"the foreign member {_shown(name)}", "the members of a bundle")
    if double := _first_double(names):
        raise _refusal(path, f"two members {_shown(double)}", "one of each name")


def _in_zip(path: Path) -> Iterator[tuple[str, str]]:
    """Name of each member as it stands in the file, and what is wrong with it."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > path.stat().st_size:
            raise _refusal(path, "members that are larger than the file", "members stored one after the other")
        for member in members:
            yield member.orig_filename, _trouble(member)


def _trouble(member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        return "the compressed member"
    if member.flag_bits & ENCRYPTED:
        return "the encrypted member"
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "the link or device"
    return ""


def _in_folder(path: Path) -> Iterator[tuple[str, str]]:
    """The same of a folder; hidden files are of the file system, or of Snakemake."""
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            yield name, "the link or device"
        elif file.is_file() and not file.name.startswith("."):
            yield name, ""


def _first_double(names: Iterable[str]) -> str:
    """The first name that comes again; upper and lower case count as the same, since some file systems think so."""
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            return name
        seen.add(name.casefold())
    return ""


def _shown(name: str) -> str:
    text = repr(name)
    return text if len(text) <= 80 else f"{text[:60]}..."


def _refusal(path: Path, got: str, accepted: str) -> FormatError:
    return FormatError(f"bundle {path}: got {got}, accepted: {accepted}")
