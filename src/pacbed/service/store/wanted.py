"""Which look-ups are searched for, as conditions of the database."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from pacbed.service.store.schema import LookupRow

SUFFIX = ".pacbed"


class Wanted(NamedTuple):
    """What a look-up has to be; what is empty or None is not asked for.

    Attributes
    ----------
    search : str
        Words; each is a part of the name of the file or of the bundle, in any case, or the beginning of the id.
    bundle : str
        Name of a bundle.
    verdict : str
        "ok", "doubtful" or "refused".
    since, before : float or None
        Seconds since 1970; the first counts, the last does not.
    """

    search: str = ""
    bundle: str = ""
    verdict: str = ""
    since: float | None = None
    before: float | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The same for a query."""
        found: list[sa.ColumnElement[bool]] = [_holds(word) for word in _text(self.search).split()]
        if self.bundle:
            found.append(LookupRow.bundle_name == _text(self.bundle).removesuffix(SUFFIX) + SUFFIX)
        if self.verdict:
            found.append(LookupRow.verdict == self.verdict)
        if self.since is not None:
            found.append(LookupRow.created >= self.since)
        if self.before is not None:
            found.append(LookupRow.created < self.before)
        return found


ALL = Wanted()


def _text(asked: str) -> str:
    """What a database takes as text: some refuse zero bytes."""
    return asked.replace("\0", " ")


def _holds(word: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        LookupRow.input_name.icontains(word, autoescape=True),
        LookupRow.bundle_name.icontains(word, autoescape=True),
        LookupRow.identity.startswith(word.lower(), autoescape=True),
    )
