"""Makes the compact table of a bundle: a rocking table cut into levels of thickness, thinned out and packed.

A level has the fewest directions whose patterns differ from those of the whole table by no more than
`INTERPOLATION_L2`, and its coefficients are packed with the step that costs no more than `PACKING_L2`. Both are
measured on a few patterns, the probes, that lie where a level is worst.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr

from pacbed.bundle.between_nodes import AngleLimits
from pacbed.bundle.compact import CompactTable
from pacbed.bundle.packed import PackedTable
from pacbed.bundle.recipe import LevelRecipe, Recipe
from pacbed.bundle.resample import ThicknessRange, resample_table
from pacbed.errors import bad_value
from pacbed.patterns import Geometry, relative_l2
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.codes import decode_coefficients
from pacbed.simulation.table.rocking_table import RockingTable

log = logging.getLogger(__name__)
EQUAL_LEVELS = 5  # of equal depth, before those with equal steps are joined
INTERPOLATION_L2 = 5e-4  # relative L2 of a pattern that fewer directions may cost
PACKING_L2 = 6e-4  # and what packing may cost
COARSEST = 0.5  # of the table's steps; wider nodes cost more at the edges of the disks than they save elsewhere
WORTHWHILE = 0.6  # a level that needs more of the steps gets all: each further level costs series its rings
STEEPNESS = 8.0  # power of the pitch with which the error grows, to guess the next number of steps
TRIAL_STEP = 0.05  # of the mean coefficient
PROBE_PIXELS = 64


class Probe(NamedTuple):
    """A pattern by which a level is judged, relative to what the level holds.

    Attributes
    ----------
    height : float
        From 0 at the thin end of the level to 1 at the thick one.
    convergence : float
        Semi-convergence angle over the cone.
    mistilt : float
        Mistilt over the largest one that the cone leaves.
    azimuth_rad : float
        Direction of the mistilt [rad].
    """

    height: float
    convergence: float
    mistilt: float
    azimuth_rad: float


PROBES = (
    Probe(1.0, 0.68, 0.95, 2.2),
    Probe(1.0, 0.30, 0.50, 0.4),
    Probe(0.9, 0.50, 0.10, 4.1),
    Probe(0.3, 0.60, 0.80, 5.5),
)


def write_compact(table: RockingTable, recipe: Recipe, folder: str | Path) -> tuple[LevelRecipe, ...]:
    """Store the compact form of a table as a Zarr group in a folder of its own.

    A table of frozen phonons is stored as it is: its noise would fill the packed integers.

    Parameters
    ----------
    table : RockingTable
        In full precision.
    recipe : Recipe
        Says what of it is kept.
    folder : path
        Folder of the group, such as ``rocking.zarr``.

    Returns
    -------
    tuple of LevelRecipe
        Its levels; none of a table that is stored as it is.
    """
    group = zarr.open_group(str(folder), mode="w", zarr_format=3)
    if table.diffuse is not None:
        table.write(group)
        return ()
    limits = AngleLimits(recipe.kept_cone_mrad, recipe.kept_field_mrad)
    made = compact_table(table, limits, thickness_max_nm=recipe.kept_thickness_nm, levels=recipe.levels)
    made.write(group)
    return made.recipes()


def compact_table(
    table: RockingTable, limits: AngleLimits, *, thickness_max_nm: float, levels: Sequence[LevelRecipe] = ()
) -> CompactTable:
    """Cut, thin out and pack a rocking table.

    Parameters
    ----------
    table : RockingTable
        In full precision.
    limits : AngleLimits
        Cone and field that remain [mrad].
    thickness_max_nm : float
        Largest thickness that remains [nm].
    levels : sequence of LevelRecipe
        Its levels, found before; otherwise they are looked for.

    Raises
    ------
    ParameterError
        The table does not hold what shall remain.
    """
    for name, value in {**limits._asdict(), "thickness_max_nm": thickness_max_nm}.items():
        if not 0 < value <= getattr(table, name) + 1e-9:
            raise bad_value(name, value, f"above 0, up to {getattr(table, name):g} for this table")
    full = Renderer(table)
    with ThreadPoolExecutor() as pool:
        known = list(pool.map(lambda level: _known(full, level, limits), levels))
    made = known or _found(full, limits, thickness_max_nm)
    return CompactTable(
        levels=tuple(level.packed.table() for level in made),
        packed=tuple(level.packed for level in made),
        interpolation_l2=tuple(level.interpolation_l2 for level in made),
        packing_l2=tuple(level.packing_l2 for level in made),
    )


class _Thinned(NamedTuple):
    """A level of thickness with as few directions as it needs, and the relative L2 that this costs."""

    thickness_range: ThicknessRange
    table: RockingTable
    interpolation_l2: float


class _Packed(NamedTuple):
    """A level as it is stored, and the relative L2 that fewer directions and packing cost."""

    packed: PackedTable
    interpolation_l2: float
    packing_l2: float


def _known(full: Renderer, level: LevelRecipe, limits: AngleLimits) -> _Packed:
    """A level that was found before, and what it costs."""
    thickness_range = ThicknessRange(level.low_nm, level.high_nm)
    thinned = resample_table(full.table, steps=level.steps, thickness_range=thickness_range, limits=limits)
    probes = probe_settings(thickness_range, limits, edge_mrad=full.table.widest_pitch_mrad)
    packed, loss = _pack(thinned, probes, level.packing_step)
    return _Packed(packed, _worst_l2(thinned, probes, [full.render(**probe) for probe in probes]), loss)


def _found(full: Renderer, limits: AngleLimits, thickness_max_nm: float) -> list[_Packed]:
    """Levels of equal depth, each with the fewest directions that do; neighbours with equal steps are one."""
    edges = [float(edge) for edge in thickness_max_nm * np.linspace(0, 1, EQUAL_LEVELS + 1)]
    thinned = [_thinned(full, ThicknessRange(*ends), ends[1] / thickness_max_nm, limits) for ends in pairwise(edges)]
    return [_packed(full, list(alike), limits) for _, alike in groupby(thinned, key=lambda level: level.table.steps)]


def _thinned(full: Renderer, thickness_range: ThicknessRange, share: float, limits: AngleLimits) -> _Thinned:
    """Cut a level with the fewest steps that do, beginning with a share of the table's steps."""
    probes = probe_settings(thickness_range, limits, edge_mrad=full.table.widest_pitch_mrad)
    expected = [full.render(**probe) for probe in probes]
    share = max(COARSEST, share)
    while True:
        share = 1.0 if share > WORTHWHILE + 1e-9 else share
        steps = tuple(int(np.ceil(count * share - 1e-9)) for count in full.table.steps)
        level = resample_table(full.table, steps=(steps[0], steps[1]), thickness_range=thickness_range, limits=limits)
        error = _worst_l2(level, probes, expected)
        if error <= INTERPOLATION_L2 or steps == tuple(full.table.steps):
            return _Thinned(thickness_range, level, error)
        least = min((count + 1) / of for count, of in zip(steps, full.table.steps, strict=True))
        share = max(least, share * (error / INTERPOLATION_L2) ** (1 / STEEPNESS))


