"""`pacbed serve`: the look-up service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pacbed.cli.arguments import DONE, whole_number
from pacbed.errors import ParameterError

INSTALL = "service: got an installation without it, accepted: pip install 'pacbed[service]'"


def serve_command(
    bundles: Annotated[Path | None, typer.Option(help="folder whose .pacbed files are served as well")] = None,
    home: Annotated[Path | None, typer.Option(help="folder of database and look-ups")] = None,
    host: Annotated[str | None, typer.Option(help="address to listen on; default: 127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(parser=whole_number, metavar="NUMBER", help="default: 8230; 0 takes a free one")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(parser=whole_number, metavar="NUMBER", help="processes; default: one a core")
    ] = None,
    token_file: Annotated[Path | None, typer.Option(help="receives the URL with the token of this start")] = None,
    open_: Annotated[bool, typer.Option("--open", help="answer without a token, on this machine only")] = False,
    config: Annotated[Path | None, typer.Option(help="service.yaml, with further settings")] = None,
) -> int:
    """Serve bundles to programs: look-ups over HTTP, from one command."""
    try:
        from pacbed.service.server import serve
    except ModuleNotFoundError as error:
        raise ParameterError(f"{INSTALL} ({error.name} is missing)") from None
    from pacbed.service.settings import load_settings

    given = {
        "bundles": bundles,
        "home": home,
        "host": host,
        "port": port,
        "workers": workers,
        "token_file": token_file,
        "open": open_ or None,
    }
    serve(load_settings(config, given))
    return DONE
