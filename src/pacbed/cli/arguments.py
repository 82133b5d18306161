"""Arguments that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from pacbed.errors import bad_value

DONE, REFUSED, BAD = 0, 1, 2


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


def frame_number(text: str | None) -> tuple[int, ...] | None:
    """Parse a position in a scan: "7", or row and column as "3,4".

    Raises
    ------
    ParameterError
        The text is neither.
    """
    if text is None:
        return None
    words = text.replace(" ", "").split(",")
    if not all(re.fullmatch(r"\d{1,12}", word) for word in words):
        raise bad_value("frame", text, "a whole number from 0, or row and column such as 3,4")
    return tuple(int(word) for word in words)


def scan_size(text: str | None) -> tuple[int, int] | None:
    """Parse the shape of a scan: "128,256" or "128x256", rows first.

    Raises
    ------
    ParameterError
        The text is none.
    """
    if text is None:
        return None
    words = re.split(r"[,x]", text.replace(" ", "").lower())
    if len(words) != 2 or not all(re.fullmatch(r"[1-9]\d{0,8}", word) for word in words):
        raise bad_value("scan_shape", text, "rows and columns such as 128,256")
    return int(words[0]), int(words[1])


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
Mask = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="image of the patterns' size: pixels other than zero, as of a beam stop, are not used"
    ),
]
Frame = Annotated[
    str | None,
    typer.Option(metavar="NUMBER|ROW,COLUMN", help="which pattern of a scan or series, from 0"),
]
ScanShape = Annotated[
    str | None,
    typer.Option(metavar="ROWS,COLUMNS", help="shape of the scan, where the file is silent"),
]
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
ExportTo = Annotated[
    str | None, typer.Option(metavar="ptyrad|phaser", help="write a first guess for this ptychography program as well")
]
SliceThickness = Annotated[
    float | None,
    typer.Option(parser=number, metavar="NUMBER", help="with --export: about the thickness of its slices [nm]; 1"),
]
