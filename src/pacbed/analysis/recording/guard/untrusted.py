"""One look at a file before anything opens it."""

from __future__ import annotations

from pathlib import Path

from pacbed.analysis.recording.guard.references import check_references
from pacbed.analysis.recording.guard.sizes import check_declared


def check_untrusted(path: str | Path) -> None:
    """Refuse a file or folder that brings other files of the machine in, or more than fits.

    Parameters
    ----------
    path : path
        A recording of any format. What is lazily readable is not looked at here: see `load_array`.

    Raises
    ------
    PatternError
        It reaches outside its folder, or declares too large a picture.
    """
    check_references(path)
    check_declared(path)
