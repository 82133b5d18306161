"""Merlin (.mib): frames, and how many of them make a line of the scan where the file beside them says so.

RosettaSciIO's reader would look for that file under one spelling of its name, fail with it, and guess lines from times.
"""

from __future__ import annotations

import re
from pathlib import Path

from pacbed.analysis.recording.formats.kinds import beside
from pacbed.analysis.recording.stored import Axis, StoredImage
from pacbed.errors import PatternError

PER_LINE, TOTAL = "Frames per Trigger (Number)", "Frames in Acquisition (Number)"


def read_merlin(file: Path) -> list[StoredImage]:
    """The frames of a Merlin detector: lines of a scan as the ``.hdr`` file states them, or a series.

    A series until the user gives a scan shape is no guess.

    Raises
    ------
    PatternError
        The ``.hdr`` file states no numbers.
    """
    from rsciio.quantumdetector import load_mib_data

    frames = load_mib_data(str(file), lazy=True)[:, ::-1]  # mapped where they lie, the last row first
    header = beside(file, ".hdr")
    per_line, total = (1, 0) if header is None else (_stated(header, PER_LINE, 1), _stated(header, TOTAL, 0))
    if per_line > 1 and total >= per_line and len(frames) >= per_line:
        lines = min(total, len(frames)) // per_line
        frames = frames[: lines * per_line].reshape(lines, per_line, *frames.shape[1:])
    axes = (*[Axis(scan=True)] * (frames.ndim - 2), Axis(scan=False), Axis(scan=False))
    return [StoredImage(frames, axes)]


def _stated(header: Path, key: str, default: int) -> int:
    """A number of a ``.hdr`` file, whatever its other lines are written in; the default where it is silent."""
    text = header.read_bytes().decode("latin-1")
    found = re.search(rf"^{re.escape(key)}:?\t(.*?)\r?$", text, re.MULTILINE)
    if found is None:
        return default
    try:
        return int(float(found[1]))
    except (ValueError, OverflowError):
        raise PatternError(
            f"file: {header} states {found[1][:40]!r} for {key}, accepted: a whole number, or no such file, and "
            "--scan-shape for a scan"
        ) from None
