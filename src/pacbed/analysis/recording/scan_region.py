"""The mean pattern of a part of a scan, such as the vacuum beside a crystal."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import bad_value


def region_mean(
    path: str | Path,
    region: tuple[slice, slice],
    *,
    dataset: str | None = None,
    scan_shape: tuple[int, int] | None = None,
) -> np.ndarray:
    """Mean pattern of a part of a scan, float32, shape (y, x) [counts].

    Parameters
    ----------
    path, dataset, scan_shape
        As for `open_scan`.
    region : tuple of slice
        Rows and columns of the scan.

    Raises
    ------
    PatternError, ParameterError
        The file cannot be read, or the part lies outside the scan.
    """
    down, across = region
    with open_scan(path, dataset=dataset, scan_shape=scan_shape) as scan:
        rows, columns = scan.scan_shape
        if down.stop > rows or across.stop > columns:
            got = f"{down.start}:{down.stop},{across.start}:{across.stop}"
            raise bad_value("vacuum_region", got, f"a part of the scan's {rows} rows and {columns} columns")
        lines = (scan.line(row, across) for row in range(down.start, down.stop))
        total = sum(line.sum(axis=0, dtype=np.float64) for line in lines)
        count = (down.stop - down.start) * (across.stop - across.start)
        return scan.without_bad(np.asarray(total) / count)
