"""What a training leaves of a network: the network, its description, its history and its learning curves."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from pacbed.learning.curves import draw_curves
from pacbed.outputs import file_aside


def write_outputs(
    network: keras.Model, description: Mapping[str, Any], rows: Sequence[Mapping[str, float]], out_dir: Path
) -> None:
    """Write everything aside, then move it into place; the network comes last.

    Parameters
    ----------
    network : keras.Model
        Its name is the task.
    description : mapping
        Content of ``<task>.json``.
    rows : sequence of mapping
        One per epoch.
    out_dir : Path
        Folder of the files.
    """
    task = network.name
    with (
        file_aside(out_dir / f"{task}.keras") as network_aside,
        file_aside(out_dir / f"{task}.json") as description_aside,
        file_aside(out_dir / f"{task}_history.csv") as history_aside,
        file_aside(out_dir / f"{task}_curves.png") as curves_aside,
    ):
        description_aside.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        with open(history_aside, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, fieldnames=list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        draw_curves(rows, description, curves_aside)
        network.save(network_aside)
