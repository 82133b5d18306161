"""Files of answers: complete or absent, and never in place of what was there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Union

from pacbed_client.errors import bad_value

AnyPath = Union[str, "os.PathLike[str]"]


def write_new(path: AnyPath, content: bytes, *, overwrite: bool = False) -> Path:
    """Write a file aside and give it its name once it is complete.

    Parameters
    ----------
    path : path
        Where it shall lie; its folder is made if missing.
    content : bytes
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    pathlib.Path
        Where it lies.

    Raises
    ------
    InputError
        Something is there already.
    """
    out = Path(path)
    if out.exists() and not overwrite:
        raise bad_value("path", str(out), "a name that is free, or overwrite=True")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(out.name + ".part")
    try:
        aside.write_bytes(content)
        os.replace(str(aside), str(out))
    finally:
        if aside.exists():
            aside.unlink()
    return out
