"""Tables of the database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HASH = String(64)
NAME = String(100)


class Base(DeclarativeBase):
    """Base of every table."""


class TokenRow(Base):
    """A named token; only its hash is kept."""

    __tablename__ = "tokens"

    name: Mapped[str] = mapped_column(NAME, primary_key=True)
    sha256: Mapped[str] = mapped_column(HASH, unique=True)
    created: Mapped[float] = mapped_column(Float)
    expires: Mapped[float | None] = mapped_column(Float)
    revoked: Mapped[float | None] = mapped_column(Float)


class LookupRow(Base):
    """A look-up of somebody; two who ask the same have a row each, and the files once."""

    __tablename__ = "lookups"
    __table_args__ = (Index("lookups_by_question", "owner", "question"), Index("lookups_by_time", "created"))

    identity: Mapped[str] = mapped_column(HASH, primary_key=True)
    owner: Mapped[str] = mapped_column(NAME, primary_key=True)
    question: Mapped[str] = mapped_column(HASH)
    created: Mapped[float] = mapped_column(Float)
    input_name: Mapped[str] = mapped_column(String(255))
    bundle_name: Mapped[str] = mapped_column(String(255))
    bundle_sha256: Mapped[str] = mapped_column(HASH)
    verdict: Mapped[str] = mapped_column(String(20))
    thickness_nm: Mapped[float | None] = mapped_column(Float)
    size: Mapped[int] = mapped_column(BigInteger)
    share_sha256: Mapped[str | None] = mapped_column(HASH)
    request: Mapped[str] = mapped_column(Text)
    pattern_name: Mapped[str] = mapped_column(NAME, index=True)


class FeedbackRow(Base):
    """What somebody says of an answer."""

    __tablename__ = "feedback"
    __table_args__ = (
        ForeignKeyConstraint(["identity", "owner"], ["lookups.identity", "lookups.owner"], ondelete="CASCADE"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    identity: Mapped[str] = mapped_column(HASH)
    owner: Mapped[str] = mapped_column(NAME)
    created: Mapped[float] = mapped_column(Float)
    answer: Mapped[str] = mapped_column(String(20))
    thickness_nm: Mapped[float | None] = mapped_column(Float)
    comment: Mapped[str] = mapped_column(Text)


class BundleRow(Base):
    """A bundle that was served once, so that one that is gone is told from one that never was."""

    __tablename__ = "bundles"

    sha256: Mapped[str] = mapped_column(HASH, primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    first_served: Mapped[float] = mapped_column(Float)
