"""The command line: thin, the same functions as the workflow's rules."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from pacbed.errors import PacbedError, bad_value

DONE, BAD = 0, 2
app = typer.Typer(
    name="pacbed",
    help="Specimen thickness from position-averaged convergent beam electron diffraction patterns.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# typer carries its own copy of click, or uses the installed one: take the class from where typer has it.
UsageProblem: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


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


BundlePath = Annotated[Path, typer.Argument(metavar="BUNDLE", help="a .pacbed file or folder", show_default=False)]
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


@app.command()
def predict(
    bundle: BundlePath,
    patterns: Annotated[list[Path], typer.Argument(metavar="PATTERN...", show_default=False)],
    convergence_mrad: Convergence = None,
    energy_kev: Energy = None,
    pixel_mrad: Pixel = None,
    dataset: Dataset = None,
    mirrored: Mirrored = False,
    no_refine: Annotated[bool, typer.Option("--no-refine", help="the networks alone, without least squares")] = False,
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
    )
    return predict_files(load_bundle(bundle), patterns, options, out_dir=out, tell=tell)


@app.command("map")
def map_command(
    bundle: BundlePath,
    data: Annotated[Path, typer.Argument(metavar="DATASET", show_default=False)],
    convergence_mrad: Convergence = None,
    energy_kev: Energy = None,
    pixel_mrad: Pixel = None,
    dataset: Dataset = None,
    window: Annotated[
        int, typer.Option(parser=whole_number, metavar="NUMBER", help="scan positions averaged along each axis")
    ] = 1,
    jobs: Annotated[int, typer.Option(parser=whole_number, metavar="NUMBER", help="windows analysed at once")] = 1,
    out: Annotated[Path, typer.Option(help="folder of maps")] = Path("maps"),
) -> int:
    """Map the thickness of a 4D-STEM data set window by window."""
    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.report.map_dataset import map_dataset
    from pacbed.bundle.reader import load_bundle

    picture = out / f"{data.stem}.png"
    map_dataset(
        load_bundle(bundle),
        data,
        PredictOptions(
            convergence_mrad=convergence_mrad, energy_kev=energy_kev, pixel_mrad=pixel_mrad, dataset=dataset
        ),
        window=window,
        jobs=jobs,
        out_dir=out / data.stem,
        out_png=picture,
    )
    print(f"{picture}: maps as arrays lie in {out / data.stem}")
    return DONE


@app.command()
def render(
    bundle: BundlePath,
    thickness_nm: Annotated[
        float, typer.Option(parser=number, metavar="NUMBER", help="crystal thickness [nm]", show_default=False)
    ],
    convergence_mrad: Annotated[
        float, typer.Option(parser=number, metavar="NUMBER", help="semi-convergence angle [mrad]", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="file to write: .npy, .tif or .png", show_default=False)],
    mistilt_mrad: Annotated[float, typer.Option(parser=number, metavar="NUMBER", help="mistilt [mrad]")] = 0.0,
    azimuth_deg: Annotated[
        float,
        typer.Option(parser=number, metavar="NUMBER", help="direction of the mistilt from the crystal's x axis [deg]"),
    ] = 0.0,
    pixels: Annotated[
        int | None, typer.Option(parser=whole_number, metavar="NUMBER", help="edge of the image; default: the stack's")
    ] = None,
    max_angle_mrad: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="half width [mrad]; default: the stack's")
    ] = None,
) -> int:
    """Render one pattern: .npy and .tif hold fractions of the beam per pixel, .png 16-bit levels of its maximum."""
    from pacbed.analysis.render import render as render_pattern
    from pacbed.analysis.report.image_file import write_image

    image = render_pattern(
        bundle,
        thickness_nm=thickness_nm,
        convergence_mrad=convergence_mrad,
        mistilt_mrad=mistilt_mrad,
        azimuth_deg=azimuth_deg,
        pixels=pixels,
        max_angle_mrad=max_angle_mrad,
    )
    write_image(image, out)
    print(
        f"{out}: {image.shape[1]} x {image.shape[0]} pixels, {100 * image.sum():.1f} % of the beam in the field of view"
    )
    return DONE


@app.command("build-table")
def build_table_command(
    bundle: BundlePath,
    out: Annotated[Path, typer.Option(help="the new .pacbed file", show_default=False)],
    jobs: Annotated[int, typer.Option(parser=whole_number, metavar="NUMBER", help="blocks computed at once")] = 1,
) -> int:
    """Make the rocking table of a bundle again, from the slice potentials that it holds."""
    from pacbed.bundle.rebuild import build_table

    build_table(bundle, out, jobs=jobs, tell=lambda line: print(line, file=sys.stderr, flush=True))
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return DONE


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(metavar="BUNDLE|STACK|PATTERN", show_default=False)],
    verify: Annotated[bool, typer.Option("--verify", help="check every byte against the stored checksums")] = False,
) -> int:
    """Say what a bundle, a stack or a pattern holds."""
    from pacbed.analysis.report.inspection import describe

    print("\n".join(describe(path, verify=verify)))
    return DONE


def run(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 refused, 2 bad input (one line on stderr)."""
    logging.captureWarnings(True)  # warnings of the readers' libraries are not the user's business
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = app(args=arguments or ["--help"], standalone_mode=False)
    except UsageProblem as error:
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return BAD
    except PacbedError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD
    except OSError as error:
        print(
            f"error: {bad_value(str(error.filename), error.strerror, 'a place that can be read or written')}",
            file=sys.stderr,
        )
        return BAD
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return int(status or DONE)


def _one_line(error: Exception) -> str:
    text: str = error.format_message() if hasattr(error, "format_message") else str(error)
    return " ".join(text.split()) or "no command; see pacbed --help"


def main() -> None:
    """Entry point of the command ``pacbed``."""
    sys.exit(run())


if __name__ == "__main__":
    main()
