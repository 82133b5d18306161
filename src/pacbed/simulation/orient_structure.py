"""First stage of the workflow: CIF and zone axis in, cell, beam group, slice potentials and a picture out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.crystal.beam_group import upright_operations
from pacbed.crystal.electron import wavelength_a
from pacbed.crystal.orientation import orient
from pacbed.crystal.picture import draw_structure
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.slicing import slice_potentials
from pacbed.crystal.structure import Crystal, read_cif
from pacbed.errors import SimulationError
from pacbed.outputs import folder_aside, leaves_nothing_half_written
from pacbed.simulation.directions import direction_grid
from pacbed.simulation.evidence import write_json
from pacbed.simulation.numerics import FILE as NUMERICS
from pacbed.simulation.numerics import plane_layout
from pacbed.simulation.pitch_search import measure_pitch
from pacbed.simulation.plane_wave import WAVES, PlaneWaveEngine
from pacbed.simulation.spacing_search import measure_spacing
from pacbed.simulation.verified_group import GroupFindings, verified_group
from pacbed.simulation.wave_transforms import save_plans

log = logging.getLogger(__name__)
# Accepted loss to the band limit at the largest thickness, mean over the cone and worst direction. What is lost is
# missing from the pattern: 0.1 % of loss is about 1e-3 of relative L2 (measured on SrTiO3, 200 kV, 100 nm).
MEAN_LOSS, WORST_LOSS = 0.0015, 0.005
DEEPEST_SLICE_A, SHALLOWEST_SLICE_A = 2.0, 0.9
GRID_SIZES = [n for n in range(16, 513, 2) if not {p for p in (11, 13, 17, 19, 23, 29, 31) if n % p == 0} and n % 37]

Builder = Callable[..., SlicePotentials]  # takes the grid alone, by name


@leaves_nothing_half_written()
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
    reach = _Reach(thickness_max_nm, cone_mrad, field_mrad, propagator)
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


@dataclass(frozen=True)
class _Reach:
    """What the grid must carry: thickness [nm], incident and scattered angle [mrad], and how waves propagate."""

    thickness_max_nm: float
    cone_mrad: float
    field_mrad: float
    propagator: str


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
        slices=_slice_count(oriented, slice_depth_nm),
        thermal_model=thermal_model,
        parametrization=parametrization,
    )


def _sampled(build: Builder, oriented: Crystal, grid_px: Sequence[int] | str, reach: _Reach) -> SlicePotentials:
    """Slice potentials on the grid asked for, or on the smallest that is good enough."""
    if isinstance(grid_px, str):
        return _smallest_grid(build, oriented, reach)
    slices = build(grid=(int(grid_px[0]), int(grid_px[1])))
    _refuse_small_grid(slices, reach)
    return slices


def _verified(slices: SlicePotentials, oriented: Crystal, reach: _Reach) -> tuple[SlicePotentials, GroupFindings]:
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


def _slice_count(oriented: Crystal, slice_depth_nm: float | str) -> int:
    """Slices per period: the fewest within the limits whose planes lie closest to the atoms."""
    period = float(oriented.cell[2, 2])
    if not isinstance(slice_depth_nm, str):
        return max(1, int(np.ceil(period / (10 * slice_depth_nm) - 1e-6)))
    low, high = int(np.ceil(period / DEEPEST_SLICE_A - 1e-6)), max(1, int(period / SHALLOWEST_SLICE_A))
    candidates = range(max(1, low), max(low, high) + 1)
    heights = oriented.fractional[:, 2]

    def misfit(count: int) -> float:
        offset = heights * count - np.round(heights * count)
        return round(float(np.sqrt(np.mean(offset**2)) * period / count), 3)

    return min(candidates, key=lambda count: (misfit(count), count))


def _carried_mrad(slices: SlicePotentials) -> float:
    return slices.band_limit * wavelength_a(slices.energy_ev) * 1e3


def _refuse_small_grid(slices: SlicePotentials, reach: _Reach) -> None:
    carried = _carried_mrad(slices)
    if carried < max(reach.cone_mrad, reach.field_mrad):
        raise SimulationError(
            f"grid_px: got {list(slices.grid)}, which carries {carried:.1f} mrad, accepted: auto, or a grid that holds "
            f"the field of {reach.field_mrad:.1f} mrad and the cone of {reach.cone_mrad:.1f} mrad"
        )


def _smallest_grid(build: Builder, oriented: Crystal, reach: _Reach) -> SlicePotentials:
    lengths = np.linalg.norm(oriented.cell[:2, :2], axis=1)
    for size in GRID_SIZES:
        # The same sampling along both vectors, each rounded up to a size that Fourier transforms like.
        wanted = [size * length / lengths.min() - 1e-6 for length in lengths]
        if max(wanted) > GRID_SIZES[-1]:
            break
        grid = tuple(next(n for n in GRID_SIZES if n >= points) for points in wanted)
        slices = build(grid=(grid[0], grid[1]))
        if _carried_mrad(slices) < 1.05 * max(reach.cone_mrad, reach.field_mrad) + 2:
            continue
        mean, worst = band_limit_loss(slices, reach.thickness_max_nm, reach.cone_mrad, reach.propagator)
        log.info("grid %s: loss to the band limit %.2f %% in the mean, %.2f %% at worst", grid, 100 * mean, 100 * worst)
        if mean <= MEAN_LOSS and worst <= WORST_LOSS:
            return slices
    _refuse_small_grid(slices, reach)
    raise SimulationError(f"grid_px: no grid up to {GRID_SIZES[-1]} loses less than {MEAN_LOSS:.2%} of the beam")


def band_limit_loss(
    slices: SlicePotentials, thickness_max_nm: float, cone_mrad: float, propagator: str
) -> tuple[float, float]:
    """Mean and worst fraction of the beam lost to the band limit at the largest thickness, over the cone."""
    grid = direction_grid(slices, cone_mrad=cone_mrad, pitch_mrad=cone_mrad / 5)
    engine = PlaneWaveEngine(slices, propagator=propagator)
    periods, planes = plane_layout(slices.period_a, thickness_max_nm)
    q = grid.nodes @ grid.pitch_mrad
    q = q[np.linalg.norm(q, axis=1) <= cone_mrad] / (engine.wavelength * 1e3)
    lost = engine.run(q, beams=np.zeros((1, 2), dtype=int), planes=planes, periods_per_plane=periods).lost[-1]
    return float(lost.mean()), float(lost.max())
