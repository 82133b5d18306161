"""The distance between incident directions that a table was given, or that was measured for it."""

from __future__ import annotations

import json
from pathlib import Path

from pacbed.errors import FormatError

FILE = "numerics.json"


def pitch_of(structure_dir: str | Path, asked: float | str) -> float:
    """Upper limit of the distance between directions [mrad]: the one asked for, or the one measured for "auto".

    Raises
    ------
    FormatError
        "auto", and the folder has no measured pitch.
    """
    if not isinstance(asked, str):
        return float(asked)
    file = Path(structure_dir) / FILE
    try:
        return float(json.loads(file.read_text())["direction_pitch_mrad"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{file}: damaged or missing ({error}), accepted: what orient_structure writes") from error
