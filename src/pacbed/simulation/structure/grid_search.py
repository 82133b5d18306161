"""The smallest grid that carries a crystal's waves."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.potentials import SlicePotentials, band_limit
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.structure.settings import GridReach
from pacbed.simulation.structure.slicing import Slicing
from pacbed.simulation.structure.trial_aperture import even_directions
from pacbed.simulation.table.settings import plane_layout

log = logging.getLogger(__name__)
# Accepted loss to the band limit at the largest thickness, mean over the cone and worst direction. What is lost is
# missing from the pattern: 0.1 % of loss is about 1e-3 of relative L2 (measured on SrTiO3, 200 kV, 100 nm).
MEAN_LOSS, WORST_LOSS = 0.0015, 0.005
LARGEST_GRID = 512


def _of_small_primes(size: int) -> bool:
    """Whether a size has no prime factor above 7: Fourier transforms of others take several times as long."""
    for prime in (2, 3, 5, 7):
        while size % prime == 0:
            size //= prime
    return size == 1


GRID_SIZES = [size for size in range(16, LARGEST_GRID + 1, 2) if _of_small_primes(size)]
DIRECTIONS = 32  # of the cone in which the loss is measured
NO_GRID = "grid_px: no grid up to {}"
STRIDE = 1.3  # from a grid that loses too much to the next one tried, before those between are searched


class BandLimitLoss(NamedTuple):
    """Fraction of the beam that the band limit takes: mean over the cone of directions, and in the worst one."""

    mean: float
    worst: float


class MeasuredGrid(NamedTuple):
    """Slice potentials on the grid found, and the loss measured with them."""

    slices: SlicePotentials
    loss: BandLimitLoss


def measure_grid(slicing: Slicing, reach: GridReach) -> MeasuredGrid:
    """Find the smallest grid that holds the angles and loses little of the beam at the largest thickness.

    Parameters
    ----------
    slicing : Slicing
        The crystal.
    reach : GridReach
        Which waves the grid must carry.

    Raises
    ------
    SimulationError
        No grid is good enough.
    """
    tried: dict[int, MeasuredGrid] = {}
    grids = list(grids_of(slicing.lengths_a))

    def good_enough(number: int) -> bool:
        slices = slicing.on_grid(grids[number])
        tried[number] = MeasuredGrid(slices, band_limit_loss(slices, reach))
        mean, worst = tried[number].loss
        log.info(
            "grid %s: loss to the band limit %.2f %% in the mean, %.2f %% at worst",
            grids[number], 100 * mean, 100 * worst,
        )  # fmt: skip
        return mean <= MEAN_LOSS and worst <= WORST_LOSS

    first = last = _first_that_carries(slicing, reach, grids)
    while not good_enough(last):
        if last == len(grids) - 1:
            raise SimulationError(f"{NO_GRID.format(GRID_SIZES[-1])} loses less than {MEAN_LOSS:.2%} of the beam")
        first, wider = last + 1, STRIDE * grids[last][0]
        last = next((number for number in range(first, len(grids)) if grids[number][0] >= wider), len(grids) - 1)
    number = bisect_left(range(last), True, lo=first, key=good_enough)
    return tried[number]


def _first_that_carries(slicing: Slicing, reach: GridReach, grids: list[tuple[int, int]]) -> int:
    """Number of the smallest grid that holds the angles, a little to spare; the largest grid may do without.

    Raises
    ------
    SimulationError
        None holds them, or the cell is too oblong for any.
    """
    if not grids:
        raise SimulationError(
            f"{NO_GRID.format(GRID_SIZES[-1])} suits a cell of {slicing.lengths_a.round(2).tolist()} Å"
        )
    wanted_mrad = 1.05 * max(reach.cone_mrad, reach.field_mrad) + 2
    cell_a, unit = slicing.oriented.cell[:2, :2], mrad_per_inverse_a(slicing.energy_ev)
    carrying = (number for number, grid in enumerate(grids) if band_limit(cell_a, grid) * unit >= wanted_mrad)
    number = next(carrying, None)
    if number is None:
        refuse_small_grid(slicing.on_grid(grids[-1]), reach)
        return len(grids) - 1
    return number


def grids_of(lengths_a: np.ndarray) -> Iterator[tuple[int, int]]:
    """Grids with the same sampling along both vectors, each rounded up to a size that Fourier transforms like."""
    for size in GRID_SIZES:
        first, second = size * lengths_a / lengths_a.min() - 1e-6
        if max(first, second) > GRID_SIZES[-1]:
            return
        yield fast_size(first), fast_size(second)


def fast_size(points: float) -> int:
    """The smallest size that Fourier transforms like of at least so many points; the largest known at most."""
    return next((size for size in GRID_SIZES if size >= points), GRID_SIZES[-1])


def carried_mrad(slices: SlicePotentials) -> float:
    """Largest angle that the grid of slice potentials carries [mrad]."""
    return slices.band_limit * mrad_per_inverse_a(slices.energy_ev)


def refuse_small_grid(slices: SlicePotentials, reach: GridReach) -> None:
    """Accept a grid that holds the incident and the scattered angles.

    Raises
    ------
    SimulationError
        It does not.
    """
    carried = carried_mrad(slices)
    if carried < max(reach.cone_mrad, reach.field_mrad):
        raise SimulationError(
            f"grid_px: got {list(slices.grid)}, which carries {carried:.1f} mrad, accepted: auto, or a grid that holds "
            f"the field of {reach.field_mrad:.1f} mrad and the cone of {reach.cone_mrad:.1f} mrad"
        )


def band_limit_loss(slices: SlicePotentials, reach: GridReach) -> BandLimitLoss:
    """What the band limit takes at the largest thickness, in directions spread evenly over the cone."""
    engine = PlaneWaveEngine(slices, propagator=reach.propagator)
    periods, planes = plane_layout(slices.period_a, reach.thickness_max_nm)
    q = even_directions(DIRECTIONS, reach.cone_mrad) / engine.mrad_per_inverse_a
    lost = engine.run(q, beams=np.zeros((1, 2), dtype=int), planes=planes, periods_per_plane=periods).lost[-1]
    return BandLimitLoss(float(lost.mean()), float(lost.max()))
