"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
Mirrored = Annotated[bool, typer.Option("--mirrored", help="the camera shows the pattern mirrored")]
