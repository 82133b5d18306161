"""The first guess in the parameter files of PtyRAD and phaser, both YAML, lengths in Å."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pacbed.analysis.export.first_guess import USUAL_SLICE_NM, FirstGuess, Slices
from pacbed.analysis.result import Estimate, with_std
from pacbed.errors import bad_value

A_PER_NM = 10.0
NO_TILT = "# The direction of the mistilt is not known: set the tilt yourself."
FRAME = """\
# Angles [mrad] along rows (y, down) and columns (x, right) of the patterns as pacbed read them: minus the mistilt, that
# is the place of the zone axis seen from the centre of the undiffracted disk. If {flips} flips or
# transposes the patterns, do the same to the two angles: upside down changes the sign of the first, left to right that
# of the second, a transpose swaps them."""


class Program(NamedTuple):
    """A program that reconstructs.

    Attributes
    ----------
    title : str
        As it calls itself.
    page : str
        Where its parameters are described.
    flips : str
        Its parameter for the orientation of the patterns.
    lines : callable
        From slices and tilt (y, x) [mrad] or None to the lines of its parameter file.
    """

    title: str
    page: str
    flips: str
    lines: Callable[[Slices, tuple[float, float] | None], list[str]]


def _ptyrad(slices: Slices, tilt: tuple[float, float] | None) -> list[str]:
    """Keys of ``docs/templates/full.yaml``, PtyRAD 1.0."""
    lines = [
        "init_params:",
        f"    obj_Nlayer          : {slices.number}",
        f"    obj_slice_thickness : {slices.thickness_nm * A_PER_NM:.3f} # Ang",
    ]
    if tilt is None:
        return [*lines, f"    {NO_TILT}"]
    angles = f"{{'tilt_type': 'all', 'init_tilts': [[{_angle(tilt[0])}, {_angle(tilt[1])}]]}}"
    return [*lines, "    tilt_source         : 'simu'", f"    tilt_params         : {angles} # [tilt_y, tilt_x], mrad"]


def _phaser(slices: Slices, tilt: tuple[float, float] | None) -> list[str]:
    """Keys of ``ReconsPlan``, version 1.0: ``slices`` (`SliceTotal`) and ``init.tilt`` (`GlobalTiltProps`)."""
    total = slices.number * slices.thickness_nm * A_PER_NM
    lines = ["slices:", f"  n: {slices.number}", f"  total_thickness: {total:.2f}  # angstrom"]
    if tilt is None:
        return [*lines, NO_TILT]
    angles = f"[{_angle(tilt[0])}, {_angle(tilt[1])}]"
    return [*lines, "init:", "  tilt:", "    type: global", f"    tilt: {angles}  # [ty, tx], mrad"]


PROGRAMS = {
    "ptyrad": Program("PtyRAD", "https://ptyrad.readthedocs.io/en/latest/templates/full.html", "meas_flipT", _ptyrad),
    "phaser": Program("phaser", "https://hexane360.github.io/phaser/dev/using/plan/", "det_flips", _phaser),
}


def check_program(program: str) -> None:
    """Refuse a program that is not known.

    Raises
    ------
    ParameterError
    """
    if program not in PROGRAMS:
        raise bad_value("export", program, " or ".join(PROGRAMS))


def export_snippet(program: str, guess: FirstGuess, *, slice_nm: float = USUAL_SLICE_NM) -> str:
    """Thickness, slices and tilt as the parameter file of a program takes them.

    Parameters
    ----------
    program : {"ptyrad", "phaser"}
    guess : FirstGuess
        Of a pattern (`FirstGuess.of_result`), or of medians of a map.
    slice_nm : float
        About the thickness of a slice [nm]; that of the snippet divides the crystal.

    Returns
    -------
    str
        Lines of YAML to be copied into a parameter file, comments above.

    Raises
    ------
    ParameterError
        The program is not known, or the slice is too thin or too thick.
    """
    check_program(program)
    slices, known = guess.slices(slice_nm), PROGRAMS[program]
    source, warning = _one_line(guess.source), _one_line(guess.warning)
    head = [f"# First guess for {known.title}{f', from {source}' if source else ''}."]
    if warning:
        head.append(f"# WARNING: this result is {warning}")
    head.append(f"# Thickness {_with_error(guess.thickness)} nm.{_said_of_mistilt(guess)}")
    if guess.tilt_yx_mrad is not None:
        head.append(FRAME.format(flips=known.flips))
    head.append(f"# {known.page}")
    return "\n".join([*head, *known.lines(slices, guess.tilt_yx_mrad)]) + "\n"


def _said_of_mistilt(guess: FirstGuess) -> str:
    if guess.mistilt_x is None or guess.mistilt_y is None:
        return ""
    x, y = (_with_error(one) for one in (guess.mistilt_x, guess.mistilt_y))
    return f" Mistilt in the image: x {x}, y {y} mrad."


def _with_error(one: Estimate) -> str:
    return with_std(one, 2)


def _angle(mrad: float) -> str:
    """Without a negative zero."""
    return f"{round(mrad, 3) + 0.0:.3f}"


def _one_line(text: str) -> str:
    """A text that cannot end a comment: what is not printable becomes a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
