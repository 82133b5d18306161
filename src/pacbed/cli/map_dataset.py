"""`pacbed map`: thickness of 4D-STEM data, window by window."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from pacbed.cli.arguments import (
    DONE,
    REFUSED,
    BundlePath,
    Convergence,
    Dataset,
    Energy,
    ExportTo,
    Mask,
    Mirrored,
    Pixel,
    ScanShape,
    SliceThickness,
    Vacuum,
    number,
    scan_size,
    whole_number,
)
from pacbed.cli.exporting import wanted_export
from pacbed.errors import bad_value

if TYPE_CHECKING:
    from pacbed.analysis.export.write import Export
    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.report.map_plan import MapSettings


def window_size(text: str) -> int | str:
    """Parse a number of scan positions, or "cell"."""
    return text if text == "cell" else whole_number(text)


def region_of_scan(text: str | None) -> tuple[slice, slice] | None:
    """Parse a part of a scan: "0:4,10:20", rows first, ends not included.

    Raises
    ------
    ParameterError
        The text is none.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,9}):(\d{1,9}),(\d{1,9}):(\d{1,9})", text.replace(" ", ""))
    if found is None or not (int(found[1]) < int(found[2]) and int(found[3]) < int(found[4])):
        raise bad_value("vacuum_region", text, "rows and columns of the scan such as 0:4,10:20, ends not included")
    return slice(int(found[1]), int(found[2])), slice(int(found[3]), int(found[4]))


def places(texts: list[str]) -> list[tuple[int, int]]:
    """Parse windows of a map, "3,4" each.

    Raises
    ------
    ParameterError
        A text is none.
    """
    for text in texts:
        if not re.fullmatch(r"\d{1,9},\d{1,9}", text.replace(" ", "")):
            raise bad_value("sheet", text, "row and column of a window such as 3,4, from 0")
    return [(int(row), int(column)) for row, column in (text.split(",") for text in texts)]


Window = Annotated[
    Any, typer.Option(parser=window_size, metavar="NUMBER|cell", help="scan positions averaged along each axis")
]
ScanStep = Annotated[
    float | None,
    typer.Option(parser=number, metavar="NUMBER", help="distance of scan positions [nm], if the file is silent"),
]
VacuumRegion = Annotated[
    str | None, typer.Option(metavar="ROWS,COLUMNS", help="part of the scan that is vacuum, such as 0:4,10:20")
]
Refine = Annotated[bool, typer.Option("--refine/--no-refine", help="least squares, or the networks alone")]
Jobs = Annotated[int, typer.Option(parser=whole_number, metavar="NUMBER", help="processes")]
Scheduler = Annotated[str | None, typer.Option(metavar="ADDRESS", help="dask scheduler whose workers are used instead")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="make a map anew that is there")]
Images = Annotated[bool, typer.Option("--tiff", help="the maps as images as well")]
Sheets = Annotated[
    list[str] | None,
    typer.Option(metavar="ROW,COLUMN", help="write the sheet of this window; may be given several times"),
]


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
    window: Window = 1,
    scan_step_nm: ScanStep = None,
    vacuum: Vacuum = None,
    vacuum_region: VacuumRegion = None,
    refine: Refine = True,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    out: Annotated[Path, typer.Option(help="folder of maps")] = Path("maps"),
    overwrite: Overwrite = False,
    tiff: Images = False,
    sheet: Sheets = None,
    export: ExportTo = None,
    slice_nm: SliceThickness = None,
) -> int:
    """Map the thickness of a 4D-STEM data set window by window."""
    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.report.map_plan import MapSettings

    options = PredictOptions(
        convergence_mrad, energy_kev, pixel_mrad, dataset, mirrored, refine, mask,
        scan_shape=scan_size(scan_shape), vacuum=vacuum,
    )  # fmt: skip
    options = _with_vacuum(options, data, region_of_scan(vacuum_region))
    extras = MapExtras(overwrite, tiff, tuple(places(sheet or [])), wanted_export(export, slice_nm))
    settings = MapSettings(window, jobs, scheduler, scan_step_nm)
    return _mapped(bundle, data, options, settings, out, extras)


class MapExtras(NamedTuple):
    """What is done beside the map.

    Attributes
    ----------
    overwrite : bool
        Make a map anew that is there.
    tiff : bool
        Write the maps as images.
    sheets : tuple of (int, int)
        Rows and columns of windows whose sheets are written.
    export : Export or None
        The program that a first guess is written for.
    """

    overwrite: bool
    tiff: bool
    sheets: tuple[tuple[int, int], ...]
    export: Export | None = None

    @property
    def any(self) -> bool:
        """Whether there is something to do with a map that is there."""
        return bool(self.tiff or self.sheets or self.export)


def _with_vacuum(options: PredictOptions, data: Path, region: tuple[slice, slice] | None) -> PredictOptions:
    """The options with the mean of a part of the scan as vacuum pattern."""
    from pacbed.analysis.recording.scan_region import region_mean

    if region is None:
        return options
    if options.vacuum is not None:
        raise bad_value("vacuum_region", "a part of the scan", "that, or a file as --vacuum")
    return replace(options, vacuum=region_mean(data, region, dataset=options.dataset, scan_shape=options.scan_shape))


def _mapped(
    bundle: Path, data: Path, options: PredictOptions, settings: MapSettings, out: Path, extras: MapExtras
) -> int:
    from pacbed.analysis.export.write import export_map
    from pacbed.analysis.maps.stored import read_facts
    from pacbed.analysis.maps.windows import Place
    from pacbed.analysis.report.map_dataset import believed, map_dataset, read_or_none, summary_lines
    from pacbed.analysis.report.map_images import write_images
    from pacbed.analysis.report.map_sheets import window_sheets
    from pacbed.analysis.report.names import maps_in, names_for
    from pacbed.bundle.reader import load_bundle

    (name,) = names_for([data], maps_in(out))
    folder, picture, opened = out / name, out / f"{name}.png", load_bundle(bundle)
    found = None if extras.overwrite else read_or_none(folder)
    if found is not None and not extras.any:
        raise bad_value("out", str(folder), "a map that is not there yet, or --overwrite: this one is kept")
    if found is None:
        found = map_dataset(opened, data, options, settings, out_dir=folder, out_png=picture)
        print(f"{picture}: the maps lie in {folder}, which opens with xarray")
        print("\n".join(summary_lines(folder)))
    facts = read_facts(folder)
    if extras.tiff:
        step = facts.get("scan_step_nm")
        write_images(found, out / f"{name}_tiff", window_nm=None if step is None else step * facts["window"])
        print(f"{out / f'{name}_tiff'}: the maps as images")
    if extras.export is not None:
        print(export_map(found, f"{data.name}, with {opened.path.name}", extras.export, out / name))
    asked = [Place(*one) for one in extras.sheets]
    for sheet in window_sheets(opened, data, options, asked, window=facts["window"], out_dir=out / f"{name}_sheets"):
        print(sheet)
    return DONE if believed(found).any() else REFUSED
