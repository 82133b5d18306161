"""Merlin (.mib): how many frames a line of the scan has, where the file beside it says so."""

from __future__ import annotations

from pathlib import Path

PER_LINE, TOTAL = "Frames per Trigger (Number)", "Frames in Acquisition (Number)"


def merlin_shape(file: Path) -> tuple[int, ...]:
    """Scan shape of Merlin frames in RosettaSciIO's order (x, y), or the number of frames where nobody states lines.

    The times of the frames would allow a guess, which is none of our business: a triggered line is stated in the
    ``.hdr`` file; anything else is a series of frames until the user gives a scan shape.
    """
    from rsciio.quantumdetector import load_mib_data, parse_hdr_file

    header = file.with_suffix(".hdr")
    if header.is_file():
        stated = parse_hdr_file(header)
        per_line, total = int(stated.get(PER_LINE, 1)), int(stated.get(TOTAL, 0))
        if per_line > 1 and total >= per_line:
            return per_line, total // per_line
    return (len(load_mib_data(str(file))),)
