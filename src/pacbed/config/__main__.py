"""`python -m pacbed.config --write-schema FILE`: the JSON schema of the configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from pacbed.config.system import config_schema
from pacbed.outputs import write_json


def main(arguments: list[str] | None = None) -> None:
    """Write the JSON schema."""
    parser = argparse.ArgumentParser(prog="python -m pacbed.config")
    parser.add_argument("--write-schema", type=Path, required=True, metavar="FILE")
    target = parser.parse_args(arguments).write_schema
    write_json(config_schema(), target)


if __name__ == "__main__":
    main()
