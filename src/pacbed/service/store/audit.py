"""The audit: a line of JSON for each request, without pattern or secret."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOGGER = logging.getLogger("pacbed.service")
AUDIT = "audit.jsonl"
LINE_BYTES = 1024  # a line is shorter


class Audit:
    """The file of a service's home.

    Parameters
    ----------
    home : path
    """

    def __init__(self, home: Path) -> None:
        self._file = home / AUDIT

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append a line."""
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(dict(entry), ensure_ascii=True) + "\n")
        except OSError as error:  # a full disk must not keep anybody from an answer
            LOGGER.warning("audit: %s", error)

    def last(self, count: int) -> list[dict[str, Any]]:
        """The last lines, the latest first; one that is damaged is left out."""
        try:
            with self._file.open("rb") as file:
                begin = max(0, file.seek(0, os.SEEK_END) - count * LINE_BYTES)
                file.seek(begin)
                lines = file.read().split(b"\n")
        except OSError:  # nobody has asked for anything yet
            return []
        if begin:
            del lines[0]  # a part of one
        entries = (_entry(line) for line in reversed(lines) if line)
        return [entry for entry in entries if entry is not None][:count]


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except ValueError:  # the machine went down while it was written
        return None
    return content if isinstance(content, dict) else None
