"""Persistent tags of GMS, by which DM-Script and Python tell each other things: texts below ``PACBED``."""

from __future__ import annotations

from typing import Any

from pacbed_client.errors import ClientError

ROOT = "PACBED:"
# Texts that are not ASCII arrive in DM-Script as other letters, or make Python fail (public scripts escape them).
PLAIN = {"±": "+/-", "°": " deg", "×": "x", "µ": "u", "μ": "u", "Å": "A", "–": "-", "—": "-", "’": "'"}


class Tags:
    """Texts below ``PACBED``.

    Parameters
    ----------
    dm : module
        DigitalMicrograph.
    """

    def __init__(self, dm: Any) -> None:
        self._dm = dm

    def get(self, name: str) -> str:
        """A text; empty where there is none."""
        # Asked anew each time: a group that is kept in a variable is no longer valid (public scripts).
        found, value = self._dm.GetPersistentTagGroup().GetTagAsString(ROOT + name)
        return as_text(value).strip() if found else ""

    def put(self, name: str, value: object) -> None:
        """Write a text."""
        self._dm.GetPersistentTagGroup().SetTagAsString(ROOT + name, plain(str(value)))


def as_text(value: object) -> str:
    """A text of GMS, which may be bytes where it is not ASCII."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("cp1252", "replace")
    return "" if value is None else str(value)


def plain(text: str) -> str:
    """The same in ASCII."""
    for letter, instead in PLAIN.items():
        text = text.replace(letter, instead)
    return text.encode("ascii", "replace").decode("ascii")


def number(name: str, text: str) -> float | None:
    """A number that somebody typed, None for nothing.

    Raises
    ------
    ClientError
        It is none.
    """
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise ClientError(f"{name}: got {text!r}, accepted: a number such as 13.7") from None
