"""The smallest grid, and the slices per period, that carry a crystal's waves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pacbed.crystal.cell import Crystal
from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.table.directions import direction_grid
from pacbed.simulation.table.numerics import plane_layout

log = logging.getLogger(__name__)
# Accepted loss to the band limit at the largest thickness, mean over the cone and worst direction. What is lost is
# missing from the pattern: 0.1 % of loss is about 1e-3 of relative L2 (measured on SrTiO3, 200 kV, 100 nm).
MEAN_LOSS, WORST_LOSS = 0.0015, 0.005
DEEPEST_SLICE_A, SHALLOWEST_SLICE_A = 2.0, 0.9
GRID_SIZES = [n for n in range(16, 513, 2) if not {p for p in (11, 13, 17, 19, 23, 29, 31) if n % p == 0} and n % 37]


Builder = Callable[..., SlicePotentials]  # takes the grid alone, by name


@dataclass(frozen=True)
class GridReach:
    """What the grid must carry: thickness [nm], incident and scattered angle [mrad], and how waves propagate."""

    thickness_max_nm: float
    cone_mrad: float
    field_mrad: float
    propagator: str


def slice_count(oriented: Crystal, slice_depth_nm: float | str) -> int:
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


def carried_mrad(slices: SlicePotentials) -> float:
    return slices.band_limit * mrad_per_inverse_a(slices.energy_ev)


def refuse_small_grid(slices: SlicePotentials, reach: GridReach) -> None:
    carried = carried_mrad(slices)
    if carried < max(reach.cone_mrad, reach.field_mrad):
        raise SimulationError(
            f"grid_px: got {list(slices.grid)}, which carries {carried:.1f} mrad, accepted: auto, or a grid that holds "
            f"the field of {reach.field_mrad:.1f} mrad and the cone of {reach.cone_mrad:.1f} mrad"
        )


def smallest_grid(build: Builder, oriented: Crystal, reach: GridReach) -> SlicePotentials:
    lengths = np.linalg.norm(oriented.cell[:2, :2], axis=1)
    for size in GRID_SIZES:
        # The same sampling along both vectors, each rounded up to a size that Fourier transforms like.
        wanted = [size * length / lengths.min() - 1e-6 for length in lengths]
        if max(wanted) > GRID_SIZES[-1]:
            break
        grid = tuple(next(n for n in GRID_SIZES if n >= points) for points in wanted)
        slices = build(grid=(grid[0], grid[1]))
        if carried_mrad(slices) < 1.05 * max(reach.cone_mrad, reach.field_mrad) + 2:
            continue
        mean, worst = band_limit_loss(slices, reach.thickness_max_nm, reach.cone_mrad, reach.propagator)
        log.info("grid %s: loss to the band limit %.2f %% in the mean, %.2f %% at worst", grid, 100 * mean, 100 * worst)
        if mean <= MEAN_LOSS and worst <= WORST_LOSS:
            return slices
    refuse_small_grid(slices, reach)
    raise SimulationError(f"grid_px: no grid up to {GRID_SIZES[-1]} loses less than {MEAN_LOSS:.2%} of the beam")


def band_limit_loss(
    slices: SlicePotentials, thickness_max_nm: float, cone_mrad: float, propagator: str
) -> tuple[float, float]:
    """Mean and worst fraction of the beam lost to the band limit at the largest thickness, over the cone."""
    grid = direction_grid(slices, cone_mrad=cone_mrad, pitch_mrad=cone_mrad / 5)
    engine = PlaneWaveEngine(slices, propagator=propagator)
    periods, planes = plane_layout(slices.period_a, thickness_max_nm)
    q = grid.nodes @ grid.pitch_mrad
    q = q[np.linalg.norm(q, axis=1) <= cone_mrad] / engine.mrad_per_inverse_a
    lost = engine.run(q, beams=np.zeros((1, 2), dtype=int), planes=planes, periods_per_plane=periods).lost[-1]
    return float(lost.mean()), float(lost.max())
