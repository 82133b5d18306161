"""Names of results: one for every input, so that no result replaces that of another, or anything of the user's."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import chain, count
from pathlib import Path

from pacbed.analysis.maps.stored import MAP_FILES
from pacbed.analysis.result import read_result
from pacbed.errors import FormatError

FREE, OWN, TAKEN = "free", "own", "taken"
Standing = Callable[[Path, str], str]


def names_for(files: Sequence[Path], standing: Standing, part: str = "") -> list[str]:
    """A name for each input: the one its earlier result has, else the shortest that is its own and free on disk.

    Tried in turn: ``film``, ``film.tif``, ``monday_film.tif`` with the folder, ``monday_film.tif_2`` and so on; of a
    part, ``film_frame_3`` and so on. Upper and lower case count as the same, since some file systems think so. A file
    named twice has one name.

    Parameters
    ----------
    files : sequence of path
        Inputs.
    standing : callable
        Whether a name is `FREE` for the results of an input, by its absolute path, has its `OWN`, or is `TAKEN`.
    part : str
        Which pattern of each input is meant, as `PredictOptions.part` says it.
    """
    forms = {file.absolute(): _forms(file.absolute(), part) for file in files}
    shared = [Counter(name.casefold() for name in level) for level in zip(*forms.values(), strict=True)]
    names: dict[Path, str] = {}
    for file, form in forms.items():
        given = {name.casefold() for name in names.values()}
        own = (name for name in form if standing(file, name) == OWN)
        alone = (name for name, counts in zip(form, shared, strict=True) if counts[name.casefold()] == 1)
        numbered = (f"{form[-1]}_{number}" for number in count(2))
        tried = (name for name in chain(own, alone, numbered) if name.casefold() not in given)
        names[file] = next(name for name in tried if standing(file, name) != TAKEN)
    return [names[file.absolute()] for file in files]


def _forms(file: Path, part: str) -> tuple[str, ...]:
    said = re.sub(r"[^\w.-]+", "_", f"_{part}").strip("_")
    end = f"_{said}" if said else ""
    return tuple(f"{form}{end}" for form in (file.stem, file.name, f"{file.parent.name}_{file.name}"))


def predictions_in(out_dir: Path, ends: Sequence[str], kept: Collection[Path] = (), part: str = "") -> Standing:
    """How names stand in a folder of predictions: their own is that of an earlier result of the same input and part.

    Parameters
    ----------
    out_dir : path
    ends : sequence of str
        Of the names of everything a prediction writes; ``.json`` is the result that says whose they are.
    kept : collection of path
        Files that are read, none of which is ever replaced.
    part : str
        Which pattern of each input is meant, as `PredictOptions.part` says it.

    Returns
    -------
    callable
        For `names_for`.
    """
    read = {os.path.realpath(file) for file in kept}  # which takes loops of links and names too long as they stand

    def standing(file: Path, name: str) -> str:
        written = [out_dir / f"{name}{end}" for end in ends]
        if not any(os.path.exists(path) for path in written):
            return FREE
        if any(os.path.realpath(path) in read for path in written):
            return TAKEN
        try:
            provenance = read_result(out_dir / f"{name}.json").provenance
        except (FormatError, OSError):
            return TAKEN
        earlier = provenance.parameters
        same = _same_input(file, earlier.get("path"), provenance.input) and earlier.get("part", part) == part
        return OWN if same else TAKEN

    return standing


def maps_in(out_dir: Path) -> Standing:
    """How names stand in a folder of maps: their own is that of an earlier map of the same data, and nothing else.

    Parameters
    ----------
    out_dir : path

    Returns
    -------
    callable
        For `names_for`.
    """

    def standing(file: Path, name: str) -> str:
        folder, picture = out_dir / name, out_dir / f"{name}.png"
        if not folder.exists() and not picture.exists():
            return FREE
        try:
            facts = json.loads((folder / "map.json").read_text(encoding="utf-8"))
            ours = {path.name for path in folder.iterdir()} <= MAP_FILES
            return OWN if ours and _same_input(file, facts.get("path"), facts["input"]) else TAKEN
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return TAKEN

    return standing


def _same_input(file: Path, path: object, name: str) -> bool:
    """Results of earlier versions say the input's name alone."""
    return path == str(file) if path is not None else name == file.name
