"""A bundle as the service knows it, and the names under which people ask for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Literal

from pacbed.bundle.meta import BundleMeta

State = Literal["ready", "preparing", "waiting", "refused"]
ENERGY_RELATIVE = 0.01  # two voltages that count as the same
# Crystals by the names that clients send; the formula alone would not tell rutile from anatase.
COMMON_NAMES = {"srtio3": "strontium titanate", "si": "silicon", "au": "gold"}


@dataclass(frozen=True)
class Served:
    """One bundle.

    Attributes
    ----------
    name : str
        File name without its suffix.
    path : pathlib.Path
    stamp : tuple of int
        Size and time of the last change, by which another file of the same name is told [byte, ns].
    state : str
        "ready" answers; "preparing" has its table made; "waiting" is still being copied; "refused" is damaged.
    reason : str
        Of a refusal, one line.
    sha256 : str
        Hash that names it; empty until it was looked at.
    meta : BundleMeta or None
        None until it was looked at.
    """

    name: str
    path: Path
    stamp: tuple[int, int]
    state: State = "waiting"
    reason: str = ""
    sha256: str = ""
    meta: BundleMeta | None = None

    @property
    def axis(self) -> tuple[int, ...]:
        """Zone axis, in lowest terms and with a positive first index that is not zero."""
        return lowest_terms([] if self.meta is None else self.meta.crystal.get("zone_axis", []))

    @property
    def energy_kev(self) -> float:
        """Beam energy [keV]."""
        return 0.0 if self.meta is None else self.meta.energy_kev

    @property
    def names(self) -> set[str]:
        """Names of its crystal, as `plain_name` writes them: of the system, formula, common name, and aliases."""
        if self.meta is None:
            return set()
        crystal = self.meta.crystal
        material = re.split(r"[_-]", self.meta.system)[0]
        stem = re.sub(r"\d{3}$", "", material)  # si110 is silicon along [110]
        formula = str(crystal.get("formula", ""))
        given = [*crystal.get("aliases", []), crystal.get("name", ""), formula, material, stem, self.meta.system]
        common = [COMMON_NAMES[one] for one in map(plain_name, given) if one in COMMON_NAMES]
        return {plain_name(str(one)) for one in (*given, *common)} - {""}

    def line(self) -> str:
        """A few words for a list: name, crystal, axis and voltage."""
        if self.meta is None:
            return f"{self.name} ({self.reason or self.state})"
        axis = " ".join(map(str, self.axis))
        return f"{self.name}: {self.meta.crystal.get('formula', '?')} [{axis}] {self.energy_kev:g} kV"


def lowest_terms(indices: object) -> tuple[int, ...]:
    """Indices of a direction without common factor and sign; empty for what is none.

    Parameters
    ----------
    indices : sequence of int
        Three, or four of a hexagonal cell.
    """
    if not isinstance(indices, list | tuple) or any(type(one) is not int for one in indices) or not any(indices):
        return ()
    factor = gcd(*indices) * (-1 if next(one for one in indices if one) < 0 else 1)
    return tuple(one // factor for one in indices)


def plain_name(name: str) -> str:
    """A name without case, spaces and marks between words."""
    return re.sub(r"[^\w]", "", name, flags=re.UNICODE).replace("_", "").casefold()
