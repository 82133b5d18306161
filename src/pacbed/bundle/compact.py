"""The table of a bundle: what a pattern needs of a rocking table, in a small part of its size.

Rocking fringes widen as a crystal thins. The table is therefore cut into levels of thickness, each with directions as
far apart as its deepest plane allows, and its coefficients are packed. Both losses are measured on rendered patterns.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr

from pacbed.bundle.packed import PackedTable
from pacbed.bundle.recipe import Recipe
from pacbed.bundle.resample import resample_table
from pacbed.errors import FormatError, bad_value
from pacbed.outputs import check_version
from pacbed.patterns import Geometry, relative_l2
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.codes import decode_coefficients
from pacbed.simulation.table.rocking_table import RockingTable

log = logging.getLogger(__name__)
COMPACT_VERSION = 2  # version 1 held other coefficients; no release wrote it
EQUAL_LEVELS = 5  # of equal depth, before those with equal steps are joined
INTERPOLATION_L2 = 5e-4  # relative L2 of a pattern that fewer directions may cost
PACKING_L2 = 6e-4  # and what packing may cost
COARSEST = 0.5  # of the table's steps; wider nodes cost more at the edges of the disks than they save elsewhere
WORTHWHILE = 0.6  # a level that needs more of the steps gets all: each further level costs series its rings
STEEPNESS = 8.0  # power of the pitch with which the error grows, to guess the next number of steps
PROBE_PIXELS = 64
# Height in the level, convergence angle over cone, mistilt over what is left of the cone, azimuth [rad].
PROBES = ((1.0, 0.68, 0.95, 2.2), (1.0, 0.30, 0.50, 0.4), (0.9, 0.50, 0.10, 4.1), (0.3, 0.60, 0.80, 5.5))
TRIAL_STEP = 0.05  # of the mean coefficient


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
        Largest relative L2 of the probe patterns of each level against the table that it was made from.
    """

    levels: tuple[RockingTable, ...]
    packed: tuple[PackedTable, ...]
    interpolation_l2: tuple[float, ...]
    packing_l2: tuple[float, ...]

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


def compact_table(table: RockingTable, *, cone_mrad: float, field_mrad: float, thickness_max_nm: float) -> CompactTable:
    """Cut, thin out and pack a rocking table.

    Parameters
    ----------
    table : RockingTable
        In full precision.
    cone_mrad, field_mrad, thickness_max_nm : float
        What remains of it [mrad, mrad, nm].

    Raises
    ------
    ParameterError
        The table does not hold what shall remain.
    """
    asked = {"cone_mrad": cone_mrad, "field_mrad": field_mrad, "thickness_max_nm": thickness_max_nm}
    for name, value in asked.items():
        if not 0 < value <= getattr(table, name) + 1e-9:
            raise bad_value(name, value, f"above 0, up to {getattr(table, name):g} for this table")
    full, limits = Renderer(table), {"cone_mrad": cone_mrad, "field_mrad": field_mrad}
    edges = thickness_max_nm * np.linspace(0, 1, EQUAL_LEVELS + 1)
    thinned = [
        _thinned(full, (float(low), float(high)), float(high) / thickness_max_nm, limits)
        for low, high in pairwise(edges)
    ]
    made = [_packed(full, list(alike), limits) for _, alike in groupby(thinned, key=lambda level: level.table.steps)]
    packed, interpolation, packing = zip(*made, strict=True)
    return CompactTable(tuple(level.table() for level in packed), packed, interpolation, packing)


def write_compact(table: RockingTable, recipe: Recipe, folder: str | Path) -> None:
    """Store the compact form of a table as a Zarr group in a folder of its own.

    A table of frozen phonons is stored as it is: its noise would fill the packed integers.
    """
    group = zarr.open_group(str(folder), mode="w", zarr_format=3)
    if table.diffuse is not None:
        table.write(group)
        return
    compact = compact_table(
        table,
        cone_mrad=recipe.kept_cone_mrad,
        field_mrad=recipe.kept_field_mrad,
        thickness_max_nm=recipe.kept_thickness_nm,
    )
    compact.write(group)


