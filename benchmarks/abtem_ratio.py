"""How much longer abTEM's probe scan takes for a thickness series on disk than our table and stack together.

    make bench-abtem_ratio                                   # rutile_80kv
    uv run python benchmarks/abtem_ratio.py srtio3_300kv beryl_300kv
    uv run python benchmarks/abtem_ratio.py --quick rutile_80kv    # a glance: thin slabs, few probes

abTEM is used as a user would: the potential is built once (not counted: all series share it), one multislice run per
series with an exit plane every nanometre, a `PixelatedDetector`, the mean over the scan positions, one file. It gets
both cores in the way that is fastest here: two workers with single-threaded transforms, or one with threaded ones, in
small or large batches. Two comparisons:

published       512 x 512 px, 16 x 16 cells, scan step 0.6 Å over one cell, slices of 0.5 Å, static atoms, Kirkland:
                what Oberaigner et al. (2023) published with their code. A series takes minutes: slabs of several
                thicknesses are timed, a straight line through them is extrapolated to the grid's thickness, and so is
                one through two numbers of scan positions; what deviates from the lines is among the figures.
like_for_like   our own slices, grid and slice depth, 8 x 8 cells, and the positions that the largest convergence angle
                of the grid needs. Whole series are timed, and the fastest counts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import abtem
import numpy as np

from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig, load_config
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials
from pacbed.simulation.scan.raster import positions_needed, rectangular_raster
from pacbed.simulation.scan.supercell import orthogonal_slices

CORES = 2
SLABS_NM = (2.0, 4.0, 6.0, 8.0)
QUICK_SLABS_NM = (1.0, 2.0, 3.0)
PROBES = 8  # of a timed slab
WHOLE_SERIES = 3  # timed, where a whole series is
QUIET = {"diagnostics.progress_bar": False, "precision": "float32", "device": "cpu", "fft": "fftw"}


@dataclass(frozen=True)
class Case:
    """One way to set up abTEM for a system.

    Attributes
    ----------
    potential : function of a thickness [nm]
        Built potential with an exit plane about every nanometre.
    probe : abtem.Probe
    positions : numpy.ndarray, shape (positions, 2)
        All scan positions of a series [Å].
    max_angle_mrad : float
        Half width of the recorded patterns.
    """

    potential: Callable[[float], Any]
    probe: abtem.Probe
    positions: np.ndarray
    max_angle_mrad: float


@dataclass(frozen=True)
class Setting:
    """How the two cores are used: `workers` Dask threads with `fft_threads` each, `batch` probes at a time."""

    workers: int
    fft_threads: int
    batch: int


SETTINGS = [Setting(*cores, batch) for cores, batch in itertools.product(((CORES, 1), (1, CORES)), (1, 4, 9))]


def published(system: SystemConfig) -> Case:
    """The sampling that the paper published."""
    needed, energy_ev = plan(system), system.beam.energy_kev * 1e3
    cell = orient(read_cif(system.crystal.cif), system.crystal.zone_axis).to_atoms()
    if not np.allclose(cell.cell.angles(), 90):
        cell = abtem.orthogonalize_cell(cell)
    lengths = cell.cell.lengths()
    narrow = min(lengths[:2])
    cells = [round(16 * narrow / length) for length in lengths[:2]]

    def potential(thickness_nm: float) -> Any:
        slab = cell * (*cells, max(1, round(10 * thickness_nm / lengths[2])))
        made = abtem.Potential(slab, gpts=512, slice_thickness=0.5, parametrization="kirkland", exit_planes=20)
        return made.build(lazy=False)

    counts = [int(np.ceil(length / 0.6 - 1e-9)) for length in lengths[:2]]
    angle = min(20.0, needed.alpha_max_mrad)
    probe = abtem.Probe(energy=energy_ev, semiangle_cutoff=angle)
    return Case(potential, probe, rectangular_raster(lengths[:2], counts), needed.max_angle_mrad)


def like_for_like(system: SystemConfig, structure_dir: Path) -> Case:
    """Our slices on 8 x 8 cells, on the smallest orthogonal cell where ours is oblique."""
    needed, slices = plan(system), SlicePotentials.load(structure_dir)
    cell = orthogonal_slices(slices)
    narrow = min(cell.lengths_a)
    period = next(iter(cell.periods([round(8 * narrow / length) for length in cell.lengths_a])))
    every = max(1, int(10 / slices.period_a)) * len(cell.transmission)

    def potential(thickness_nm: float) -> Any:
        periods = max(1, round(10 * thickness_nm / slices.period_a))
        array = np.tile(np.asarray(period.array), (periods, 1, 1))
        return type(period)(array, slice_thickness=slices.slice_depth_a, extent=period.extent, exit_planes=every)

    counts = positions_needed(needed.alpha_max_mrad, cell.lengths_a, cell.energy_ev)
    probe = abtem.Probe(energy=cell.energy_ev, semiangle_cutoff=needed.alpha_max_mrad)
    return Case(potential, probe, rectangular_raster(cell.lengths_a, counts), needed.max_angle_mrad)


def seconds_of_series(case: Case, potential: Any, probes: int, setting: Setting) -> float:
    """Scan `probes` positions, average, write the series to disk."""
    positions = np.resize(case.positions, (probes, 2))  # more than there are: from the first one again
    detector = abtem.PixelatedDetector(max_angle=case.max_angle_mrad)
    with tempfile.TemporaryDirectory() as folder, abtem.config.set({**QUIET, "fftw.threads": setting.fft_threads}):
        start = time.perf_counter()
        measured = case.probe.scan(
            potential, scan=abtem.CustomScan(positions), detectors=detector, max_batch=setting.batch, lazy=True
        )
        patterns = measured.compute(scheduler="threads", num_workers=setting.workers).array.mean(axis=-3)
        np.save(Path(folder) / "series.npy", np.asarray(patterns, dtype=np.float32))
        return time.perf_counter() - start


def fastest(case: Case, potential: Any, probes: int) -> Setting:
    """The setting that takes least time on a thin slab, the better of two runs: the first one plans transforms."""
    seconds = {
        setting: min(seconds_of_series(case, potential, probes, setting) for _ in range(2)) for setting in SETTINGS
    }
    return min(seconds, key=lambda setting: seconds[setting])


def time_whole(case: Case, thickness_nm: float, thin_nm: float) -> dict:
    """Seconds of a whole series, measured, the fastest of several."""
    thin, whole, positions = case.potential(thin_nm), case.potential(thickness_nm), len(case.positions)
    case.probe.grid.match(thin)
    best = fastest(case, thin, positions)
    seconds = [seconds_of_series(case, whole, positions, best) for _ in range(WHOLE_SERIES)]
    return {
        "abtem_s_per_series": round(min(seconds), 2),
        "grid_px": list(whole.gpts),
        "slices_per_nm": round(len(whole) / float(whole.thickness / 10), 2),
        "positions": positions,
        "setting": asdict(best),
        "series_s": [round(value, 2) for value in seconds],
    }


def extrapolate(case: Case, thickness_nm: float, slabs_nm: tuple[float, ...], probes: int) -> dict:
    """Seconds of a whole series from straight lines in thickness and in the number of positions."""
    built = {thickness: case.potential(thickness) for thickness in slabs_nm}
    case.probe.grid.match(built[slabs_nm[0]])
    thin = built[slabs_nm[0]]
    best = fastest(case, thin, probes)
    depths = np.array([potential.thickness / 10 for potential in built.values()])
    seconds = np.array([seconds_of_series(case, potential, probes, best) for potential in built.values()])
    slope, offset = np.polyfit(depths, seconds, 1)
    residual = seconds - (slope * depths + offset)
    # The share of the time that grows with the number of positions, from twice as many on the second slab.
    twice = seconds_of_series(case, built[slabs_nm[1]], 2 * probes, best)
    growing = (twice - seconds[1]) / seconds[1]
    # Above 1 is noise: more probes cannot cost more than in proportion.
    whole = (slope * thickness_nm + offset) * (1 + min(1.0, growing) * (len(case.positions) / probes - 1))
    return {
        "abtem_s_per_series": round(float(whole), 2),
        "grid_px": list(thin.gpts),
        "slices_per_nm": round(len(thin) / float(depths[0]), 2),
        "positions": len(case.positions),
        "setting": asdict(best),
        "slabs_nm": [round(float(depth), 3) for depth in depths],
        "slab_s": [round(float(value), 3) for value in seconds],
        "probes_timed": probes,
        "fit_r2": round(1 - float(np.sum(residual**2) / np.sum((seconds - seconds.mean()) ** 2)), 5),
        "fit_residual": round(float(np.abs(residual / seconds).max()), 4),
        "growth_with_positions": round(float(growing), 3),
    }


def our_seconds(results: Path, cores: int) -> dict | None:
    """Seconds per series of our table and stack, from the workflow's records; None where they are not there yet."""
    try:
        stack = json.loads((results / "stack" / "done.json").read_text())
        blocks = [_last(file) for file in sorted((results / "benchmarks" / "simulate_rocking_block").glob("*.jsonl"))]
        gathered = _last(results / "benchmarks" / "gather_rocking_table.jsonl")
        written = _last(results / "benchmarks" / "assemble_stack.jsonl")
    except FileNotFoundError:
        return None
    table = sum(job["s"] for job in blocks) / cores + gathered["s"]  # blocks share the cores evenly
    series, thicknesses = int(np.prod(stack["shape"][:2])), stack["shape"][2]
    return {
        "table_s": round(table, 1),
        "stack_s": round(written["s"], 1),
        "series": series,
        "thicknesses": thicknesses,
        "ours_s_per_series": (table + written["s"]) / series,
    }


