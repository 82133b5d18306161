"""Merlin (.mib): frames, and how many of them make a line of the scan where the file beside them says so."""

from __future__ import annotations

from pathlib import Path

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import StoredImage

PER_LINE, TOTAL = "Frames per Trigger (Number)", "Frames in Acquisition (Number)"


def read_merlin(file: Path) -> list[StoredImage]:
    """The frames of a Merlin detector: lines of a scan as the ``.hdr`` file states them, or a series.

    RosettaSciIO would guess lines from the times of the frames; a series until the user gives a scan shape is no guess.
    """
    from rsciio.quantumdetector import load_mib_data

    frames = len(load_mib_data(str(file)))
    series = read_with("quantumdetector", file, navigation_shape=(frames,))
    stated = series[0].original.get("hdr_file") or {}
    per_line, total = int(stated.get(PER_LINE, 1)), int(stated.get(TOTAL, 0))
    if per_line > 1 and total >= per_line and frames >= per_line:
        return read_with("quantumdetector", file, navigation_shape=(per_line, total // per_line))
    return series
