"""`pacbed advise`: which convergence angle to use."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from pacbed.cli.arguments import DONE, BundlePath, number
from pacbed.cli.compiling import compilation_announced
from pacbed.errors import bad_value

RANGE = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*-\s*(\d+\.?\d*|\.\d+)\s*")


def advise_command(
    bundle: BundlePath,
    electrons: Annotated[
        float, typer.Option(parser=number, metavar="NUMBER", help="electrons in the beam for the whole pattern")
    ] = 1e6,
    thickness_nm: Annotated[
        str | None, typer.Option(metavar="A-B", help="thinnest and thickest crystal [nm]; default: the bundle's range")
    ] = None,
    mistilt_mrad: Annotated[
        float | None,
        typer.Option(parser=number, metavar="NUMBER", help="size of the mistilt [mrad]; default: 0, 2 and 4"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="draw the errors as well: .png, .pdf or .svg")
    ] = None,
) -> int:
    """Expected errors of thickness and mistilt at every convergence angle, and the best angle."""
    from pacbed.evaluation.advice.advise import advise
    from pacbed.evaluation.advice.figure import check_picture, draw_advice
    from pacbed.evaluation.advice.question import Question
    from pacbed.evaluation.advice.sentence import advice_lines, best_sentence

    if out is not None:
        check_picture(out)
    question = Question(electrons, _range("thickness_nm", thickness_nm), mistilt_mrad)
    with compilation_announced():
        advice = advise(bundle, question)
    if out is not None:
        draw_advice(advice, out)
    if as_json:
        print(json.dumps({"sentence": best_sentence(advice), **advice.as_dict()}, ensure_ascii=False))
    else:
        print("\n".join(advice_lines(advice)))
        if out is not None:
            print(f"drawn: {out}")
    return DONE


def _range(argument: str, text: str | None) -> tuple[float, float] | None:
    """Parse "20-60"; whether the bundle knows such numbers is seen later."""
    if text is None:
        return None
    found = RANGE.fullmatch(text)
    if found is None:
        raise bad_value(argument, text, "two numbers such as 20-60 [nm]")
    return float(found[1]), float(found[2])