def _packed(full: Renderer, alike: list[_Thinned], limits: AngleLimits) -> _Packed:
    """Pack neighbours with equal steps as one level: a series pays for each level anew."""
    thickness_range = ThicknessRange(alike[0].thickness_range.low_nm, alike[-1].thickness_range.high_nm)
    level = alike[0].table
    if len(alike) > 1:
        level = resample_table(full.table, steps=level.steps, thickness_range=thickness_range, limits=limits)
    error = max(one.interpolation_l2 for one in alike)
    packed, loss = _pack(level, probe_settings(thickness_range, limits, edge_mrad=full.table.widest_pitch_mrad))
    told = (*thickness_range, *level.steps, error, loss)
    log.info("%g to %g nm: %d x %d steps, interpolation %.1e, packing %.1e", *told)
    return _Packed(packed, error, loss)


def _pack(level: RockingTable, probes: list[dict[str, Any]], step: float | None = None) -> tuple[PackedTable, float]:
    """Pack a level; by default with the step that costs what packing may: the error grows in proportion to it."""
    renderer = Renderer(level)
    expected = [renderer.render(**probe) for probe in probes]
    if step is None:
        step = TRIAL_STEP * float(np.mean([np.mean(np.abs(decode_coefficients(plane))) for plane in level.codes]))
        for _ in range(2):
            error = _worst_l2(PackedTable.of(level, step).table(), probes, expected)
            step *= PACKING_L2 / max(error, 1e-12)
    packed = PackedTable.of(level, step)
    return packed, _worst_l2(packed.table(), probes, expected)


def probe_settings(thickness_range: ThicknessRange, limits: AngleLimits, *, edge_mrad: float) -> list[dict[str, Any]]:
    """The patterns that a level must still render: thick and thin, narrow and wide, up to the border of the cone.

    Parameters
    ----------
    thickness_range : ThicknessRange
        Thicknesses of the level [nm].
    limits : AngleLimits
        Cone and field of the level [mrad].
    edge_mrad : float
        Width of the aperture's edge [mrad].

    Returns
    -------
    list of dict
        Arguments of `Renderer.render`, for each of `PROBES`.
    """
    geometry = Geometry.field_of_view(PROBE_PIXELS, 0.6 * limits.field_mrad)
    low, high = thickness_range
    settings = []
    for probe in PROBES:
        alpha = probe.convergence * limits.cone_mrad
        size = probe.mistilt * (limits.cone_mrad - alpha - edge_mrad / 2)
        settings.append(
            {
                "thickness_nm": low + probe.height * (high - low),
                "convergence_mrad": alpha,
                "mistilt_mrad": (size * np.cos(probe.azimuth_rad), size * np.sin(probe.azimuth_rad)),
                "geometry": geometry,
                "edge_mrad": edge_mrad,
            }
        )
    return settings


def _worst_l2(table: RockingTable, probes: list[dict[str, Any]], expected: list[np.ndarray]) -> float:
    """Largest relative L2 difference of a table's patterns from those expected, each of shape (y, x)."""
    renderer = Renderer(table)
    return max(relative_l2(renderer.render(**probe), image) for probe, image in zip(probes, expected, strict=True))