def _last(file: Path) -> dict:
    return json.loads(file.read_text().splitlines()[-1])


def measure(name: str, system: SystemConfig, *, results: Path, quick: bool = False) -> dict:
    """Both ratios of a system with everything they are made of; a ratio is null while the workflow has no records."""
    ours = our_seconds(results, CORES)
    slabs, probes = (QUICK_SLABS_NM, 4) if quick else (SLABS_NM, PROBES)
    depth = plan(system).thickness_max_nm
    cases = {"published_sampling": published(system)}
    if (results / "structure" / "cell.json").is_file():
        cases["like_for_like"] = like_for_like(system, results / "structure")
    found: dict[str, Any] = {"ours": ours, "ratio_published_sampling": None, "ratio_like_for_like": None}
    for kind, case in cases.items():
        whole = kind == "like_for_like" and not quick
        found[kind] = time_whole(case, depth, slabs[-1]) if whole else extrapolate(case, depth, slabs, probes)
        print(f"{name}, {kind}: {json.dumps(found[kind])}", flush=True)
        if ours is not None:
            found[f"ratio_{kind}"] = round(found[kind]["abtem_s_per_series"] / ours["ours_s_per_series"], 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", default=["rutile_80kv"])
    parser.add_argument("--quick", action="store_true", help="thin slabs and few probes")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of the workflow")
    options = parser.parse_args()
    for name in options.systems:
        system = load_config([Path("config") / f"{name}.yaml"]).systems[name]
        print(json.dumps({name: measure(name, system, results=options.results / name, quick=options.quick)}, indent=2))


if __name__ == "__main__":
    main()
