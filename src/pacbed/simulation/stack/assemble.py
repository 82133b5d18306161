"""The labelled stack: patterns on the parameter grid, one Zarr v3 chunk per thickness series."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec, TransposeCodec

from pacbed.crystal.potentials import of_structure
from pacbed.errors import SimulationError
from pacbed.logs import progress
from pacbed.outputs import folder_aside, write_done
from pacbed.patterns import LARGEST_COUNT
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.stack.parameter_grid import ParameterGrid, StackGrid
from pacbed.simulation.stack.rounding import clear_low_bits
from pacbed.simulation.stack.sources import ScanSource, SeriesSource, TableSource
from pacbed.simulation.stack.stored import SCHEMA_VERSION
from pacbed.simulation.table.rocking_table import RockingTable, of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
FILTERS = (TransposeCodec(order=(0, 1, 3, 4, 2)),)  # along thickness patterns vary least
# Zstandard would take twice the time and save 7 %, level 9 of LZ4 a fifth more and save 3 %. Large blocks save 1 %.
CODECS = (BloscCodec(cname="lz4", clevel=3, shuffle="bitshuffle", blocksize=2**18), Crc32cCodec())
DIMENSIONS = ("convergence_mrad", "tilt", "thickness_nm", "ky_mrad", "kx_mrad")
WAITING = 1  # threads more than cores: while one waits for the disk, another renders
HEADROOM = 1.2  # room in the integer scale for what interpolation overshoots


def split_series(n_convergence: int, n_tilt: int, fraction: float, seed: int) -> np.ndarray:
    """Draw whole thickness series for validation.

    Parameters
    ----------
    n_convergence, n_tilt : int
        Size of the grid of series.
    fraction : float
        Share of the series held out; at least one where there are two.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray of int8, shape (convergence, tilt)
        0 training, 1 validation.
    """
    total = n_convergence * n_tilt
    held_out = min(max(1, round(fraction * total)), total - 1) if total > 1 else 0
    split = np.zeros(total, dtype=np.int8)
    split[np.random.default_rng(seed).permutation(total)[:held_out]] = 1
    return split.reshape(n_convergence, n_tilt)


def assemble_stack(
    table_dir: str | Path,
    asked: ParameterGrid,
    *,
    validation_fraction: float,
    seed: int,
    out_dir: str | Path,
    structure_dir: str | Path | None = None,
    scan_dirs: Sequence[str | Path] = (),
    threads: int = 1,
) -> None:
    """Store the patterns of a system's parameter grid with their labels.

    Parameters
    ----------
    table_dir : path
        Folder of the rocking table.
    asked : ParameterGrid
        Values along the axes, and the pixels.
    validation_fraction, seed
        See `split_series`.
    out_dir : path
        Receives ``stack.zarr`` and ``done.json``; complete or absent.
    structure_dir : path, optional
        Folder with slice potentials; a table of another system is refused.
    scan_dirs : sequence of path
        Blocks of the `scan` engine that the patterns are taken from; none: they are rendered from the table.
    threads : int
        Mistilts rendered at once.
    """
    table = RockingTable.load(table_dir)
    if structure_dir is not None:
        check_same_system(structure=of_structure(structure_dir), table=of_table(table_dir))
    grid = StackGrid.of(table, asked)
    source = _source(table, grid, asked, scan_dirs)
    scale = _integer_scale(grid)
    with folder_aside(out_dir) as aside:
        group = zarr.open_group(aside / "stack.zarr", mode="w", zarr_format=3)
        pattern = _pattern_array(group, grid, scale)

        def write_tilt(tilt: int) -> None:
            for convergence, counts in source.counts(tilt, scale):
                if counts.max() == LARGEST_COUNT:
                    raise SimulationError(f"stack: a pixel reaches the integer scale of {LARGEST_COUNT * scale:g}")
                # Slices and not numbers: a whole chunk is compressed as it is, anything else is copied twice.
                here = slice(convergence, convergence + 1), slice(tilt, tilt + 1)
                pattern[here] = clear_low_bits(counts)[None, None]

        tilts = range(len(grid.mistilt_mrad))
        with ThreadPoolExecutor(threads + WAITING) as pool:
            for _ in progress(pool.map(write_tilt, tilts), total=len(tilts), label="mistilts"):
                pass
        _coordinates(group, grid)
        split = split_series(len(grid.convergence_mrad), len(tilts), validation_fraction, seed)
        _variable(group, "split", split, DIMENSIONS[:2], "0 training, 1 validation")
        parameters = {**asdict(asked), "validation_fraction": validation_fraction, "seed": seed}
        _finish(group, table, source.engine, parameters)
        write_done(aside, {"shape": list(pattern.shape), "config_sha256": group.attrs["config_sha256"]})


def _source(
    table: RockingTable, grid: StackGrid, asked: ParameterGrid, scan_dirs: Sequence[str | Path]
) -> SeriesSource:
    """The engine that fills the stack, once the table is known to cover the grid."""
    renderer = Renderer(table)
    _check_cover(renderer, asked)
    return ScanSource(scan_dirs, table, grid) if scan_dirs else TableSource(renderer, grid)


def _integer_scale(grid: StackGrid) -> float:
    """Fraction of the beam per unit of a stored integer, one for the whole stack."""
    # No pixel is brighter than the beam spread evenly over its disk: the sum of |S(k, q)|^2 over q is 1 at most.
    return float(HEADROOM * grid.geometry.pixel_mrad**2 / (np.pi * min(grid.convergence_mrad) ** 2) / LARGEST_COUNT)


def _pattern_array(group: zarr.Group, grid: StackGrid, scale: float) -> zarr.Array:
    """The empty array of all patterns, a chunk for each thickness series."""
    series = len(grid.thickness_nm), *grid.geometry.shape
    return group.create_array(
        "pattern",
        shape=(len(grid.convergence_mrad), len(grid.mistilt_mrad), *series),
        chunks=(1, 1, *series),
        dtype="uint16",
        filters=FILTERS,
        compressors=CODECS,
        dimension_names=DIMENSIONS,
        config={"write_empty_chunks": True},  # none is, and looking for it takes as long as compressing
        attributes={"scale_factor": scale, "add_offset": 0.0, "units": "fraction of the beam per pixel"},
    )


def _check_cover(renderer: Renderer, asked: ParameterGrid) -> None:
    thickness, alpha, tau = max(asked.thickness_nm), max(asked.convergence_mrad), max(asked.mistilt_mrad)
    deepest, tilt = renderer.table.thickness_max_nm, renderer.mistilt_max_mrad(alpha)
    if thickness > deepest or tau > tilt or asked.max_angle_mrad > renderer.field_mrad:
        raise SimulationError(
            f"grid: got thickness up to {thickness:g} nm, mistilt up to {tau:g} mrad at {alpha:g} mrad convergence and "
            f"a field of {asked.max_angle_mrad:g} mrad, accepted: what the table covers, {deepest:.1f} nm, "
            f"{tilt:.2f} mrad and {renderer.field_mrad:.1f} mrad"
        )


def _variable(group: zarr.Group, name: str, values, dimensions: Sequence[str], meaning: str) -> None:
    array = np.asarray(values)
    group.create_array(
        name, data=array, compressors=CODECS, dimension_names=tuple(dimensions), attributes={"long_name": meaning}
    )


def _coordinates(group: zarr.Group, grid: StackGrid) -> None:
    geometry = grid.geometry
    axis = (np.arange(geometry.shape[0]) - geometry.center_px[0]) * geometry.pixel_mrad
    _variable(group, "convergence_mrad", grid.convergence_mrad, DIMENSIONS[:1], "semi-convergence angle")
    _variable(group, "tilt", np.arange(len(grid.mistilt_mrad)), DIMENSIONS[1:2], "index of the mistilt")
    _variable(group, "thickness_nm", grid.thickness_nm, DIMENSIONS[2:3], "crystalline thickness")
    _variable(group, "ky_mrad", axis, DIMENSIONS[3:4], "angle along y, downwards")
    _variable(group, "kx_mrad", axis, DIMENSIONS[4:5], "angle along x, to the right")
    _variable(group, "mistilt_mrad", grid.mistilt_mrad, DIMENSIONS[1:2], "mistilt magnitude")
    _variable(group, "azimuth_deg", grid.azimuth_deg, DIMENSIONS[1:2], "mistilt azimuth from +x towards +y")


def _finish(group: zarr.Group, table: RockingTable, engine: dict, parameters: dict) -> None:
    """Attributes of the stack, and all metadata in one file."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()
    group.attrs.update(
        {
            "schema_version": SCHEMA_VERSION,
            "crystal": {key: table.facts[key] for key in ("formula", "zone_axis", "thermal_model")},
            "beam": {"energy_kev": table.energy_ev / 1e3},
            "engine": engine,
            "max_angle_mrad": parameters["max_angle_mrad"],
            "versions": {name: importlib.metadata.version(name) for name in ("pacbed", "numpy", "zarr")},
            "config_sha256": digest,
            "coordinates": "mistilt_mrad azimuth_deg",
        }
    )
    with warnings.catch_warnings():
        # zarr-python warns that consolidated metadata is not in the v3 specification; xarray opens faster with it.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(group.store)
