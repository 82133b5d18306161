"""What no crystal has: unknown elements, occupancies that do not add up, atoms inside each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers

from pacbed.crystal.cell import SAME_SITE_A
from pacbed.errors import StructureError

if TYPE_CHECKING:
    from pacbed.crystal.cell import Crystal

CLOSEST_A = 0.5  # no two atoms are that close; the shortest bond, H-H, has 0.74
OCCUPANCY_ROUNDING = 2e-3  # three times 0.334 is a full site
NEGATIVE_U_A2 = -1e-4  # refined tensors of nearly flat ellipsoids round to this


def number(value: object, what: str) -> float:
    """A CIF number, its standard uncertainty in brackets dropped."""
    try:
        return float(re.sub(r"\(.*\)", "", str(value)))
    except ValueError:
        raise StructureError(f"{what}: got {value!s}, accepted: a number") from None


def check_site(symbol: str, occupancy: float, u_iso_a2: float, where: str) -> None:
    """Refuse an unknown element, an occupancy outside (0, 1] and a negative displacement parameter."""
    if symbol not in atomic_numbers or symbol == "X":
        raise StructureError(f"element of {where}: got {symbol!r}, accepted: the symbol of a chemical element")
    if not 0 < occupancy <= 1:
        raise StructureError(f"occupancy of {where}: got {occupancy:g}, accepted: above 0, at most 1")
    if not u_iso_a2 >= 0:
        raise StructureError(f"displacement of {where}: got U = {u_iso_a2:g} Å^2, accepted: 0 or more")


def check_cell(parameters: Sequence[float], where: str) -> None:
    """Refuse lengths and angles that no cell has."""
    lengths, angles = np.array(parameters[:3], dtype=float), np.deg2rad(parameters[3:])
    cosines = np.cos(angles)
    squared = 1 - np.sum(cosines**2) + 2 * np.prod(cosines)  # of the volume of a cell with edges of 1
    if not (np.all(lengths > 0) and np.all((angles > 0) & (angles < np.pi)) and squared > 1e-6):
        shown = ", ".join(f"{value:g}" for value in parameters)
        raise StructureError(f"cell of {where}: got {shown}, accepted: three lengths above 0 and angles of a cell")


def check_atoms(crystal: Crystal) -> None:
    """Refuse atoms inside each other, sites that are more than full, and tensors that are no ellipsoids."""
    distances = crystal.to_atoms().get_all_distances(mic=True)
    shared = distances < SAME_SITE_A
    for first, second in np.argwhere(np.triu((distances < CLOSEST_A) & ~shared, k=1)):
        raise StructureError(
            f"{crystal.source}: atoms {crystal.symbols[first]} {first} and {crystal.symbols[second]} {second} are "
            f"{distances[first, second]:.2f} Å apart, accepted: {CLOSEST_A} Å or more, or one site shared by "
            "occupancies up to 1"
        )
    for index in np.flatnonzero(shared @ crystal.occupancy > 1 + OCCUPANCY_ROUNDING):
        present = ", ".join(f"{crystal.symbols[i]} {crystal.occupancy[i]:g}" for i in np.flatnonzero(shared[index]))
        raise StructureError(
            f"{crystal.source}: one site holds {present}, at most {distances[index][shared[index]].max():.2f} Å apart, "
            "accepted: occupancies of one site up to 1 in all"
        )
    for index in np.flatnonzero(np.linalg.eigvalsh(crystal.displacement).min(axis=1) < NEGATIVE_U_A2):
        raise StructureError(
            f"{crystal.source}: the displacement tensor of {crystal.symbols[index]} {index} has a negative principal "
            "value, accepted: 0 Å^2 or more"
        )
