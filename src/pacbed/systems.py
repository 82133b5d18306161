"""Do structure, table and stack belong to one crystal, seen along one axis at one voltage?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pacbed.errors import FormatError


@dataclass(frozen=True)
class System:
    """What identifies a system.

    Attributes
    ----------
    formula : str
        Formula of the cell content.
    zone_axis : tuple of int
        Points to the source.
    energy_kev : float
        Kinetic energy of the electrons [keV].
    """

    formula: str
    zone_axis: tuple[int, ...]
    energy_kev: float

    def __str__(self) -> str:
        return f"{self.formula} [{' '.join(map(str, self.zone_axis))}] at {self.energy_kev:g} keV"

    def differs(self, other: System) -> bool:
        """True if one of the three is different."""
        return (
            self.formula != other.formula
            or self.zone_axis != other.zone_axis
            or abs(self.energy_kev - other.energy_kev) > 1e-6
        )


def shortest_indices(axis: Sequence[int]) -> tuple[int, int, int]:
    """Indices [uvw] of a zone axis without a common divisor.

    Parameters
    ----------
    axis : sequence of three or four int
        [uvw], or [uvtw] of a hexagonal cell: the direction u a1 + v a2 + t a3 + w c with a3 = -(a1 + a2).
    """
    u, v, *third, w = (int(index) for index in axis)
    if third:
        u, v = u - third[0], v - third[0]
    divisor = math.gcd(u, v, w)
    return u // divisor, v // divisor, w // divisor


def check_same_system(**systems: System) -> None:
    """Compare systems by name with the first.

    Raises
    ------
    FormatError
        Two of them differ.
    """
    (reference, first), *others = systems.items()
    for name, system in others:
        if system.differs(first):
            raise FormatError(f"{name}: got {system}, accepted: that of the {reference}, {first}")
