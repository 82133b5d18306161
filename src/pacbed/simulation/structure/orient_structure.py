"""First stage of the workflow: CIF and zone axis in, cell, beam group, slice potentials and a picture out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pacbed.crystal.beam_group import upright_operations
from pacbed.crystal.cell import Crystal, zone_axis_indices
from pacbed.crystal.cif import read_structure
from pacbed.crystal.orientation import orient
from pacbed.crystal.picture import draw_structure
from pacbed.crystal.potentials import SlicePotentials
from pacbed.outputs import folder_aside, write_json
from pacbed.simulation.multislice.fourier import save_plans
from pacbed.simulation.multislice.plane_wave import WAVES
from pacbed.simulation.structure.search import search_distances, search_slices
from pacbed.simulation.structure.settings import StructureSettings
from pacbed.simulation.structure.slab_symmetry import GroupFindings, verified_group
from pacbed.simulation.structure.slicing import Slicing, slice_count
from pacbed.simulation.table.settings import NUMERICS_FILE

log = logging.getLogger(__name__)


def orient_structure(cif: str | Path, settings: StructureSettings, *, out_dir: str | Path) -> None:
    """Orient a crystal and write its slice potentials to a folder.

    Parameters
    ----------
    cif : path
        Structure with displacement parameters.
    settings : StructureSettings
        Zone axis, beam, thermal model, what the table must carry, and grid and distances or "auto".
    out_dir : path
        Receives ``cell.json``, ``slices.npz``, ``beam_group.json``, ``numerics.json``, ``fft_plans.json`` and
        ``structure.png``; complete or absent.

    Raises
    ------
    StructureError
        The file describes no crystal that can be simulated along the zone axis.
    SimulationError
        The grid asked for carries too little, or a search ends without success.
    """
    crystal = read_structure(cif, settings.reading).crystal
    axis = zone_axis_indices(settings.zone_axis, crystal.cell)
    oriented = orient(crystal, axis)
    found = search_slices(_slicing(oriented, axis, settings), settings)
    slices = replace(found.slices, reading=settings.reading)
    reach = settings.grid_reach
    slices, findings = verified_group(
        slices,
        upright_operations(oriented),
        thickness_max_nm=reach.thickness_max_nm,
        cone_mrad=reach.cone_mrad,
        propagator=reach.propagator,
    )
    _log_slices(slices)
    numerics = search_distances(slices, found, settings)
    with folder_aside(out_dir) as aside:
        _write(aside, oriented, slices, findings, numerics)


def _slicing(oriented: Crystal, zone_axis: tuple[int, int, int], settings: StructureSettings) -> Slicing:
    """How the crystal is cut; its grid is still to be chosen."""
    return Slicing(
        oriented,
        zone_axis=zone_axis,
        energy_ev=settings.energy_kev * 1e3,
        slices=slice_count(oriented, settings.slice_depth_nm),
        thermal_model=settings.thermal_model,
        parametrization=settings.parametrization,
    )


def _log_slices(slices: SlicePotentials) -> None:
    log.info(
        "%s [%s]: period %.4f Å, %d slices, grid %s, %d operations in the beam group",
        slices.formula,
        " ".join(map(str, slices.zone_axis)),
        slices.period_a,
        len(slices.potential),
        slices.grid,
        len(slices.group),
    )


def _write(
    folder: Path, oriented: Crystal, slices: SlicePotentials, findings: GroupFindings, numerics: Mapping[str, Any]
) -> None:
    """Everything that the stages behind this one read, and the picture."""
    slices.save(folder)
    write_json(findings.as_json(), folder / "beam_group.json")
    write_json(numerics, folder / NUMERICS_FILE)
    save_plans((WAVES, *slices.grid), folder)
    draw_structure(oriented, slices, folder / "structure.png")
