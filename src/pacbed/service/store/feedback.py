"""What people said of answers, with what they were told."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pacbed.service.store.schema import FeedbackRow, LookupRow
from pacbed.service.times import iso

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a cell that begins so is computed by a spreadsheet


class Said(NamedTuple):
    """What somebody said of an answer.

    Attributes
    ----------
    created : str
        Time, UTC.
    owner, lookup, input, bundle : str
        Name of the token, id of the look-up, names of its file and its bundle.
    verdict : str
    thickness_nm : float or None
        That was found [nm].
    answer : str
        "right", "wrong" or "unsure".
    other_thickness_nm : float or None
        By another method [nm].
    comment : str
    """

    created: str
    owner: str
    lookup: str
    input: str
    bundle: str
    verdict: str
    thickness_nm: float | None
    answer: str
    other_thickness_nm: float | None
    comment: str


def feedback(engine: sa.Engine, *, limit: int | None = None) -> list[Said]:
    """What was said, the latest first.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    limit : int, optional
        How many at most.
    """
    joined = sa.and_(FeedbackRow.identity == LookupRow.identity, FeedbackRow.owner == LookupRow.owner)
    chosen = sa.select(FeedbackRow, LookupRow).join(LookupRow, joined)
    with Session(engine) as session:
        rows = session.execute(chosen.order_by(FeedbackRow.number.desc()).limit(limit)).all()
        return [_said(row, lookup) for row, lookup in rows]


def as_csv(entries: Iterable[Said]) -> str:
    """The same as a table for spreadsheets (RFC 4180); text that they would compute begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(Said._fields)
    writer.writerows([_plain(cell) for cell in entry] for entry in entries)
    return text.getvalue()


def _plain(cell: str | float | None) -> str | float | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _said(row: FeedbackRow, lookup: LookupRow) -> Said:
    return Said(
        created=iso(row.created),
        owner=row.owner,
        lookup=row.identity,
        input=lookup.input_name,
        bundle=lookup.bundle_name,
        verdict=lookup.verdict,
        thickness_nm=lookup.thickness_nm,
        answer=row.answer,
        other_thickness_nm=row.thickness_nm,
        comment=row.comment,
    )
