"""`pacbed inspect`: what a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pacbed.cli.arguments import DONE


def inspect(
    path: Annotated[Path, typer.Argument(metavar="BUNDLE|STACK|PATTERN", show_default=False)],
    verify: Annotated[bool, typer.Option("--verify", help="check every byte against the stored checksums")] = False,
) -> int:
    """Say what a bundle, a stack or a pattern holds."""
    from pacbed.analysis.report.inspection import describe

    print("\n".join(describe(path, verify=verify)))
    return DONE
