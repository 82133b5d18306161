"""Options of an export that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacbed.errors import bad_value

if TYPE_CHECKING:
    from pacbed.analysis.export.write import Export


def wanted_export(program: str | None, slice_nm: float | None) -> Export | None:
    """What --export and --slice-nm ask for.

    Raises
    ------
    ParameterError
        The program is not known, or the slice cannot be.
    """
    from pacbed.analysis.export.write import Export

    if program is None:
        if slice_nm is not None:
            raise bad_value("slice_nm", slice_nm, "this option with --export only")
        return None
    return Export(program) if slice_nm is None else Export(program, slice_nm)
