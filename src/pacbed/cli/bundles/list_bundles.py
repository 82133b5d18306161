"""`pacbed list`: bundles that ship, and those in the cache."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from pacbed.cli.arguments import DONE


def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="print one line of JSON per bundle")] = False,
) -> int:
    """List the bundles that are found by name, and those whose tables the cache holds."""
    from pacbed.bundle.pretrained.cache import cache_folder
    from pacbed.bundle.pretrained.listing import list_bundles

    bundles = list_bundles()
    for bundle in bundles:
        print(json.dumps(asdict(bundle), ensure_ascii=False) if as_json else bundle.line())
    if not bundles and not as_json:
        print(
            f"no bundles ship with this installation, and none are in {cache_folder()}; make one: pacbed build --help"
        )
    return DONE
