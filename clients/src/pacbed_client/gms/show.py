"""What DM-Script shows: lines of a dialog, and the sheet as three images that it joins."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from pacbed_client.gms.tags import Tags, plain
from pacbed_client.result import LookupResult, with_error

LINES, LETTERS = 6, 64  # of the dialog
COLOURS = ("red", "green", "blue")


def answer_lines(found: LookupResult) -> list[str]:
    """Thickness and verdict first, then what speaks against it; as many lines as the dialog has."""
    thickness = "no thickness"
    if found.thickness_nm is not None:
        thickness = with_error(found.result["thickness_nm"]) + " nm"
    rest = [f"because {reason}" for reason in found.reasons] + list(found.notes)
    if found.result.get("mistilt_mrad") is not None:
        rest.insert(0, f"mistilt {with_error(found.result['mistilt_mrad'])} mrad")
    lines = [f"{thickness}, {found.verdict}"]
    for part in rest:
        lines += textwrap.wrap(plain(part), LETTERS)
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], "... more in the results window"]
    return [plain(line) for line in lines] + [""] * (LINES - len(lines))


def put_sheet(dm: Any, tags: Tags, found: LookupResult) -> None:
    """Show the channels of the sheet as images, whose numbers DM-Script finds in tags: Python can make no RGB image.

    The first of them carries what was found as its own tags, which DM-Script copies to the joined one.

    Parameters
    ----------
    dm : module
        DigitalMicrograph.
    tags : Tags
    found : LookupResult
        That was asked with a sheet.
    """
    sheet = found.sheet()
    for place, colour in enumerate(COLOURS):
        image = dm.CreateImage(np.ascontiguousarray(sheet[..., place]))
        image.SetName(f"PACBED {colour}")
        if place == 0:
            _describe(image.GetTagGroup(), found)
        image.ShowImage()  # what nobody shows is gone with its variable
        tags.put(f"answer:{colour}", int(image.GetID()))


def _describe(group: Any, found: LookupResult) -> None:
    if found.thickness_nm is not None:
        group.SetTagAsFloat("PACBED:Thickness (nm)", found.thickness_nm)
    if found.std_nm is not None:
        group.SetTagAsFloat("PACBED:Standard deviation (nm)", found.std_nm)
    texts = {"Verdict": found.verdict, "Reasons": "; ".join(found.reasons), "Bundle": found.bundle, "Look-up": found.id}
    for name, text in texts.items():
        group.SetTagAsString(f"PACBED:{name}", plain(text))
