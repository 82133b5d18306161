"""Look-ups: rows of the database, and a folder of files for each identity."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pacbed.locks import locked
from pacbed.service.store.lookup import FIELDS, RESULT, Lookup, Question
from pacbed.service.store.schema import FeedbackRow, LookupRow
from pacbed.service.store.wanted import ALL, Wanted

DAY_S = 86_400.0


class Lookups:
    """All look-ups.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    home : path
        Answers and patterns lie below it.
    """

    def __init__(self, engine: sa.Engine, home: Path) -> None:
        self._engine, self._locks = engine, home / "locks"
        self.folder, self._patterns = home / "answers", home / "patterns"

    def place(self, identity: str) -> Path:
        """Folder of an identity."""
        return self.folder / identity[:2] / identity

    def keep(self, identity: str, question: Question, upload: Path, made: Path | None) -> Lookup:
        """Keep an answer for somebody; files appear complete or not at all.

        Parameters
        ----------
        identity : str
            Hash of the look-up.
        question : Question
        upload : path
            The file that was sent; it is moved.
        made : path or None
            Folder of result and sheet, which is moved; None where the identity is there already.
        """
        pattern = self._pattern(question.pattern)
        with self._alone_with(identity, question.pattern):
            pattern.parent.mkdir(parents=True, exist_ok=True)
            upload.replace(pattern)
            if made is not None:
                _put(made, self.place(identity))
            with Session(self._engine) as session, session.begin():
                before = session.get(LookupRow, (identity, question.owner))
                row = self._row(identity, question, pattern.stat().st_size)
                row.share_sha256 = before.share_sha256 if before is not None else None
                session.merge(row)
            kept = self.find(identity, question.owner)
        assert kept is not None
        return kept

    @contextmanager
    def _alone_with(self, identity: str, pattern: str) -> Iterator[None]:
        """Nobody else, of this server or another, brings or takes away these files meanwhile."""
        answer, upload = self._locks / f"answer-{identity[:2]}", self._locks / f"pattern-{pattern[:2]}"
        with locked(answer, waiting=_patience), locked(upload, waiting=_patience):
            yield

    def _row(self, identity: str, question: Question, pattern_bytes: int) -> LookupRow:
        place, request = self.place(identity), question.request
        result = json.loads((place / RESULT).read_text(encoding="utf-8"))
        thickness = result.get("thickness_nm") or {}
        return LookupRow(
            identity=identity,
            owner=question.owner,
            question=question.key,
            created=time.time(),
            input_name=str(request["input"]),
            bundle_name=str(request["bundle"]),
            bundle_sha256=str(request["bundle_sha256"]),
            verdict=str(result["verdict"]),
            thickness_nm=thickness.get("value"),
            size=pattern_bytes + sum(file.stat().st_size for file in place.iterdir()),
            request=json.dumps(dict(request), ensure_ascii=False),
            pattern_name=question.pattern,
        )

    def _pattern(self, name: str) -> Path:
        return self._patterns / name[:2] / name

    def asked_before(self, owner: str, question: str) -> Lookup | None:
        """The look-up of somebody who sent the very same bytes and parameters."""
        where = (LookupRow.owner == owner, LookupRow.question == question)
        return self._first(sa.select(LookupRow).where(*where))

    def find(self, identity: str, owner: str) -> Lookup | None:
        """A look-up of somebody."""
        return self._first(sa.select(LookupRow).where(LookupRow.identity == identity, LookupRow.owner == owner))

    def shared(self, identity: str, share_sha256: str) -> Lookup | None:
        """A look-up by the key of its link."""
        where = (LookupRow.identity == identity, LookupRow.share_sha256 == share_sha256)
        return self._first(sa.select(LookupRow).where(*where))

    def of_owner(self, owner: str, wanted: Wanted = ALL, *, limit: int) -> list[Lookup]:
        """Look-ups of somebody that are wanted, the latest first."""
        chosen = sa.select(LookupRow).where(LookupRow.owner == owner, *wanted.conditions())
        with Session(self._engine) as session:
            rows = session.scalars(chosen.order_by(LookupRow.created.desc()).limit(limit))
            return [self._lookup(row) for row in rows]

    def kept_bytes(self, owner: str) -> int:
        """What the look-ups of somebody take on disk [byte]."""
        with Session(self._engine) as session:
            total = session.scalar(sa.select(sa.func.sum(LookupRow.size)).where(LookupRow.owner == owner))
        return int(total or 0)

    def share(self, lookup: Lookup, share_sha256: str | None) -> None:
        """Let whoever knows a key see a look-up; None takes that back."""
        with Session(self._engine) as session, session.begin():
            row = session.get(LookupRow, (lookup.identity, lookup.owner))
            if row is not None:
                row.share_sha256 = share_sha256

    def say(self, lookup: Lookup, answer: str, thickness_nm: float | None, comment: str) -> None:
        """Keep what somebody says of an answer."""
        with Session(self._engine) as session, session.begin():
            session.add(
                FeedbackRow(
                    identity=lookup.identity,
                    owner=lookup.owner,
                    created=time.time(),
                    answer=answer,
                    thickness_nm=thickness_nm,
                    comment=comment.replace("\0", ""),  # no text of PostgreSQL
                )
            )

    def delete(self, lookup: Lookup) -> None:
        """Forget a look-up; its files go with the last who asked for it."""
        self._delete(lookup)

    def _delete(self, lookup: Lookup, *still: sa.ColumnElement[bool]) -> int:
        """The same as long as conditions hold; returns how many rows are gone."""
        which = (LookupRow.identity == lookup.identity, LookupRow.owner == lookup.owner, *still)
        with self._alone_with(lookup.identity, lookup.pattern.name):
            with Session(self._engine) as session, session.begin():
                gone = session.scalars(sa.delete(LookupRow).where(*which).returning(LookupRow.identity)).all()
                counted = sa.select(sa.func.count()).select_from(LookupRow)
                others = session.scalar(counted.where(LookupRow.identity == lookup.identity))
                same = session.scalar(counted.where(LookupRow.pattern_name == lookup.pattern.name))
            if not others:
                shutil.rmtree(lookup.folder, ignore_errors=True)
            if not same:
                lookup.pattern.unlink(missing_ok=True)
        return len(gone)

    def delete_older(self, days: float) -> int:
        """Forget what is older and not shared; returns how many."""
        where = (LookupRow.created < time.time() - days * DAY_S, LookupRow.share_sha256.is_(None))
        with Session(self._engine) as session:
            old = [self._lookup(row) for row in session.scalars(sa.select(LookupRow).where(*where))]
        return sum(self._delete(lookup, *where) for lookup in old)  # one may have been asked again since

    def _first(self, chosen: sa.Select[tuple[LookupRow]]) -> Lookup | None:
        with Session(self._engine) as session:
            row = session.scalars(chosen.order_by(LookupRow.created.desc()).limit(1)).first()
            found = None if row is None else self._lookup(row)
        return found if found is not None and (found.folder / RESULT).is_file() else None

    def _lookup(self, row: LookupRow) -> Lookup:
        known: dict[str, Any] = {name: getattr(row, name) for name in FIELDS}
        return Lookup(**known, folder=self.place(row.identity), pattern=self._pattern(row.pattern_name))


def _put(made: Path, place: Path) -> None:
    """Put a folder in its place, or what is new in it into the one that is there; no file is ever missing meanwhile."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        made.rename(place)
        return
    for file in made.iterdir():  # there is a sheet now, or two have asked the same at the same time
        if not (place / file.name).exists():
            file.replace(place / file.name)


def _patience() -> None:
    """Others are done in a moment."""
