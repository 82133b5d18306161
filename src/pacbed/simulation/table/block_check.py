"""Is what a folder of a block holds a whole block?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.errors import FormatError

FACTS = (
    *("direction_range", "directions", "steps", "reciprocal_mrad", "operations", "cone_mrad", "field_mrad"),
    *(
        "plane_spacing_a",
        "energy_ev",
        "formula",
        "zone_axis",
        "thermal_model",
        "propagator",
        "grid_px",
        "slice_depth_a",
    ),
)


def check_block(facts: Any, arrays: Mapping[str, np.ndarray], folder: str | Path) -> None:
    """Hold the content of a block against itself.

    Parameters
    ----------
    facts : object
        Content of ``grid.json``.
    arrays : mapping of str to ndarray
        Content of ``block.npz``.
    folder : path
        Where they lie, for the error.

    Raises
    ------
    FormatError
        Something is missing, or lengths do not fit together.
    """
    try:
        missing = [name for name in FACTS if name not in facts]
        first, last = facts["direction_range"] if not missing else (0, 0)
        directions, pairs, planes = last - first, len(arrays["beam"]), len(arrays["absorbed"])
        expected = {
            "intensity": (planes, pairs),
            "count": (directions,),
            "absorbed": (planes, directions),
            "lost": (planes, directions),
            "nodes": (directions, 2),
            "beams": (len(arrays["beams"]), 2),
        }
        wrong = [name for name, shape in expected.items() if arrays[name].shape != shape]
        fits = int(arrays["count"].sum()) == pairs and (not pairs or int(arrays["beam"].max()) < len(arrays["beams"]))
    except (TypeError, ValueError, KeyError) as error:
        raise FormatError(f"block {folder}: damaged or incomplete ({type(error).__name__}: {error})") from error
    if missing or wrong or not fits:
        what = ", ".join(missing + wrong) or "count"
        raise FormatError(
            f"block {folder}: damaged or incomplete (bad: {what}), accepted: a whole block; make it again"
        )
