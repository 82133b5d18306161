"""Where the files lie that ship beside the code: ready-made bundles, and the workflow that makes new ones."""

from __future__ import annotations

from pathlib import Path

from pacbed.errors import FormatError

PRETRAINED = "pretrained"
SNAKEFILE = "Snakefile"
_PACKAGE = Path(__file__).resolve().parent
# In a wheel they lie in a folder of the package (pyproject.toml); in a checkout at its root.
_PLACES = (_PACKAGE / "shipped_files", _PACKAGE.parents[1])


def shipped(name: str) -> Path:
    """Path of a file or folder that ships with the package, such as ``pretrained``.

    Raises
    ------
    FormatError
        The installation lacks it.
    """
    for place in _PLACES:
        if (place / name).exists():
            return place / name
    raise FormatError(f"installation: got no {name} in {_PLACES[0]} or {_PLACES[1]}, accepted: a complete installation")
