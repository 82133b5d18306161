"""The table of a folder of predictions: a row for every pattern, kept from call to call."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from pacbed.errors import bad_value
from pacbed.outputs import write_text

COLUMNS = (
    *("pattern", "thickness_nm", "thickness_std_nm", "mistilt_mrad", "mistilt_azimuth_deg", "convergence_mrad"),
    *("pixel_mrad", "misfit", "verdict", "reasons", "result"),
)

Row = Mapping[str, str]


def earlier_rows(file: Path) -> Sequence[Row]:
    """Rows of the table that is there; none without a table.

    Parameters
    ----------
    file : path
        ``predictions.csv``.

    Raises
    ------
    ParameterError
        The file is no such table and would be lost.
    """
    if not file.exists():
        return []
    try:
        with file.open(encoding="utf-8-sig", newline="") as content:
            reader = csv.DictReader(content)
            rows = list(reader)
        if not {"pattern", "verdict"} <= set(reader.fieldnames or ()) or any(None in row for row in rows):
            raise ValueError("other columns")
    except (ValueError, csv.Error) as error:
        raise bad_value("out", str(file.parent), f"a folder in which {file.name} is a table of predictions") from error
    return rows


def write_table(rows: Sequence[Row], earlier: Sequence[Row], file: Path) -> None:
    """Write the rows behind those of before that speak of other patterns and other results.

    Parameters
    ----------
    rows : sequence of mapping
        With the keys `COLUMNS`.
    earlier : sequence of mapping
        From `earlier_rows`; columns that somebody added are kept.
    file : path
        Complete or absent.
    """
    patterns = {row["pattern"] for row in rows}
    results = {row["result"] for row in rows} - {""}
    kept = [row for row in earlier if row["pattern"] not in patterns and (row.get("result") or "") not in results]
    columns = list(dict.fromkeys([*COLUMNS, *(name for row in kept for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows([*kept, *rows])
    write_text(text.getvalue(), file)
