"""Named tokens: made by the operator, shown once, kept as hashes."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pacbed.errors import bad_value
from pacbed.service.store.schema import TokenRow

PREFIX = "pacbed_"  # by which scanners for secrets know one
BYTES = 32
DAY_S = 86_400.0
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
START, ANYBODY = "~start", "~anybody"  # owners without a named token; no name begins so


@dataclass(frozen=True)
class Token:
    """What is known of a named token.

    Attributes
    ----------
    name : str
    created : float
        Seconds since 1970.
    expires, revoked : float or None
        The same; None for never.
    """

    name: str
    created: float
    expires: float | None
    revoked: float | None

    def holds(self, now: float) -> bool:
        """Whether it lets its holder in."""
        return self.revoked is None and (self.expires is None or now < self.expires)


def new_secret() -> str:
    """A token that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(BYTES)


def secret_hash(secret: str) -> str:
    """SHA-256 of a token; it has as many random bits, so that nothing slower is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Tokens:
    """The named tokens of a database.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, name: str, *, days: float | None = None) -> str:
        """Make a token and return it; only now can it be seen.

        Parameters
        ----------
        name : str
        days : float, optional
            How long it holds [d].

        Raises
        ------
        ParameterError
            The name is taken or none, or the time is not positive.
        """
        if not NAME.fullmatch(name):
            raise bad_value("name", name, "letters, digits and . _ -, at most 64")
        if days is not None and not 0 < days < 1e6:
            raise bad_value("days", days, "a number above 0 [d]")
        secret, now = new_secret(), time.time()
        with Session(self._engine) as session, session.begin():
            if session.get(TokenRow, name) is not None:
                raise bad_value("name", name, "a name that no token has had; look-ups belong to names")
            expires = None if days is None else now + days * DAY_S
            session.add(TokenRow(name=name, sha256=secret_hash(secret), created=now, expires=expires))
        return secret

    def revoke(self, name: str) -> None:
        """Let a token open nothing any more; its look-ups stay.

        Raises
        ------
        ParameterError
            There is no such token.
        """
        with Session(self._engine) as session, session.begin():
            row = session.get(TokenRow, name)
            if row is None:
                raise bad_value("name", name, "the name of a token; pacbed service token list shows them")
            row.revoked = row.revoked or time.time()

    def all(self) -> list[Token]:
        """All tokens, by name."""
        with Session(self._engine) as session:
            rows = session.scalars(sa.select(TokenRow).order_by(TokenRow.name))
            return [Token(row.name, row.created, row.expires, row.revoked) for row in rows]

    def holder(self, secret: str) -> str | None:
        """Name of the token that somebody shows, if it holds."""
        with Session(self._engine) as session:
            row = session.scalar(sa.select(TokenRow).where(TokenRow.sha256 == secret_hash(secret)))
            if row is None or not Token(row.name, row.created, row.expires, row.revoked).holds(time.time()):
                return None
            return row.name
