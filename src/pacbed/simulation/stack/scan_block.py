"""One block of thickness series by the `scan` engine: the unit of work that a cluster or a workstation scatters."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.logs import progress
from pacbed.outputs import folder_aside, write_json
from pacbed.simulation.scan.crystal import ScanCrystal
from pacbed.simulation.scan.dask_tasks import compute_series
from pacbed.simulation.scan.sampling import ScanSampling
from pacbed.simulation.scan.series import ScanSeries
from pacbed.simulation.stack.parameter_grid import ParameterGrid, StackGrid
from pacbed.simulation.stack.scan_file import SCAN_BLOCK_VERSION, crystal_facts, series_file
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import PLANE_SPACING_NM, plane_layout, spacing_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScanNumerics:
    """How the `scan` engine samples, and in how many blocks it works.

    Attributes
    ----------
    blocks : int
        Number of blocks.
    cells : int or "auto"
        Edge of the supercell, see `ScanSampling.of`.
    samples_per_pixel : float
        Least number of samples along the edge of a pixel.
    configurations : int
        Configurations of vibrating atoms per interleaved scan; not used by other thermal models.
    seed : int
        Of the displacements.
    plane_spacing_nm : float or "auto"
        Distance of the recorded thicknesses [nm]; "auto" takes that of the structure.
    """

    blocks: int
    cells: int | str
    samples_per_pixel: float
    configurations: int
    seed: int
    plane_spacing_nm: float | str = PLANE_SPACING_NM


@dataclass(frozen=True)
class Workers:
    """Who computes a block, without influence on the result: scheduler and number of workers, see `compute_series`."""

    scheduler: str
    count: int


THREADS = Workers("threads", 1)


def simulate_scan_block(
    structure_dir: str | Path,
    table_dir: str | Path,
    cif: str | Path,
    asked: ParameterGrid,
    numerics: ScanNumerics,
    *,
    block: int,
    out_dir: str | Path,
    workers: Workers = THREADS,
) -> None:
    """Compute the images of some thickness series of a stack from rasters of probes and write them to a folder.

    Parameters
    ----------
    structure_dir, table_dir, cif : path
        Folder of the slice potentials, folder of the rocking table (it fixes automatic azimuths),
        and the structure, whose atoms vibrate if the thermal model is ``frozen_phonons``.
    asked : ParameterGrid
        Grid and pixels of the stack.
    numerics : ScanNumerics
    block : int
        Which block, from 0.
    out_dir : path
        Receives one array per series, float32 of shape (thickness, ky, kx), and ``block.json``; complete or absent.
    workers : Workers

    Raises
    ------
    SimulationError
        The block does not exist, or the crystal is not the table's.
    """
    if not 0 <= block < numerics.blocks:
        raise SimulationError(f"block: got {block}, accepted: 0 to {numerics.blocks - 1}")
    slices, table = SlicePotentials.load(structure_dir), RockingTable.load(table_dir)
    expected = crystal_facts(slices, termination=table.facts["termination"])
    if crystal_facts(table) != expected:
        raise SimulationError(
            f"table: got {crystal_facts(table)}, accepted: the crystal of {structure_dir}, {expected}"
        )
    grid = StackGrid.of(table, asked)
    slabs = ScanCrystal.slabs(slices, cif, termination=table.facts["termination"])
    spacing = spacing_of(structure_dir, numerics.plane_spacing_nm)
    layout = plane_layout(slices.period_a, max(grid.thickness_nm), spacing)
    first = _first_series(slabs, slices.energy_ev, grid, numerics, layout)
    count = len(grid.series)
    chosen = grid.series[count * block // numerics.blocks : count * (block + 1) // numerics.blocks]
    series = [_series(first, grid, numerics.seed, convergence, tilt) for convergence, tilt in chosen]
    log.info("block %d of %d: %d of %d series, %s", block, numerics.blocks, len(series), count, first.sampling)
    facts = {**_facts(slices, table, grid, first, numerics.seed), "series": [list(one) for one in chosen]}
    images = compute_series(series, scheduler=workers.scheduler, workers=workers.count)
    _write(out_dir, facts, zip(chosen, progress(images, total=len(series), label="series"), strict=True))


def _first_series(
    slabs: Sequence[ScanCrystal], energy_ev: float, grid: StackGrid, numerics: ScanNumerics, layout: tuple[int, int]
) -> ScanSeries:
    """The first series of a grid; the others have another convergence angle, mistilt and seed."""
    crystal = slabs[0]
    sampling = ScanSampling.of(
        crystal.still.lengths_a,
        energy_ev,
        grid.geometry,
        cells=numerics.cells,
        samples_per_pixel=numerics.samples_per_pixel,
    )
    return ScanSeries(
        slabs=tuple(slabs),
        sampling=sampling,
        geometry=grid.geometry,
        thickness_nm=grid.thickness_nm,
        periods_per_plane=layout[0],
        planes=layout[1],
        convergence_mrad=grid.convergence_mrad[0],
        edge_mrad=grid.geometry.pixel_mrad,  # as the renderer's
        mistilt_mrad=(0.0, 0.0),
        configurations=numerics.configurations if crystal.vibrates else 1,
        seed=(numerics.seed, 0, 0),
    )


def _series(first: ScanSeries, grid: StackGrid, seed: int, convergence: int, tilt: int) -> ScanSeries:
    """The series of one convergence angle and one mistilt, by their places in the grid."""
    x, y = grid.tilt_mrad(tilt).tolist()
    return replace(
        first, convergence_mrad=grid.convergence_mrad[convergence], mistilt_mrad=(x, y), seed=(seed, convergence, tilt)
    )


def _facts(
    slices: SlicePotentials, table: RockingTable, grid: StackGrid, first: ScanSeries, seed: int
) -> dict[str, Any]:
    """What a block says of the crystal, the grid and the engine."""
    return {
        "schema_version": SCAN_BLOCK_VERSION,
        "crystal": crystal_facts(table),
        "slices_sha256": hashlib.sha256(slices.potential.tobytes() + slices.absorption.tobytes()).hexdigest(),
        "grid": grid.facts(),
        "engine": {
            "name": "scan",
            "propagator": "fresnel",  # abTEM's
            "grid_px": list(slices.grid),
            "slice_depth_a": slices.slice_depth_a,
            "supercell": list(first.sampling.cells),
            "interleaved_scans": list(first.sampling.interleaved),
            "configurations": first.configurations,
            "seed": seed,
            "edge_mrad": first.edge_mrad,
        },
    }


def _write(out_dir: str | Path, facts: dict[str, Any], computed: Iterable[tuple[tuple[int, int], np.ndarray]]) -> None:
    """Write the arrays of all series, each as it is computed, and then what the block says of itself."""
    with folder_aside(out_dir) as aside:
        for series, images in computed:
            np.save(aside / series_file(series), images)
        write_json(facts, aside / "block.json")
