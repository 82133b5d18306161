"""`pacbed predict`: thickness of recorded patterns."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pacbed.cli.arguments import (
    BundlePath,
    Convergence,
    Dataset,
    Energy,
    ExportTo,
    Exposure,
    Frame,
    Mask,
    Mirrored,
    Pixel,
    RefineFrom,
    ScanShape,
    SliceThickness,
    Vacuum,
    ZeroLoss,
    frame_number,
    scan_size,
)
from pacbed.cli.compiling import compilation_announced
from pacbed.cli.exporting import wanted_export

if TYPE_CHECKING:
    from pacbed.analysis.report.batch import Outcome


def predict(
    bundle: BundlePath,
    patterns: Annotated[list[Path], typer.Argument(metavar="PATTERN...", show_default=False)],
    convergence_mrad: Convergence = None,
    energy_kev: Energy = None,
    pixel_mrad: Pixel = None,
    dataset: Dataset = None,
    frame: Frame = None,
    scan_shape: ScanShape = None,
    mirrored: Mirrored = None,
    mask: Mask = None,
    no_refine: Annotated[bool, typer.Option("--no-refine", help="the networks alone, without least squares")] = False,
    refine_from: RefineFrom = None,
    vacuum: Vacuum = None,
    exposure_ratio: Exposure = 1.0,
    zero_loss: ZeroLoss = None,
    export: ExportTo = None,
    slice_nm: SliceThickness = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one line of JSON per pattern")] = False,
    out: Annotated[Path, typer.Option(help="folder of results and sheets")] = Path("predictions"),
) -> int:
    """Thickness, mistilt and verdict of patterns; results and sheets go to the folder --out."""
    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.report.batch import predict_files
    from pacbed.bundle.reader import load_bundle

    options = PredictOptions(
        convergence_mrad=convergence_mrad, energy_kev=energy_kev, pixel_mrad=pixel_mrad, dataset=dataset,
        mirrored=mirrored, refine=not no_refine, mask=mask, frame=frame_number(frame),
        scan_shape=scan_size(scan_shape), refine_from_nm=tuple(refine_from or ()), vacuum=vacuum,
        exposure_ratio=exposure_ratio, zero_loss_nm=zero_loss,
    )  # fmt: skip
    teller, wanted = _teller(as_json=as_json), wanted_export(export, slice_nm)
    with compilation_announced():
        return predict_files(load_bundle(bundle), patterns, options, out_dir=out, tell=teller, export=wanted)


def _teller(*, as_json: bool) -> Callable[[Outcome], None]:
    """Prints what became of a pattern."""

    def tell(outcome: Outcome) -> None:
        if outcome.result is None:
            print(f"error: {outcome.line()}", file=sys.stderr)
        else:
            print(outcome.result.model_dump_json() if as_json else outcome.line(), flush=True)
        if outcome.exported:
            print(f"{outcome.pattern.name}: {outcome.exported}", file=sys.stderr if as_json else None, flush=True)

    return tell
