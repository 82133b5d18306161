"""`pacbed inspect`: what a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pacbed.cli.arguments import DONE, Dataset, Frame, ScanShape, direction, frame_number, scan_size
from pacbed.errors import bad_value


def inspect(
    path: Annotated[Path, typer.Argument(metavar="BUNDLE|STACK|PATTERN|SCAN|CIF", show_default=False)],
    verify: Annotated[bool, typer.Option("--verify", help="check every byte, repeat stored answers")] = False,
    zone_axis: Annotated[
        str | None,
        typer.Option(metavar="U,V,W", help="CIF: direction that points to the source; four indices in hexagonal cells"),
    ] = None,
    block: Annotated[str | None, typer.Option(help="CIF: data block, where the file holds several")] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CIF: configuration whose crystal section says how it is read")
    ] = None,
    system: Annotated[str | None, typer.Option(help="CIF: system of that configuration, where several fit")] = None,
    json: Annotated[bool, typer.Option("--json", help="CIF: one JSON object")] = False,
    dataset: Dataset = None,
    frame: Frame = None,
    scan_shape: ScanShape = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PICTURE",
            help="draw the recording as a prediction would use it, or cell and projection of a CIF: .png, .pdf or .svg",
        ),
    ] = None,
) -> int:
    """Say what a bundle, a stack, a CIF file or a recording holds, and what a prediction would use of it."""
    from pacbed.crystal.reading.text import is_cif

    if path.is_file() and is_cif(path):
        from pacbed.cli.inspect_cif import CifQuestion, inspect_cif

        for name, value in (("dataset", dataset), ("frame", frame), ("scan_shape", scan_shape)):
            if value is not None:
                raise bad_value(name, value, "this option with a recording only")
        axis = None if zone_axis is None else direction("zone_axis", zone_axis)
        inspect_cif(CifQuestion(path, axis, block, config, system), as_json=json, out=out)
        return DONE
    if path.exists():
        _refuse_options(zone_axis=zone_axis, block=block, config=config, system=system, json=json or None)
    from pacbed.analysis.report.inspection.describe import describe

    chosen = {"dataset": dataset, "frame": frame_number(frame), "scan_shape": scan_size(scan_shape)}
    print("\n".join(describe(path, verify=verify, chosen=chosen, out=out)))
    return DONE


def _refuse_options(**options: object) -> None:
    """Refuse options of CIF files for anything else."""
    for name, value in options.items():
        if value is not None:
            shown = str(value) if isinstance(value, Path) else value
            raise bad_value(name, shown, "this option with a CIF file only")
