"""Times of the renderer and error of the stored stack."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import xarray

from pacbed.config import SystemConfig
from pacbed.plan import plan
from pacbed.simulation.geometry import Geometry, polar_to_vector
from pacbed.simulation.renderer import Renderer
from pacbed.simulation.rocking_table import RockingTable
from pacbed.simulation.thickness_plane import KEPT

REPEATS = 15
FIRST = KEPT + 2  # calls that are left out: they compile, fill caches, and write to memory that is new to the process
CONVERGENCE_MRAD = 20.0  # of the timed patterns, or the largest of the grid
SERIES_CHECKED, THICKNESSES_CHECKED = 6, 10


def time_renderer(renderer: Renderer, system: SystemConfig) -> dict[str, float]:
    """Median milliseconds of a 200 x 200 pattern on one core.

    Returns
    -------
    dict
        ``render_ms``: a pattern at a thickness rendered before, whose plane lies in the renderer's cache;
        ``render_fresh_ms``: at a thickness never rendered before; ``series_render_ms`` and ``series_render_fresh_ms``:
        per pattern of a series of 100, likewise. Convergence angle and field are the same throughout.
    """
    needed = plan(system)
    options = {
        "convergence_mrad": min(CONVERGENCE_MRAD, needed.alpha_max_mrad),
        "geometry": Geometry.field_of_view(200, needed.max_angle_mrad),
        "mistilt_mrad": (2.0, min(1.0, needed.tau_max_mrad)),
    }
    deepest = needed.thickness_max_nm
    series = np.linspace(1, deepest, 100)

    def one(thickness_nm: float) -> object:
        return renderer.render(thickness_nm=thickness_nm, **options)

    def whole(shift_nm: float) -> object:
        return renderer.render_series(series - shift_nm, **options)

    shifts = [0.01 * (number + 1) for number in range(FIRST + REPEATS)]
    fresh = np.linspace(0.3, 0.97, FIRST + REPEATS) * deepest
    return {
        "render_ms": _median_ms(one, [0.503 * deepest] * (FIRST + REPEATS)),
        "render_fresh_ms": _median_ms(one, fresh.tolist()),
        "series_render_ms": _median_ms(whole, [0.0] * (FIRST + REPEATS), per=len(series)),
        "series_render_fresh_ms": _median_ms(whole, shifts, per=len(series)),
    }


def _median_ms(action: Callable[[float], object], arguments: Iterable[float], per: int = 1) -> float:
    """Median over all calls but the first ones."""
    seconds = []
    for argument in arguments:
        start = time.perf_counter()
        action(argument)
        seconds.append(time.perf_counter() - start)
    return round(1e3 * statistics.median(seconds[FIRST:]) / per, 3)


def stack_error(table: RockingTable, stack_dir: Path) -> float:
    """Largest error of a stored pattern over its maximum, against rendering it alone, in a few series."""
    stack = xarray.open_zarr(stack_dir / "stack.zarr")
    renderer = Renderer(table)
    geometry = Geometry.field_of_view(stack.sizes["kx_mrad"], float(stack.attrs["max_angle_mrad"]))
    rng, worst = np.random.default_rng(1), 0.0
    for _ in range(SERIES_CHECKED):
        chosen = stack.isel(
            convergence_mrad=int(rng.integers(stack.sizes["convergence_mrad"])),
            tilt=int(rng.integers(stack.sizes["tilt"])),
        )
        for pattern in chosen.pattern[:: max(1, stack.sizes["thickness_nm"] // THICKNESSES_CHECKED)]:
            rendered = renderer.render(
                thickness_nm=float(pattern.thickness_nm),
                convergence_mrad=float(chosen.convergence_mrad),
                geometry=geometry,
                mistilt_mrad=polar_to_vector(float(chosen.mistilt_mrad), float(chosen.azimuth_deg)),
            )
            worst = max(worst, float(np.abs(pattern.values - rendered).max() / rendered.max()))
    return worst
