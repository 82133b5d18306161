"""What was found of one numerical choice; the first stage writes down what it has found of those left to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pacbed.errors import FormatError
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.table.settings import NUMERICS_FILE

EVIDENCE = "evidence"  # key of what was measured, in the file of the distances


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    name, what : str
        Name of the check, and what its figures are.
    values : sequence of float
        A figure for each thickness.
    tolerance : float
        Largest accepted figure.
    line : str
        A better choice, as a line of the configuration.
    """

    name: str
    what: str
    values: Sequence[float]
    tolerance: float
    line: str

    @property
    def worst(self) -> float:
        """The largest figure."""
        return float(max(self.values))

    @property
    def good(self) -> bool:
        """Whether every figure keeps the tolerance."""
        return self.worst <= self.tolerance

    def as_json(self) -> dict[str, Any]:
        """Plain values; the proposal is empty where nothing need change."""
        return {
            "name": self.name,
            "what": self.what,
            "values": [float(value) for value in self.values],
            "worst": self.worst,
            "tolerance": float(self.tolerance),
            "proposal": [] if self.good else [self.line],
        }


def as_evidence(findings: Iterable[Finding], limits: PatternLimits) -> dict[str, Any]:
    """Findings as plain values, with the patterns they were made on; `measured_findings` reads them."""
    return {"limits": asdict(limits), "checks": [finding.as_json() for finding in findings]}


def measured_findings(structure_dir: str | Path, limits: PatternLimits) -> dict[str, Finding]:
    """What the first stage has found, by name; nothing where it measured nothing, or on other patterns.

    Parameters
    ----------
    structure_dir : path
        Folder written by `orient_structure`.
    limits : PatternLimits
        The patterns on which the choices are to be judged.

    Raises
    ------
    FormatError
        The file is damaged.
    """
    file = Path(structure_dir) / NUMERICS_FILE
    if not file.exists():
        return {}
    try:
        evidence = json.loads(file.read_text(encoding="utf-8")).get(EVIDENCE)
        if evidence is None or evidence["limits"] != asdict(limits):
            return {}
        checks = [{key: check[key] for key in ("name", "what", "values", "tolerance")} for check in evidence["checks"]]
        return {check["name"]: Finding(**check, line="") for check in checks}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{file}: damaged ({error!r}), accepted: what orient_structure writes") from error
