"""One look at a file before anything opens it."""

from __future__ import annotations

import logging
from pathlib import Path

from pacbed.analysis.recording.guard.chunks import check_hdf5_chunks
from pacbed.analysis.recording.guard.endless import check_ends
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
        It reaches outside its folder, declares too large a picture or chunk, or its HDF5 leads round in circles.
    """
    _quiet_readers()
    check_ends(path)
    check_references(path)
    check_declared(path)
    check_hdf5_chunks(path)


def _quiet_readers() -> None:
    """What libraries say of a damaged file, RosettaSciIO on standard output, is for log files at most."""
    import rsciio  # installs a handler of its own when it is imported

    for name in (rsciio.__name__, "tifffile"):
        logging.getLogger(name).handlers[:] = [logging.NullHandler()]
