"""Times of the renderer and error of the stored stack."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray

from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig
from pacbed.patterns import Geometry, polar_to_vector
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

ROUNDS, REPEATS = 5, 5  # a disturbance that lasts seconds spoils one round of all kinds, and not all of one kind
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

    fresh = iter(np.linspace(0.3, 0.97, ROUNDS * (REPEATS + 1)) * deepest)
    shifts = iter(np.linspace(0.01, 0.5, ROUNDS * (REPEATS + 1)))
    calls = {
        "render_ms": lambda: one(0.503 * deepest),
        "render_fresh_ms": lambda: one(float(next(fresh))),
        "series_render_ms": lambda: whole(0.0),
        "series_render_fresh_ms": lambda: whole(float(next(shifts))),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            call()  # compiles, and fills caches
            seconds[name] += [_seconds(call) for _ in range(REPEATS)]
    per = {name: len(series) if name.startswith("series") else 1 for name in calls}
    return {name: round(1e3 * statistics.median(times) / per[name], 3) for name, times in seconds.items()}


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


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
