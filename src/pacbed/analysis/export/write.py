"""Snippets as files beside a result; what is there already is never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pacbed.analysis.export.first_guess import USUAL_SLICE_NM, FirstGuess, check_slice
from pacbed.analysis.export.of_map import guess_of_map
from pacbed.analysis.export.snippet import PROGRAMS, check_program, export_snippet
from pacbed.analysis.maps.stored import ThicknessMap
from pacbed.analysis.result import Result
from pacbed.outputs import write_text


@dataclass(frozen=True)
class Export:
    """Which program a first guess is for.

    Attributes
    ----------
    program : {"ptyrad", "phaser"}
    slice_nm : float
        About the thickness of a slice [nm].

    Raises
    ------
    ParameterError
        The program is not known, or the slice is too thin or too thick.
    """

    program: str
    slice_nm: float = USUAL_SLICE_NM

    def __post_init__(self) -> None:
        check_program(self.program)
        check_slice(self.slice_nm)


def export_result(result: Result, export: Export, target: Path) -> str:
    """Write the snippet of a result, unless it is refused.

    Parameters
    ----------
    result : Result
    export : Export
    target : path
        The result's files without suffix: ``film`` gives ``film_ptyrad.yaml``, or ``film_ptyrad_2.yaml`` where that is
        taken by another text.

    Returns
    -------
    str
        What was done, one line.
    """
    if result.verdict == "refused" or result.thickness_nm is None:
        return f"nothing exported to {PROGRAMS[export.program].title}: the result is refused"
    caution = "" if result.verdict == "ok" else f"; the result is {result.verdict}"
    return export_guess(FirstGuess.of_result(result), export, target) + caution


def export_map(found: ThicknessMap, source: str, export: Export, target: Path) -> str:
    """Write the snippet of a map's medians, unless none of its windows is ok.

    Parameters
    ----------
    found : ThicknessMap
    source : str
        What it was made from.
    export : Export
    target : path
        As for `export_result`.

    Returns
    -------
    str
        What was done, one line.
    """
    guess = guess_of_map(found, source)
    if guess is None:
        return f"nothing exported to {PROGRAMS[export.program].title}: no window of the map is ok"
    return export_guess(guess, export, target) + (f"; {guess.warning}" if guess.warning else "")


def export_guess(guess: FirstGuess, export: Export, target: Path) -> str:
    """Write the snippet of a first guess; what was done, one line."""
    text = export_snippet(export.program, guess, slice_nm=export.slice_nm)
    path = _free_path(target.with_name(f"{target.name}_{export.program}"), text)
    write_text(text, path)
    slices, tilt = guess.slices(export.slice_nm), guess.tilt_yx_mrad
    angles = "tilt not known" if tilt is None else f"tilt y {tilt[0]:.2f}, x {tilt[1]:.2f} mrad"
    title = PROGRAMS[export.program].title
    return f"{path.name} for {title}: {slices.number} slices of {slices.thickness_nm:.3g} nm, {angles}"


def _free_path(stem: Path, text: str) -> Path:
    """The first name that is free, or holds this very text."""
    names = (stem.with_name(f"{stem.name}{'' if number == 1 else f'_{number}'}.yaml") for number in count(1))
    return next(path for path in names if not path.exists() or _holds(path, text))


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode("utf-8")
