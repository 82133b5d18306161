"""What a CIF file says of a crystal: read as written, put right where only one reading is possible, else refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ReadingChoices:
    """What a configuration says where a CIF leaves something open.

    Attributes
    ----------
    block : str, optional
        Name of the data block, where a file holds several structures.
    accept_contradictions : collection of str
        Of "formula", "z", "volume", "density", "metric", "distance": what the file says of itself and need not be true.
    displacements : mapping of str to float
        u_iso [nm^2] by label of a site, else by element, for sites without displacement parameters.
    """

    block: str | None = None
    accept_contradictions: Collection[str] = ()
    displacements: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> ReadingChoices:
        """Choices from JSON, where sequences are lists."""
        accepted = tuple(facts.get("accept_contradictions", ()))
        return cls(facts.get("block"), accepted, dict(facts.get("displacements", {})))