class _Thinned(NamedTuple):
    """A level of thickness with as few directions as it needs, and the relative L2 that this costs."""

    thickness_nm: tuple[float, float]
    table: RockingTable
    error: float


def _thinned(full: Renderer, thickness_nm: tuple[float, float], share: float, limits: dict[str, float]) -> _Thinned:
    """Cut a level with the fewest steps that do, beginning with a share of the table's steps."""
    probes, expected = _probes(full, thickness_nm, limits)
    share = max(COARSEST, share)
    while True:
        share = 1.0 if share > WORTHWHILE + 1e-9 else share
        steps = tuple(int(np.ceil(count * share - 1e-9)) for count in full.table.steps)
        level = resample_table(full.table, steps=(steps[0], steps[1]), thickness_nm=thickness_nm, **limits)
        error = _error(level, probes, expected)
        if error <= INTERPOLATION_L2 or steps == tuple(full.table.steps):
            return _Thinned(thickness_nm, level, error)
        least = min((count + 1) / of for count, of in zip(steps, full.table.steps, strict=True))
        share = max(least, share * (error / INTERPOLATION_L2) ** (1 / STEEPNESS))


def _packed(full: Renderer, alike: list[_Thinned], limits: dict[str, float]) -> tuple[PackedTable, float, float]:
    """Pack neighbours with equal steps as one level: a series pays for each level anew."""
    low, high = alike[0].thickness_nm[0], alike[-1].thickness_nm[1]
    level = alike[0].table
    if len(alike) > 1:
        level = resample_table(full.table, steps=level.steps, thickness_nm=(low, high), **limits)
    error = max(one.error for one in alike)
    packed, loss = _pack(level, probe_settings((low, high), edge_mrad=full.table.widest_pitch_mrad, **limits))
    log.info("%g to %g nm: %d x %d steps, interpolation %.1e, packing %.1e", low, high, *level.steps, error, loss)
    return packed, error, loss


def _probes(
    full: Renderer, thickness_nm: tuple[float, float], limits: dict[str, float]
) -> tuple[list[dict], list[np.ndarray]]:
    """A few patterns of a level and how the full table renders them."""
    probes = probe_settings(thickness_nm, edge_mrad=full.table.widest_pitch_mrad, **limits)
    return probes, [full.render(**probe) for probe in probes]


def _pack(level: RockingTable, probes: list[dict]) -> tuple[PackedTable, float]:
    """Pack a level with the step that costs what packing may: the error grows in proportion to the step."""
    renderer = Renderer(level)
    expected = [renderer.render(**probe) for probe in probes]
    mean = np.mean([np.mean(np.abs(decode_coefficients(plane))) for plane in level.codes])
    step = TRIAL_STEP * float(mean)
    for _ in range(2):
        error = _error(PackedTable.of(level, step).table(), probes, expected)
        step *= PACKING_L2 / max(error, 1e-12)
    packed = PackedTable.of(level, step)
    return packed, _error(packed.table(), probes, expected)


def probe_settings(
    thickness_nm: tuple[float, float], *, cone_mrad: float, field_mrad: float, edge_mrad: float
) -> list[dict]:
    """A few patterns that a level must still render, as arguments of `Renderer.render`.

    Thick and thin ends, several convergence angles, and mistilts up to the border of the cone.
    """
    low, high = thickness_nm
    geometry = Geometry.field_of_view(PROBE_PIXELS, 0.6 * field_mrad)
    settings = []
    for height, angle, tilt, azimuth in PROBES:
        alpha = angle * cone_mrad
        size = tilt * (cone_mrad - alpha - edge_mrad / 2)
        settings.append(
            {
                "thickness_nm": low + height * (high - low),
                "convergence_mrad": alpha,
                "mistilt_mrad": (size * np.cos(azimuth), size * np.sin(azimuth)),
                "geometry": geometry,
                "edge_mrad": edge_mrad,
            }
        )
    return settings


def _error(table: RockingTable, probes: list[dict], expected: list[np.ndarray]) -> float:
    """Largest relative L2 of a table's patterns."""
    renderer = Renderer(table)
    pairs = [(renderer.render(**probe), wanted) for probe, wanted in zip(probes, expected, strict=True)]
    return max(relative_l2(found, wanted) for found, wanted in pairs)
