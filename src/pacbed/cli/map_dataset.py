"""`pacbed map`: thickness of 4D-STEM data, window by window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pacbed.cli.arguments import (
    DONE,
    REFUSED,
    BundlePath,
    Convergence,
    Dataset,
    Energy,
    Mask,
    Mirrored,
    Pixel,
    ScanShape,
    scan_size,
    whole_number,
)


def map_command(
    bundle: BundlePath,
    data: Annotated[Path, typer.Argument(metavar="DATASET", show_default=False)],
    convergence_mrad: Convergence = None,
    energy_kev: Energy = None,
    pixel_mrad: Pixel = None,
    dataset: Dataset = None,
    mask: Mask = None,
    scan_shape: ScanShape = None,
    mirrored: Mirrored = None,
    window: Annotated[
        int, typer.Option(parser=whole_number, metavar="NUMBER", help="scan positions averaged along each axis")
    ] = 1,
    jobs: Annotated[int, typer.Option(parser=whole_number, metavar="NUMBER", help="windows analysed at once")] = 1,
    out: Annotated[Path, typer.Option(help="folder of maps")] = Path("maps"),
) -> int:
    """Map the thickness of a 4D-STEM data set window by window."""
    from pacbed.analysis.maps import VERDICTS
    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.report.map_dataset import map_dataset, summary_lines
    from pacbed.analysis.report.names import maps_in, names_for
    from pacbed.bundle.reader import load_bundle

    (name,) = names_for([data], maps_in(out))
    picture = out / f"{name}.png"
    options = PredictOptions(
        convergence_mrad=convergence_mrad,
        energy_kev=energy_kev,
        pixel_mrad=pixel_mrad,
        dataset=dataset,
        mirrored=mirrored,
        mask=mask,
        scan_shape=scan_size(scan_shape),
    )
    opened = load_bundle(bundle)
    found = map_dataset(opened, data, options, window=window, jobs=jobs, out_dir=out / name, out_png=picture)
    print(f"{picture}: maps as arrays lie in {out / name}")
    print("\n".join(summary_lines(out / name)))
    return DONE if (found.verdict < VERDICTS.index("refused")).any() else REFUSED
