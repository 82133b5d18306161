"""A bundle as it lies on disk: its members, their hashes, and the Zip around them.

A bundle is one file, ``<system>.pacbed``, or a folder of the same content; nothing in it is code.

- ``bundle.json``: ranges, thresholds, metrics, versions, and the SHA-256 of every other member; `meta` has its fields
  and its ``schema_version``, and still reads the version before.
- ``structure/cell.json``, ``structure/slices.npz``: the oriented cell and its slice potentials, as
  `pacbed.crystal.potentials` writes them.
- ``structure/table.json``: how the rocking table is made from them, a `recipe`.
- ``rocking.zarr/``: the rocking table in levels of thickness, as `compact` writes it under its ``compact_version``; a
  table of frozen phonons as `pacbed.simulation.table.rocking_table` does. A slim bundle has none: `pretrained` makes
  it when it is needed, `rebuild` for good.
- ``<task>.onnx``, ``<task>.json``: a network, and what it takes and answers, for each of `pacbed.config.values.TASKS`;
  `pacbed.networks.trained` reads them. A bundle may have none of them.
- ``validation.zarr/``: held-out thickness series of the stack, as `sample` writes them.
- ``evaluation/patterns.npz``: some patterns of the evaluation and how they were answered, as
  `pacbed.analysis.repetition` has them; bundles made earlier have none.

The folder ``structure/`` holds more of what `orient_structure` found; a bundle carries it along. The Zip is stored
without compression, its members sorted and their dates fixed, so that the same content gives the same file.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from pacbed.bundle.gate.container import check_container
from pacbed.bundle.meta import BundleMeta, read_meta
from pacbed.errors import FormatError
from pacbed.outputs import file_aside

META = "bundle.json"
STRUCTURE = "structure"
TABLE = "rocking.zarr"
VALIDATION = "validation.zarr"
EXAMPLES = "evaluation/patterns.npz"
MOST_NAMED = 3  # of the members that are missing
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


class Archive:
    """A bundle that is read member by member.

    Parameters
    ----------
    path : path
        A ``.pacbed`` file, or a folder of the same content.

    Attributes
    ----------
    path : pathlib.Path
    meta : BundleMeta
        Content of ``bundle.json``.

    Raises
    ------
    FormatError
        The path holds no bundle, one of a newer version, or a part of one; or its container holds what no bundle does.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FormatError(f"bundle: got {str(path)!r}, accepted: a .pacbed file or folder that exists")
        check_container(self.path)
        content = self.read(META)
        try:
            self.meta: BundleMeta = read_meta(json.loads(content))
        except FormatError as error:
            raise FormatError(f"bundle {path}: {error}") from None
        except ValueError as error:
            raise FormatError(f"bundle {path}: {META} is damaged ({error})") from None
        lost = self.meta.members.keys() - set(self.names())
        if missing := sorted(name for name in lost if not name.startswith(f"{TABLE}/")):  # that can be made again
            verb = "is" if len(missing) == 1 else "are"
            raise FormatError(f"bundle {path}: {', '.join(missing[:MOST_NAMED])} {verb} missing: it is damaged")

    def names(self) -> list[str]:
        """All members, sorted."""
        if self.path.is_dir():
            return names_in(self.path)
        with zipfile.ZipFile(self.path) as archive:
            return sorted(archive.namelist())

    def holds(self, folder: str) -> bool:
        """Whether there are members in a folder, such as `TABLE`."""
        return any(name.startswith(f"{folder}/") for name in self.names())

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

    def starts(self, names: Iterable[str], count: int) -> Iterator[tuple[str, bytes]]:
        """The first bytes of many members, with their names."""
        if self.path.is_dir():
            for name in names:
                with (self.path / name).open("rb") as file:
                    yield name, file.read(count)
            return
        with zipfile.ZipFile(self.path) as archive:
            for name in names:
                with archive.open(name) as file:
                    yield name, file.read(count)

    def extract(self, folder: Path, *, without: tuple[str, ...]) -> None:
        """Copy all members but those in some folders, and `META`, to a folder."""
        for name in self.names():
            if name != META and name.split("/")[0] not in without:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(self.read(name))

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


def write_bundle(folder: Path, meta: BundleMeta, out: str | Path) -> None:
    """Finish the folder of a bundle with ``bundle.json`` and store it as one file.

    Parameters
    ----------
    folder : path
        Every member but ``bundle.json``.
    meta : BundleMeta
        What ``bundle.json`` says; the hashes in it are made anew.
    out : path
        The ``.pacbed`` file; complete or absent.
    """
    complete = meta.model_copy(update={"members": members_of(folder)})
    (folder / META).write_text(complete.model_dump_json(indent=2) + "\n", encoding="utf-8")
    zip_folder(folder, out)


def names_in(folder: str | Path) -> list[str]:
    """Names of a folder's files relative to it, with ``/`` between their parts, sorted."""
    folder = Path(folder)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def members_of(folder: str | Path) -> dict[str, str]:
    """SHA-256 of every file of a bundle's folder but ``bundle.json``, by name."""
    names = [name for name in names_in(folder) if name != META]
    return {name: hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest() for name in names}


def zip_folder(folder: str | Path, out: str | Path) -> None:
    """Store a bundle's folder as one Zip file that appears complete or not at all."""
    with file_aside(out) as aside:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
            for name in names_in(folder):
                archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), (Path(folder) / name).read_bytes())
        with aside.open("rb+") as file:  # on the disk before it gets its name: a power cut leaves no half of it
            os.fsync(file.fileno())
