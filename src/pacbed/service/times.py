"""Times as text; all are kept in seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """For programs: ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def minute(seconds: float) -> str:
    """For people: date and minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def clock(seconds: float) -> str:
    """For people, to the second, where only the latest hours are shown."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%m-%d %H:%M:%S")
