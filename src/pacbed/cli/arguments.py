"""Arguments that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from pacbed.errors import bad_value

DONE, BAD = 0, 2


def number(text: str) -> float:
    """Parse an option; the message names what was got."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"got {text!r}, accepted: a number") from None


def whole_number(text: str) -> int:
    """Parse an option; the message names what was got."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"got {text!r}, accepted: a whole number") from None


def value_with_error(text: str) -> tuple[float, float]:
    """Parse "100" or "100,5", a value and its standard deviation; the message names what was got."""
    value, _, std = text.partition(",")
    return number(value), number(std) if std else 0.0


def direction(argument: str, text: str) -> tuple[int, ...]:
    """Parse three or four indices: "1,1,0", "[1, 1, -2, 0]" or "0 0 1".

    Raises
    ------
    ParameterError
        The text is none of these.
    """
    words = re.split(r"\s*,\s*|\s+", text.strip().removeprefix("[").removesuffix("]").strip())
    if len(words) not in (3, 4) or not all(re.fullmatch(r"[+-]?\d{1,4}", word) for word in words):
        raise bad_value(argument, text, "three whole numbers such as 1,1,0, or the four of a hexagonal cell, 1,1,-2,0")
    return tuple(int(word) for word in words)


BundlePath = Annotated[
    Path,
    typer.Argument(
        metavar="BUNDLE", help="a .pacbed file or folder, or a name that pacbed list shows", show_default=False
    ),
]
Convergence = Annotated[
    float | None,
    typer.Option(parser=number, metavar="NUMBER", help="semi-convergence angle [mrad]; needed if the file is silent"),
]
Energy = Annotated[float | None, typer.Option(parser=number, metavar="NUMBER", help="beam energy [keV]")]
Pixel = Annotated[
    float | None,
    typer.Option(parser=number, metavar="NUMBER", help="pixel size [mrad]; found from the pattern if unknown"),
]
Dataset = Annotated[str | None, typer.Option(help="data set of a file that holds several")]
Mirrored = Annotated[
    bool | None,
    typer.Option(
        "--mirrored/--not-mirrored",
        help="the camera shows the pattern mirrored, or not; both are tried where the crystal has no mirror line",
        show_default=False,
    ),
]
RefineFrom = Annotated[
    list[float] | None,
    typer.Option(parser=number, metavar="NUMBER", help="start at this thickness [nm] only; may be given several times"),
]
Vacuum = Annotated[Path | None, typer.Option(help="pattern of the bare beam by the same camera, both dark-subtracted")]
Exposure = Annotated[
    float,
    typer.Option(parser=number, metavar="NUMBER", help="exposure of the pattern over the vacuum pattern's"),
]
ZeroLoss = Annotated[
    Any,  # two numbers from one word
    typer.Option(
        parser=value_with_error,
        metavar="NM[,STD]",
        help="filtered for zero loss: mean free path of inelastic scattering, and its error [nm]",
    ),
]
