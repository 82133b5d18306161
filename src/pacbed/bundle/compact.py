"""The rocking table of a bundle: levels of thickness, each with as few directions as it needs, packed.

Rocking fringes widen as a crystal thins, so that thin crystals need fewer directions. `pacbed.bundle.thinning` makes
the levels; here is what they are, in memory and in a Zarr group: ``level_0``, ``level_1`` and so on from the entrance
surface down, each a `PackedTable`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import zarr

from pacbed.bundle.packed import PackedTable
from pacbed.bundle.recipe import LevelRecipe
from pacbed.errors import FormatError
from pacbed.outputs import check_version
from pacbed.simulation.table.rocking_table import RockingTable

COMPACT_VERSION = 2


@dataclass(frozen=True)
class CompactTable:
    """Levels of thickness, each a rocking table.

    Attributes
    ----------
    levels : tuple of RockingTable
        From the entrance surface down; each reaches from where the one before ends to its `thickness_max_nm`.
    packed : tuple of PackedTable
        The same as they are stored; empty once read.
    interpolation_l2, packing_l2 : tuple of float
        Largest relative L2 difference that fewer directions, and packing, make in probe patterns of each level.
    """

    levels: tuple[RockingTable, ...]
    packed: tuple[PackedTable, ...]
    interpolation_l2: tuple[float, ...]
    packing_l2: tuple[float, ...]

    def recipes(self) -> tuple[LevelRecipe, ...]:
        """What the packed levels are made by again."""
        ends = [0.0, *(packed.frame.thickness_max_nm for packed in self.packed)]
        return tuple(
            LevelRecipe(low, high, packed.frame.steps, packed.step)
            for (low, high), packed in zip(pairwise(ends), self.packed, strict=True)
        )

    def write(self, group: zarr.Group) -> None:
        """Store the levels in an open Zarr group."""
        group.attrs.update(
            {
                "compact_version": COMPACT_VERSION,
                "levels": len(self.packed),
                "interpolation_l2": list(self.interpolation_l2),
                "packing_l2": list(self.packing_l2),
            }
        )
        for number, level in enumerate(self.packed):
            level.write(group.create_group(f"level_{number}"))

    @classmethod
    def read(cls, group: zarr.Group) -> CompactTable:
        """Read what `write` stored, or a table in full precision, which is one level.

        Raises
        ------
        FormatError
            It is damaged, incomplete or of another version.
        """
        attributes: dict[str, Any] = dict(group.attrs)
        if "compact_version" not in attributes:
            return cls((RockingTable.read(group),), (), (0.0,), (0.0,))
        version = attributes["compact_version"]
        check_version("compact rocking table", version, current=COMPACT_VERSION, oldest=COMPACT_VERSION)
        try:
            names = [f"level_{number}" for number in range(attributes["levels"])]
            levels = tuple(PackedTable.read(group[name]).table() for name in names)  # type: ignore[arg-type]
            interpolation, packing = (tuple(attributes[name]) for name in ("interpolation_l2", "packing_l2"))
        except (KeyError, TypeError) as error:
            raise FormatError(f"compact rocking table: damaged or incomplete ({error})") from error
        if not levels:
            raise FormatError("compact rocking table: got no levels, accepted: at least one")
        return cls(levels, (), interpolation, packing)
