"""The command line: thin, the same functions as the workflow's rules."""

from __future__ import annotations

import logging
import os
import sys

import typer

from pacbed.cli.advise import advise_command
from pacbed.cli.arguments import BAD, DONE
from pacbed.cli.bundles.build import build
from pacbed.cli.bundles.build_table import build_table_command
from pacbed.cli.bundles.list_bundles import list_command
from pacbed.cli.bundles.slim import slim
from pacbed.cli.inspect import inspect
from pacbed.cli.map_dataset import map_command
from pacbed.cli.predict import predict
from pacbed.cli.render import render
from pacbed.cli.service.serve import serve_command
from pacbed.cli.service.service import service_app
from pacbed.errors import PacbedError, bad_value

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

app.command()(predict)
app.command("map")(map_command)
app.command()(render)
app.command()(build)
app.command("build-table")(build_table_command)
app.command()(slim)
app.command("list")(list_command)
app.command()(inspect)
app.command("advise")(advise_command)
app.command("serve")(serve_command)
app.add_typer(service_app, name="service")


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
    """Entry point of the command ``pacbed``.

    Matrices here are small: threads of BLAS would spin without work and take a second from every prediction. They are
    counted when NumPy is imported, which the commands do later; who sets the variables decides.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    sys.exit(run())
