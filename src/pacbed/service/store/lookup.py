"""A look-up as it is kept, and the question that it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

RESULT, SHEET = "result.json", "sheet.png"


@dataclass(frozen=True)
class Lookup:
    """One look-up of somebody.

    Attributes
    ----------
    identity, owner : str
    created : float
        Seconds since 1970.
    input_name, bundle_name, bundle_sha256 : str
    verdict : str
    thickness_nm : float or None
        Thickness [nm].
    size : int
        Of its files [byte].
    share_sha256 : str or None
        Hash of the key of its link.
    request : str
        What was asked, as the text of a JSON file.
    folder : pathlib.Path
        Result and sheet, which are the same for everybody who asks the same.
    pattern : pathlib.Path
        The upload, which is not: other files may hold the same pattern.
    """

    identity: str
    owner: str
    created: float
    input_name: str
    bundle_name: str
    bundle_sha256: str
    verdict: str
    thickness_nm: float | None
    size: int
    share_sha256: str | None
    request: str
    folder: Path
    pattern: Path

    def result(self) -> dict[str, Any]:
        """The result, as JSON, with the names of this request."""
        content: dict[str, Any] = json.loads((self.folder / RESULT).read_text(encoding="utf-8"))
        provenance = content["provenance"]
        provenance |= {"input": self.input_name, "bundle": self.bundle_name}
        provenance["parameters"] |= {"path": self.input_name}
        return content

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked, as JSON."""
        content: dict[str, Any] = json.loads(self.request)
        return content


FIELDS = [one.name for one in fields(Lookup) if one.name not in ("folder", "pattern")]


class Question(NamedTuple):
    """What somebody sent.

    Attributes
    ----------
    owner : str
    key : str
        Hash of file, bundle, parameters and versions.
    pattern : str
        Name of the upload in the store: its hash, and the suffix by which it is read.
    request : dict
        What was asked, as JSON; ``input`` and ``bundle`` are names, ``bundle_sha256`` the hash.
    """

    owner: str
    key: str
    pattern: str
    request: Mapping[str, Any]
