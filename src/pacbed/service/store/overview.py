"""The store as a whole: what everybody keeps, what was asked, and what was said of answers."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pacbed.service.store.feedback import Said, feedback
from pacbed.service.store.schema import LookupRow
from pacbed.service.store.wanted import SUFFIX


class Usage(NamedTuple):
    """What somebody's look-ups come to.

    Attributes
    ----------
    lookups : int
    size : int
        Of their files [byte].
    latest : float
        Seconds since 1970.
    """

    lookups: int
    size: int
    latest: float


class Overview:
    """Sums and lists over a database.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def usage(self) -> dict[str, Usage]:
        """What the look-ups of everybody come to, by owner."""
        count, size, last = sa.func.count(), sa.func.sum(LookupRow.size), sa.func.max(LookupRow.created)
        chosen = sa.select(LookupRow.owner, count, size, last).group_by(LookupRow.owner)
        with Session(self._engine) as session:
            return {owner: Usage(int(n), int(total), latest) for owner, n, total, latest in session.execute(chosen)}

    def bundles_of(self, owner: str) -> list[str]:
        """Names of the bundles that somebody has asked, sorted."""
        chosen = sa.select(LookupRow.bundle_name).where(LookupRow.owner == owner).distinct()
        with Session(self._engine) as session:
            return sorted(name.removesuffix(SUFFIX) for name in session.scalars(chosen))

    def said(self, *, limit: int | None = None) -> list[Said]:
        """What everybody said of answers, the latest first."""
        return feedback(self._engine, limit=limit)
