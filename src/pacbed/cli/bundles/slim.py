"""`pacbed slim`: a bundle without its table, to be sent or shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pacbed.cli.arguments import DONE, BundlePath


def slim(
    bundle: BundlePath,
    out: Annotated[Path, typer.Option(help="the new .pacbed file", show_default=False)],
) -> int:
    """Write a bundle without its rocking table, which is made again where the bundle is first used."""
    from pacbed.bundle.pretrained.names import find_bundle
    from pacbed.bundle.pretrained.slim import slim_bundle

    slim_bundle(find_bundle(bundle), out)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return DONE
