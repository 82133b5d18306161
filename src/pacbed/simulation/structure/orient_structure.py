"""First stage of the workflow: CIF and zone axis in, cell, beam group, slice potentials and a picture out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pacbed.crystal.beam_group import upright_operations
from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.crystal.picture import draw_structure
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.slicing import slice_potentials
from pacbed.outputs import folder_aside, write_json
from pacbed.simulation.multislice.fourier import save_plans
from pacbed.simulation.multislice.plane_wave import WAVES
from pacbed.simulation.structure.grid_search import Builder, GridReach, refuse_small_grid, slice_count, smallest_grid
from pacbed.simulation.structure.pitch_search import measure_pitch
from pacbed.simulation.structure.slab_symmetry import GroupFindings, verified_group
from pacbed.simulation.structure.spacing_search import measure_spacing
from pacbed.simulation.table.numerics import FILE as NUMERICS

log = logging.getLogger(__name__)


def orient_structure(
    cif: str | Path,
    *,
    zone_axis: Sequence[int],
    energy_kev: float,
    thermal_model: str,
    parametrization: str,
    grid_px: Sequence[int] | str,
    slice_depth_nm: float | str,
    thickness_max_nm: float,
    cone_mrad: float,
    field_mrad: float,
    propagator: str,
    direction_pitch_mrad: float | str,
    plane_spacing_nm: float | str,
    alpha_max_mrad: float,
    tau_max_mrad: float,
    max_angle_mrad: float,
    tolerance: float,
    out_dir: str | Path,
) -> None:
    """Orient a crystal and write its slice potentials to a folder.

    Parameters
    ----------
    cif : path
        Structure with displacement parameters.
    zone_axis : sequence of three int
        Points to the source; the beam travels along -[uvw].
    energy_kev : float
        Kinetic energy of the electrons [keV].
    thermal_model, parametrization : str
        See `slice_potentials`.
    grid_px : sequence of two int or "auto"
        Grid along the in-plane vectors; "auto" takes the smallest that loses at most 0.15 % of the beam in the
        mean over the cone and 0.5 % in the worst direction at the largest thickness.
    slice_depth_nm : float or "auto"
        Upper limit of the slice depth [nm]; "auto" takes at most 0.2 nm and lets slices meet the atomic layers.
    thickness_max_nm : float
        Largest thickness [nm].
    cone_mrad, field_mrad : float
        Largest incident and scattered angle that the grid must carry [mrad].
    propagator : {"exact", "fresnel"}
    direction_pitch_mrad : float or "auto"
        Distance of incident directions [mrad]; "auto" measures the largest good one, see `measure_pitch`.
    plane_spacing_nm : float or "auto"
        Distance of thickness planes [nm]; "auto" measures the largest good one, see `measure_spacing`.
    alpha_max_mrad, tau_max_mrad, max_angle_mrad, tolerance : float
        See `measure_pitch`.
    out_dir : path
        Receives ``cell.json``, ``slices.npz``, ``beam_group.json``, ``numerics.json``, ``fft_plans.json`` and
        ``structure.png``; complete or absent.
    """
    oriented = orient(read_cif(cif), tuple(zone_axis))
    build = _builder(oriented, zone_axis, energy_kev, slice_depth_nm, thermal_model, parametrization)
    reach = GridReach(thickness_max_nm, cone_mrad, field_mrad, propagator)
    slices, findings = _verified(_sampled(build, oriented, grid_px, reach), oriented, reach)
    options: dict[str, Any] = {
        "thickness_max_nm": thickness_max_nm,
        "alpha_max_mrad": alpha_max_mrad,
        "tau_max_mrad": tau_max_mrad,
        "max_angle_mrad": max_angle_mrad,
        "propagator": propagator,
        "tolerance": tolerance,
    }
    numerics: dict[str, Any] = {"direction_pitch_mrad": direction_pitch_mrad, "plane_spacing_nm": plane_spacing_nm}
    if isinstance(direction_pitch_mrad, str):
        numerics["direction_pitch_mrad"], numerics["interpolation_l2"] = measure_pitch(slices, **options)
    if isinstance(plane_spacing_nm, str):
        numerics["plane_spacing_nm"], numerics["plane_l2"] = measure_spacing(slices, **options)
    _write(out_dir, oriented, slices, findings, numerics)


def _builder(
    oriented: Crystal,
    zone_axis: Sequence[int],
    energy_kev: float,
    slice_depth_nm: float | str,
    thermal_model: str,
    parametrization: str,
) -> Builder:
    """Makes slice potentials on a grid that is still to be chosen."""
    return partial(
        slice_potentials,
        oriented,
        zone_axis=(zone_axis[0], zone_axis[1], zone_axis[2]),
        energy_ev=energy_kev * 1e3,
        slices=slice_count(oriented, slice_depth_nm),
        thermal_model=thermal_model,
        parametrization=parametrization,
    )


def _sampled(build: Builder, oriented: Crystal, grid_px: Sequence[int] | str, reach: GridReach) -> SlicePotentials:
    """Slice potentials on the grid asked for, or on the smallest that is good enough."""
    if isinstance(grid_px, str):
        return smallest_grid(build, oriented, reach)
    slices = build(grid=(int(grid_px[0]), int(grid_px[1])))
    refuse_small_grid(slices, reach)
    return slices


def _verified(slices: SlicePotentials, oriented: Crystal, reach: GridReach) -> tuple[SlicePotentials, GroupFindings]:
    """The same slices with the operations that hold for a slab, and how well each does."""
    slices, findings = verified_group(
        slices,
        upright_operations(oriented),
        thickness_max_nm=reach.thickness_max_nm,
        cone_mrad=reach.cone_mrad,
        propagator=reach.propagator,
    )
    log.info(
        "%s [%s]: period %.4f Å, %d slices, grid %s, %d operations in the beam group",
        slices.formula,
        " ".join(map(str, slices.zone_axis)),
        slices.period_a,
        len(slices.potential),
        slices.grid,
        len(slices.group),
    )
    return slices, findings


def _write(
    out_dir: str | Path, oriented: Crystal, slices: SlicePotentials, findings: GroupFindings, numerics: dict
) -> None:
    with folder_aside(out_dir) as aside:
        slices.save(aside)
        write_json(findings.as_json(), aside / "beam_group.json")
        write_json(numerics, aside / NUMERICS)
        save_plans((WAVES, *slices.grid), aside)
        draw_structure(oriented, slices, aside / "structure.png")
