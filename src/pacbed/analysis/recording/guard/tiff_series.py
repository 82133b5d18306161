"""The series of pages of a TIFF file, asked for once it is seen that tifffile will come to an end with them."""

from __future__ import annotations

from typing import Any

from pacbed.errors import PatternError


def series_of(tiff: Any, source: str) -> list[Any]:
    """What `tifffile.TiffFile.series` gives.

    A negative length, which damage can make, would keep tifffile busy and growing for ever.

    Parameters
    ----------
    tiff : tifffile.TiffFile
    source : str
        For the error.

    Raises
    ------
    PatternError
        A page has no pixels.
    """
    if any(min(page.shape, default=0) <= 0 for page in (tiff.pages if tiff.is_shaped else tiff.pages[:1])):
        raise PatternError(f"file: {source} holds a page without pixels, accepted: a whole TIFF file")
    return list(tiff.series)
