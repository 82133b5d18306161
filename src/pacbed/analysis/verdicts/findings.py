"""Whether a result may be believed, and why not: every reason is a sentence with the figures in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from pacbed.analysis.result import Verdict


class Severity(IntEnum):
    """What a finding does to the verdict."""

    NOTE = 0
    DOUBT = 1
    REFUSAL = 2


VERDICTS: dict[Severity, Verdict] = {Severity.NOTE: "ok", Severity.DOUBT: "doubtful", Severity.REFUSAL: "refused"}


class Finding(NamedTuple):
    """One reason for or against a result."""

    severity: Severity
    text: str


@dataclass
class Findings:
    """Reasons collected so far."""

    items: list[Finding] = field(default_factory=list)

    def add(self, severity: Severity, text: str) -> None:
        """Record one reason."""
        self.items.append(Finding(severity, text))

    @property
    def verdict(self) -> Verdict:
        """The worst of them counts."""
        return VERDICTS[max((item.severity for item in self.items), default=Severity.NOTE)]

    @property
    def reasons(self) -> list[str]:
        """The sentences, gravest first."""
        return [item.text for item in sorted(self.items, key=lambda item: -item.severity)]
