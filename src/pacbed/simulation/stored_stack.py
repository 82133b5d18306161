"""A stack on disk: opened only if it is complete and of a version that is understood."""

from __future__ import annotations

from pathlib import Path

import zarr

from pacbed.outputs import check_done, check_version

SCHEMA_VERSION = 1


def open_stack(stack_dir: str | Path) -> zarr.Group:
    """Open the stack that `assemble_stack` wrote.

    Raises
    ------
    FormatError
        The folder holds no complete stack, or one of another version.
    """
    folder = Path(stack_dir)
    check_done(folder, "stack")
    group = zarr.open_group(str(folder / "stack.zarr"), mode="r")
    version = group.attrs.get("schema_version")
    check_version(f"stack {folder}", version, current=SCHEMA_VERSION, oldest=SCHEMA_VERSION)
    return group
