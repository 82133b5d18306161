"""Makes the table of a slim bundle in a process of its own: ``python -m pacbed.service.workers.prepare BUNDLE``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pacbed.bundle.reader import load_bundle
from pacbed.errors import PacbedError

NICE = 10  # requests go first


def main(arguments: list[str]) -> int:
    """Exit status 0, or 2 with one line on standard error."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    try:
        _ = load_bundle(Path(arguments[0])).compact
    except PacbedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
