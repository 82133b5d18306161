"""One block of directions of a rocking table: the unit of work that a cluster or a workstation scatters."""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.lattice import cone_nodes, on_reciprocal_indices
from pacbed.crystal.potentials import SlicePotentials, termination_slices
from pacbed.errors import SimulationError
from pacbed.logs import progress
from pacbed.simulation.multislice.device import array_module
from pacbed.simulation.multislice.fourier import use_plans
from pacbed.simulation.multislice.frozen_phonons import FrozenPhononEngine
from pacbed.simulation.multislice.phonon_pool import phonon_pool
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.table.block_file import write_block
from pacbed.simulation.table.block_record import BlockRecord
from pacbed.simulation.table.directions import DirectionGrid, direction_grid
from pacbed.simulation.table.settings import PlaneLayout, TableSettings, pitch_of, plane_layout, spacing_of

log = logging.getLogger(__name__)


def block_directions(directions: int, *, block: int, blocks: int, batch: int) -> range:
    """Directions of one block: whole multiples of one FFT batch, so that results do not depend on the block count."""
    if not 0 <= block < blocks:
        raise SimulationError(f"block: got {block}, accepted: 0 to {blocks - 1}")
    batches = -(-directions // batch)
    first, last = (batches * edge // blocks for edge in (block, block + 1))
    return range(first * batch, min(last * batch, directions))


class _Propagation(NamedTuple):
    """How every batch of directions is propagated.

    Attributes
    ----------
    engine : PlaneWaveEngine or FrozenPhononEngine
    grid : DirectionGrid
        Directions of the whole table.
    beams : ndarray of int, shape (beam, 2)
        Indices of the reciprocal-lattice vectors to record.
    layout : PlaneLayout
        Thickness planes.
    turns : ndarray of int, shape (termination, 2, 2)
        Operation on node and beam indices for each equivalent termination, the identity first.
    """

    engine: PlaneWaveEngine | FrozenPhononEngine
    grid: DirectionGrid
    beams: np.ndarray
    layout: PlaneLayout
    turns: np.ndarray

    @property
    def kinds(self) -> tuple[str, ...]:
        """Intensities that a direction has."""
        return ("intensity", "diffuse") if isinstance(self.engine, FrozenPhononEngine) else ("intensity",)


def simulate_rocking_block(
    structure_dir: str | Path, settings: TableSettings, *, block: int, blocks: int, out_dir: str | Path
) -> None:
    """Compute one block of a rocking table and write it to a folder.

    Parameters
    ----------
    structure_dir : path
        Folder with slice potentials.
    settings : TableSettings
        The same for all blocks of a table.
    block, blocks : int
        Which of how many blocks.
    out_dir : path
        Receives ``block.npz`` and ``grid.json``; complete or absent.

    Raises
    ------
    SimulationError
        A setting is impossible, the grid is too small for the angles, or the device is missing.
    """
    xp = array_module(settings.device)
    slices = SlicePotentials.load(structure_dir)
    use_plans(structure_dir)
    propagation = _propagation(slices, settings, structure_dir, xp)
    grid, layout = propagation.grid, propagation.layout
    chosen = block_directions(len(grid.nodes), block=block, blocks=blocks, batch=settings.batch)
    log.info("block %d of %d: %d of %d directions", block, blocks, len(chosen), len(grid.nodes))
    log.info("%d beams, %d planes every %d periods", len(propagation.beams), layout.planes, layout.periods_per_plane)
    log.info("grid %s, %d operations", slices.grid, len(grid.operations))
    record = _record(propagation, chosen, settings)
    facts = {
        **_facts(slices, grid),
        "field_mrad": settings.field_mrad,
        "propagator": settings.propagator,
        "termination": settings.termination,
        "plane_spacing_a": layout.periods_per_plane * slices.period_a,
        "direction_range": [chosen.start, chosen.stop],
    }
    nodes = grid.nodes[chosen.start : chosen.stop]
    write_block(out_dir, facts, {**record.arrays(), "nodes": nodes, "beams": propagation.beams})


def _propagation(
    slices: SlicePotentials, settings: TableSettings, structure_dir: str | Path, xp: ModuleType
) -> _Propagation:
    pitch = pitch_of(structure_dir, settings.direction_pitch_mrad)
    grid = direction_grid(slices, cone_mrad=settings.cone_mrad, pitch_mrad=pitch, termination=settings.termination)
    _check_reach(slices, grid, settings.field_mrad)
    termination_slices(slices, settings.termination)  # raises now what the referee would raise after the table is made
    spacing = spacing_of(structure_dir, settings.plane_spacing_nm)
    reach = settings.field_mrad + grid.sample_margin_mrad + grid.cone_mrad + 1.0
    average = settings.termination == "average"
    return _Propagation(
        engine=_engine(slices, settings, xp),
        grid=grid,
        beams=cone_nodes(grid.reciprocal_mrad, reach),
        layout=plane_layout(slices.period_a, settings.thickness_max_nm, spacing),
        turns=on_reciprocal_indices(slices.terminations if average else np.eye(2)[None]),
    )


def _record(propagation: _Propagation, chosen: range, settings: TableSettings) -> BlockRecord:
    """The intensities of some directions of the table, propagated batch by batch."""
    starts = range(chosen.start, chosen.stop, settings.batch)
    batches = [range(start, min(start + settings.batch, chosen.stop)) for start in starts]
    record = BlockRecord(
        propagation.grid,
        batches,
        propagation.beams,
        field_mrad=settings.field_mrad,
        planes=propagation.layout.planes,
        kinds=propagation.kinds,
    )
    for number in progress(range(len(batches)), total=len(batches), label="batches"):
        record.take(number, _mean_rocking(propagation, batches[number]))
    return record


def _check_reach(slices: SlicePotentials, grid: DirectionGrid, field_mrad: float) -> None:
    reach = slices.band_limit * mrad_per_inverse_a(slices.energy_ev)
    if reach < max(field_mrad, grid.cone_mrad):
        raise SimulationError(
            f"grid_px: got {slices.grid}, which carries {reach:.1f} mrad, accepted: a grid that holds the field of "
            f"{field_mrad:.1f} mrad and the cone of {grid.cone_mrad:.1f} mrad"
        )


def _facts(slices: SlicePotentials, grid: DirectionGrid) -> dict:
    return {
        "steps": list(grid.steps),
        "reciprocal_mrad": grid.reciprocal_mrad.tolist(),
        "operations": grid.operations.tolist(),
        "cone_mrad": grid.cone_mrad - grid.sample_margin_mrad,
        "directions": len(grid.nodes),
        "energy_ev": slices.energy_ev,
        "formula": slices.formula,
        "zone_axis": list(slices.zone_axis),
        "thermal_model": slices.thermal_model,
        "grid_px": list(slices.grid),
        "slice_depth_a": slices.slice_depth_a,
    }


def _engine(slices: SlicePotentials, settings: TableSettings, xp: ModuleType) -> PlaneWaveEngine | FrozenPhononEngine:
    if slices.thermal_model != "frozen_phonons":
        return PlaneWaveEngine(slices, propagator=settings.propagator, xp=xp)
    phonons = settings.phonons
    if phonons is None:
        raise SimulationError("phonons: got none, accepted: cells, configurations, pool and seed of 'frozen_phonons'")
    from pacbed.crystal.vibration import vibrating_atoms  # needs abTEM, which other tables do without

    atoms = vibrating_atoms(slices, cells=phonons.cells)
    pool = phonon_pool(slices, atoms, entries=phonons.pool, seed=phonons.seed)
    return FrozenPhononEngine(
        slices,
        pool,
        propagator=settings.propagator,
        configurations=phonons.configurations,
        seed=phonons.seed,
        xp=xp,
    )


def _mean_rocking(propagation: _Propagation, numbers: range) -> dict[str, np.ndarray]:
    """Intensities by kind, and the fractions `absorbed` and `lost`, of directions given by their numbers.

    Mean over equivalent terminations: a slab with another one is the image of this one, so W q and W G do.
    """
    engine, grid, layout = propagation.engine, propagation.grid, propagation.layout
    nodes = grid.nodes[numbers.start : numbers.stop]
    options: dict[str, Any] = {"planes": layout.planes, "periods_per_plane": layout.periods_per_plane}
    if isinstance(engine, FrozenPhononEngine):
        # The number of a direction in the whole table chooses its atoms, whatever the blocks and batches.
        options["keys"] = np.asarray(numbers)
    slabs = []
    for turn in propagation.turns:
        q = nodes @ turn.T @ grid.pitch_mrad / engine.mrad_per_inverse_a
        rocking = engine.run(q, beams=propagation.beams @ turn.T, **options)
        slabs.append({name: getattr(rocking, name) for name in (*propagation.kinds, "absorbed", "lost")})
    if len(slabs) == 1:
        return slabs[0]
    return {name: np.mean([slab[name] for slab in slabs], axis=0) for name in slabs[0]}
