"""One block of thickness series by the `scan` engine: the unit of work that a cluster or a workstation scatters."""

from __future__ import annotations

import hashlib
import logging
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
from pacbed.simulation.table.numerics import PLANE_SPACING_NM, plane_layout, spacing_of
from pacbed.simulation.table.rocking_table import RockingTable

log = logging.getLogger(__name__)


def simulate_scan_block(
    structure_dir: str | Path,
    table_dir: str | Path,
    cif: str | Path,
    asked: ParameterGrid,
    *,
    block: int,
    blocks: int,
    cells: int | str,
    samples_per_pixel: float,
    configurations: int,
    seed: int,
    out_dir: str | Path,
    scheduler: str = "threads",
    workers: int = 1,
    plane_spacing_nm: float | str = PLANE_SPACING_NM,
) -> None:
    """Compute the images of some thickness series of a stack from rasters of probes and write them to a folder.

    Parameters
    ----------
    structure_dir, table_dir, cif : path
        Folder of the slice potentials, folder of the rocking table (it fixes automatic azimuths),
        and the structure, whose atoms vibrate if the thermal model is ``frozen_phonons``.
    asked : ParameterGrid
        Grid and pixels of the stack.
    block, blocks : int
        Which of how many blocks.
    cells, samples_per_pixel
        See `ScanSampling.of`.
    configurations : int
        Configurations of vibrating atoms per interleaved scan; not used by other thermal models.
    seed : int
        Of the displacements.
    out_dir : path
        Receives one array per series and ``block.json``; complete or absent.
    scheduler, workers
        See `compute_series`; without influence on the result.
    plane_spacing_nm : float or "auto"
        See `simulate_rocking_block`.

    Raises
    ------
    SimulationError
        The block does not exist, or the crystal is not the table's.
    """
    if not 0 <= block < blocks:
        raise SimulationError(f"block: got {block}, accepted: 0 to {blocks - 1}")
    slices, table = SlicePotentials.load(structure_dir), RockingTable.load(table_dir)
    expected = crystal_facts(slices, termination=table.facts["termination"])
    if crystal_facts(table) != expected:
        raise SimulationError(
            f"table: got {crystal_facts(table)}, accepted: the crystal of {structure_dir}, {expected}"
        )
    grid = StackGrid.of(table, asked)
    slabs = ScanCrystal.slabs(slices, cif, termination=table.facts["termination"])
    crystal = slabs[0]
    sampling = ScanSampling.of(
        crystal.still.lengths_a, slices.energy_ev, grid.geometry, cells=cells, samples_per_pixel=samples_per_pixel
    )
    edge_mrad = grid.geometry.pixel_mrad  # as the renderer's
    draws = configurations if crystal.vibrates else 1
    chosen = grid.series[len(grid.series) * block // blocks : len(grid.series) * (block + 1) // blocks]
    spacing = spacing_of(structure_dir, plane_spacing_nm)
    layout = plane_layout(slices.period_a, max(grid.thickness_nm), spacing)
    series = _series(chosen, grid, slabs, sampling, layout, edge_mrad, draws, seed)
    log.info("block %d of %d: %d of %d series, %s", block, blocks, len(series), len(grid.series), sampling)
    facts = _facts(slices, table, grid, sampling, edge_mrad, draws, seed, chosen)
    images = compute_series(series, scheduler=scheduler, workers=workers)
    _write(out_dir, facts, zip(chosen, progress(images, total=len(series), label="series"), strict=True))


def _series(chosen, grid, slabs, sampling, layout, edge_mrad, draws, seed) -> list[ScanSeries]:
    return [
        ScanSeries(
            slabs=slabs,
            sampling=sampling,
            geometry=grid.geometry,
            thickness_nm=grid.thickness_nm,
            periods_per_plane=layout[0],
            planes=layout[1],
            convergence_mrad=grid.convergence_mrad[convergence],
            edge_mrad=edge_mrad,
            mistilt_mrad=tuple(grid.tilt_mrad(tilt).tolist()),
            configurations=draws,
            seed=(seed, convergence, tilt),
        )
        for convergence, tilt in chosen
    ]


def _facts(slices, table, grid, sampling, edge_mrad, draws, seed, chosen) -> dict[str, Any]:
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
            "supercell": list(sampling.cells),
            "interleaved_scans": list(sampling.interleaved),
            "configurations": draws,
            "seed": seed,
            "edge_mrad": edge_mrad,
        },
        "series": [list(place) for place in chosen],
    }


def _write(out_dir: str | Path, facts: dict, series) -> None:
    with folder_aside(out_dir) as aside:
        for place, images in series:
            np.save(aside / series_file(place), images)
        write_json(facts, aside / "block.json")
