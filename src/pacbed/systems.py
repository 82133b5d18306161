"""Do structure, table and stack belong to one crystal, seen along one axis at one voltage?"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pacbed.errors import FormatError

# Compositions that differ by less per formula unit are one crystal: 2/3 is written 0.67 and 0.667, 0.7 refines to
# 0.698(5); neighbours that are told apart, as La0.7Sr0.3MnO3 and La0.67Sr0.33MnO3, differ by 0.03.
SAME_COMPOSITION = 0.01


@dataclass(frozen=True)
class System:
    """What identifies a system.

    Attributes
    ----------
    formula : str
        Formula of the cell content, occupancies counted.
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
        """True if one of the three is different; compositions may differ by rounding."""
        return (
            not same_composition(self.formula, other.formula)
            or self.zone_axis != other.zone_axis
            or abs(self.energy_kev - other.energy_kev) > 1e-6
        )


def same_composition(first: str, second: str) -> bool:
    """Whether two formulas hold the same elements, each in the same amount up to rounding, in any order.

    Parameters
    ----------
    first, second : str
        Such as 'La0.7Sr0.3MnO3'; texts that are no such formulas are compared as they are.
    """
    one, other = _amounts(first), _amounts(second)
    if one is None or other is None:
        return first == second
    return one.keys() == other.keys() and all(
        abs(one[element] - other[element]) <= SAME_COMPOSITION * (1 + 1e-9) for element in one
    )


def _amounts(formula: str) -> dict[str, float] | None:
    """Amount of each element of a formula; None if it is none."""
    if not re.fullmatch(r"([A-Z][a-z]?(\d+(\.\d+)?)?)+", formula):
        return None
    amounts: dict[str, float] = {}
    for element, amount in re.findall(r"([A-Z][a-z]?)(\d+(?:\.\d+)?)?", formula):
        amounts[element] = amounts.get(element, 0.0) + float(amount or 1)
    return amounts


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
