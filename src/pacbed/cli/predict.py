"""`pacbed predict`: thickness of recorded patterns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pacbed.cli.arguments import BundlePath, Convergence, Dataset, Energy, Mirrored, Pixel, number
from pacbed.cli.compiling import compilation_announced


def predict(
    bundle: BundlePath,
    patterns: Annotated[list[Path], typer.Argument(metavar="PATTERN...", show_default=False)],
    convergence_mrad: Convergence = None,
    energy_kev: Energy = None,
    pixel_mrad: Pixel = None,
    dataset: Dataset = None,
    mirrored: Mirrored = None,
    no_refine: Annotated[bool, typer.Option("--no-refine", help="the networks alone, without least squares")] = False,
    refine_from: Annotated[
        list[float] | None,
        typer.Option(
            parser=number, metavar="NUMBER", help="start at this thickness [nm] only; may be given several times"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one line of JSON per pattern")] = False,
    out: Annotated[Path, typer.Option(help="folder of results and sheets")] = Path("predictions"),
) -> int:
    """Thickness, mistilt and verdict of patterns; results and sheets go to the folder --out."""
    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.report.batch import Outcome, predict_files
    from pacbed.bundle.reader import load_bundle

    def tell(outcome: Outcome) -> None:
        if outcome.result is None:
            print(f"error: {outcome.line()}", file=sys.stderr)
        else:
            print(outcome.result.model_dump_json() if as_json else outcome.line(), flush=True)

    options = PredictOptions(
        convergence_mrad=convergence_mrad,
        energy_kev=energy_kev,
        pixel_mrad=pixel_mrad,
        dataset=dataset,
        mirrored=mirrored,
        refine=not no_refine,
        refine_from_nm=tuple(refine_from or ()),
    )
    with compilation_announced():
        return predict_files(load_bundle(bundle), patterns, options, out_dir=out, tell=tell)
