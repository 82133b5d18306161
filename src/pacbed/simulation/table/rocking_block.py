"""One block of directions of a rocking table: the unit of work that a cluster or a workstation scatters."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pacbed.crystal.electron import wavelength_a
from pacbed.crystal.lattice import cone_nodes, on_reciprocal_indices
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.terminations import termination_slices
from pacbed.errors import SimulationError
from pacbed.logs import progress
from pacbed.outputs import folder_aside, write_json
from pacbed.simulation.multislice.device import array_module
from pacbed.simulation.multislice.fourier import use_plans
from pacbed.simulation.multislice.frozen_phonons import FrozenPhononEngine
from pacbed.simulation.multislice.phonon_pool import phonon_pool
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.table.block_samples import BlockSamples
from pacbed.simulation.table.directions import DirectionGrid, direction_grid
from pacbed.simulation.table.numerics import PLANE_SPACING_NM, pitch_of, plane_layout, spacing_of

log = logging.getLogger(__name__)


def block_directions(directions: int, *, block: int, blocks: int, batch: int) -> range:
    """Directions of one block: whole multiples of one FFT batch, so that results do not depend on the block count."""
    if not 0 <= block < blocks:
        raise SimulationError(f"block: got {block}, accepted: 0 to {blocks - 1}")
    batches = -(-directions // batch)
    first, last = (batches * edge // blocks for edge in (block, block + 1))
    return range(first * batch, min(last * batch, directions))


def simulate_rocking_block(
    structure_dir: str | Path,
    *,
    block: int,
    blocks: int,
    thickness_max_nm: float,
    cone_mrad: float,
    field_mrad: float,
    direction_pitch_mrad: float | str,
    propagator: str,
    batch: int,
    device: str = "cpu",
    phonons: Mapping[str, int] | None = None,
    out_dir: str | Path,
    termination: str = "top",
    plane_spacing_nm: float | str = PLANE_SPACING_NM,
) -> None:
    """Compute one block of a rocking table and write it to a folder.

    Parameters
    ----------
    structure_dir : path
        Folder with slice potentials.
    block, blocks : int
        Which of how many blocks.
    thickness_max_nm : float
        Deepest plane needed [nm].
    cone_mrad, field_mrad : float
        Largest incident and largest scattered angle [mrad].
    direction_pitch_mrad : float or "auto"
        Upper limit of the node distance [mrad]; "auto" takes what `orient_structure` measured.
    propagator : {"exact", "fresnel"}
    batch : int
        Directions propagated together.
    device : {"cpu", "gpu"}
        Where they are propagated.
    phonons : mapping, optional
        ``cells``, ``configurations``, ``pool`` and ``seed`` of the thermal model "frozen_phonons".
    out_dir : path
        Receives ``block.npz`` and ``grid.json``; complete or absent.
    termination : {"top", "average"}
        A slab that is cut where the cell ends, or the mean over all equivalent surfaces.
    plane_spacing_nm : float or "auto"
        Upper limit of the distance between thickness planes [nm]; "auto" takes what `orient_structure` measured.
    """
    xp = array_module(device)
    slices = SlicePotentials.load(structure_dir)
    use_plans(structure_dir)
    pitch = pitch_of(structure_dir, direction_pitch_mrad)
    grid = direction_grid(slices, cone_mrad=cone_mrad, pitch_mrad=pitch, termination=termination)
    _check_reach(slices, grid, field_mrad)
    spacing = spacing_of(structure_dir, plane_spacing_nm)
    periods, planes = plane_layout(slices.period_a, thickness_max_nm, spacing)
    beams = cone_nodes(grid.reciprocal_mrad, field_mrad + grid.sample_margin_mrad + grid.cone_mrad + 1.0)
    chosen = block_directions(len(grid.nodes), block=block, blocks=blocks, batch=batch)
    engine = _engine(slices, propagator, xp, phonons)
    log.info("block %d of %d: %d of %d directions, %d beams", block, blocks, len(chosen), len(grid.nodes), len(beams))
    log.info("%d planes every %d periods, grid %s, %d operations", planes, periods, slices.grid, len(grid.operations))
    termination_slices(slices, termination)  # raises now what the referee would raise after the table is made
    turns = on_reciprocal_indices(slices.terminations if termination == "average" else np.eye(2)[None])
    batches = [range(start, min(start + batch, chosen.stop)) for start in range(chosen.start, chosen.stop, batch)]
    samples = BlockSamples(grid, batches, beams, field_mrad=field_mrad, planes=planes, kinds=_kinds(engine))
    for number in progress(range(len(batches)), total=len(batches), label="batches"):
        samples.take(number, _mean_rocking(engine, grid, batches[number], beams, planes, periods, turns))
    facts = {
        **_facts(slices, grid),
        "field_mrad": field_mrad,
        "propagator": propagator,
        "termination": termination,
        "plane_spacing_a": periods * slices.period_a,
        "direction_range": [chosen.start, chosen.stop],
    }
    _write(out_dir, facts, {**samples.arrays(), "nodes": grid.nodes[chosen.start : chosen.stop], "beams": beams})


def _check_reach(slices: SlicePotentials, grid: DirectionGrid, field_mrad: float) -> None:
    reach = slices.band_limit * wavelength_a(slices.energy_ev) * 1e3
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


def _engine(
    slices: SlicePotentials, propagator: str, xp: ModuleType, phonons: Mapping[str, int] | None
) -> PlaneWaveEngine | FrozenPhononEngine:
    if slices.thermal_model != "frozen_phonons":
        return PlaneWaveEngine(slices, propagator=propagator, xp=xp)
    if phonons is None:
        raise SimulationError("phonons: got none, accepted: cells, configurations, pool and seed of 'frozen_phonons'")
    from pacbed.crystal.vibration import vibrating_atoms  # needs abTEM, which other tables do without

    atoms = vibrating_atoms(slices, cells=phonons["cells"])
    pool = phonon_pool(slices, atoms, entries=phonons["pool"], seed=phonons["seed"])
    options = {"configurations": phonons["configurations"], "seed": phonons["seed"]}
    return FrozenPhononEngine(slices, pool, propagator=propagator, xp=xp, **options)


def _kinds(engine: PlaneWaveEngine | FrozenPhononEngine) -> tuple[str, ...]:
    return ("intensity", "diffuse") if isinstance(engine, FrozenPhononEngine) else ("intensity",)


def _mean_rocking(engine, grid, numbers, beams, planes, periods, turns) -> dict[str, np.ndarray]:
    """Intensities by kind, and the fractions `absorbed` and `lost`, of one batch of directions.

    Mean over equivalent terminations: a slab with another one is the image of this one, so W q and W G do.
    """
    nodes = grid.nodes[numbers.start : numbers.stop]
    options = {"planes": planes, "periods_per_plane": periods}
    if isinstance(engine, FrozenPhononEngine):
        # The number of a direction in the whole table chooses its atoms, whatever the blocks and batches.
        options["keys"] = np.asarray(numbers)
    parts = []
    for turn in turns:
        q = nodes @ turn.T @ grid.pitch_mrad / (engine.wavelength * 1e3)
        rocking = engine.run(q, beams=beams @ turn.T, **options)
        parts.append({name: getattr(rocking, name) for name in (*_kinds(engine), "absorbed", "lost")})
    if len(parts) == 1:
        return parts[0]
    return {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}


def _write(out_dir: str | Path, facts: dict, arrays: dict[str, Any]) -> None:
    with folder_aside(out_dir) as aside:
        np.savez(aside / "block.npz", **arrays)
        write_json(facts, aside / "grid.json")
