"""`pacbed build-table`: the rocking table of a bundle made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pacbed.cli.arguments import DONE, BundlePath, whole_number


def build_table_command(
    bundle: BundlePath,
    out: Annotated[Path, typer.Option(help="the new .pacbed file", show_default=False)],
    jobs: Annotated[int, typer.Option(parser=whole_number, metavar="NUMBER", help="blocks computed at once")] = 1,
) -> int:
    """Make the rocking table of a bundle again, from the slice potentials that it holds."""
    from pacbed.bundle.pretrained.names import find_bundle
    from pacbed.bundle.rebuild import build_table
    from pacbed.logs import tell_user

    build_table(find_bundle(bundle), out, jobs=jobs, tell=tell_user)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return DONE
