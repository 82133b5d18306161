"""Thickness maps: how fast, how near to full fits, how near to the truth, and in how much memory.

    python benchmarks/maps.py [--size N] [--large] [BUNDLE ...]

renders a scan of known truth for each bundle (by default SrTiO3 at 200 kV and rutile at 80 kV, which ship), maps it,
and writes ``benchmarks/maps.json``, ``benchmarks/maps.md`` and ``benchmarks/maps_<bundle>.png``, the map beside its
truth. ``--large`` measures the memory that a scan of 21 GB takes. A system measured before keeps its figures until it
is measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from maps_report import draw_beside_truth, markdown

from pacbed.analysis.maps.passes import KeptAnswers, MapPasses
from pacbed.analysis.maps.stored import ThicknessMap, read_facts
from pacbed.analysis.maps.tasks import MapSource, WindowTask, close_all, run_task
from pacbed.analysis.maps.windows import Place, blocks_of
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.report.map_dataset import MapAnswers, as_map, map_dataset
from pacbed.analysis.report.map_plan import MapSettings
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.evaluation.scans.compare import against_full_fits, against_truth
from pacbed.evaluation.scans.wedge import CRYSTAL, Wedge, WedgeSettings, make_wedge
from pacbed.outputs import write_json, write_text

HERE = Path(__file__).resolve().parent
FIGURES, PAGE = HERE / "maps.json", HERE / "maps.md"
GRAIN_OF = {"srtio3_200kv": "rutile_80kv", "rutile_80kv": "srtio3_200kv"}
ANGLES = {"srtio3_200kv": 16.0, "rutile_80kv": 20.0, "srtio3_300kv": 20.0}
STEP_NM, ELECTRONS, FULL_FITS, JOBS = 0.8, 1e5, 60, 2
SLOPES_NM = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)  # thickness from end to end of a window
SLOPE_WINDOW, SLOPE_REPEATS = 4, 6
LARGE_SHAPE, LARGE_WINDOW = (400, 400, 256, 256), 16


def settings_for(name: str, size: int) -> WedgeSettings:
    """The scan of a bundle: its disk is as many pixels wide for each."""
    alpha = ANGLES[name]
    return WedgeSettings(shape=(size, size), electrons=ELECTRONS, convergence_mrad=alpha, pixel_mrad=alpha / 40)


def measure(name: str, size: int, folder: Path) -> dict[str, Any]:
    """All figures of one bundle but the memory."""
    bundle, grain = load_bundle(name), load_bundle(GRAIN_OF.get(name, "srtio3_200kv"))
    settings = settings_for(name, size)
    wedge = make_wedge(bundle.renderer, grain.renderer, settings)
    data = folder / f"{name}.npy"
    np.save(data, wedge.patterns)
    options = PredictOptions(convergence_mrad=settings.convergence_mrad)
    figures: dict[str, Any] = {"windows": size * size, "electrons": ELECTRONS, "pixels": settings.pixels}
    refined = _timed(bundle, data, options, folder / name, figures, "refined")
    figures["truth"] = against_truth(refined, wedge)
    figures["full_fits"] = _full_fits(bundle, data, options, wedge, refined)
    alone = _timed(bundle, data, replace(options, refine=False), folder / f"{name}_networks", figures, "networks")
    figures["networks_truth"] = against_truth(alone, wedge)
    figures["slopes"] = _slopes(bundle, options, settings, folder)
    draw_beside_truth(refined, wedge, HERE / f"maps_{name}.png", step_nm=STEP_NM)
    if name == "srtio3_200kv":
        shutil.copy(folder / f"{name}.png", HERE.parent / "docs" / "images" / "map.png")
    return figures


def _timed(
    bundle: Bundle, data: Path, options: PredictOptions, out: Path, figures: dict[str, Any], label: str
) -> ThicknessMap:
    """A map, with seconds from start to end, and CPU time of a window once everything is warm."""
    start = time.perf_counter()
    found = map_dataset(
        bundle, data, options, MapSettings(jobs=JOBS, scan_step_nm=STEP_NM), out_dir=out, out_png=f"{out}.png"
    )
    figures[f"{label}_s"] = time.perf_counter() - start
    facts = read_facts(out)
    figures["constants"], figures[f"{label}_again"] = facts["constants"], facts["fitted_again"]
    figures[f"{label}_ms"], figures[f"{label}_per_s"] = _warm(bundle, data, options, found.verdict.shape, facts, label)
    return found


def _warm(
    bundle: Bundle, data: Path, options: PredictOptions, shape: tuple[int, ...], facts: dict[str, Any], label: str
) -> tuple[float, float]:
    """CPU milliseconds of a window in one process, and windows a second of all processes side by side."""
    from pacbed.analysis.maps.constants import Constants
    from pacbed.analysis.maps.workers import done_by, workers

    kept = {**facts["constants"], "ellipse_percent": tuple(facts["constants"]["ellipse_percent"])}
    constants, source = Constants(**kept), MapSource(bundle.path, data, options, 1, f"warm {label}")
    rows, columns = shape
    tasks = [WindowTask(source, block, constants) for block in blocks_of((rows, columns))]
    run_task(tasks[0])
    start = time.process_time()
    done = [run_task(task) for task in tasks[1:4]]
    cpu_ms = 1e3 * (time.process_time() - start) / sum(map(len, done))
    close_all()
    with workers(JOBS, None) as pool:
        list(done_by(pool, run_task, tasks[: 2 * JOBS]))
        start = time.perf_counter()
        count = sum(map(len, done_by(pool, run_task, tasks)))
        return cpu_ms, count / (time.perf_counter() - start)


def _full_fits(
    bundle: Bundle, data: Path, options: PredictOptions, wedge: Wedge, found: ThicknessMap
) -> dict[str, Any]:
    """Agreement with full fits of windows drawn by chance."""
    rng = np.random.default_rng(3)
    crystal = np.argwhere(wedge.kind == CRYSTAL)
    places = [Place(*map(int, crystal[index])) for index in rng.choice(len(crystal), FULL_FITS, replace=False)]
    source = MapSource(bundle.path, data, options, 1, "full")
    start = time.process_time()
    done = run_task(WindowTask(source, tuple(places)))
    cpu_ms = 1e3 * (time.process_time() - start) / len(places)
    close_all()
    row = MapAnswers((1, len(places)), {Place(0, index): one.answer for index, one in enumerate(done)})
    return against_full_fits(found, places, as_map(row)) | {"full_ms": cpu_ms}


def _slopes(bundle: Bundle, options: PredictOptions, settings: WedgeSettings, folder: Path) -> list[dict[str, Any]]:
    """What a thickness that changes inside a window does: error against the mean thickness, and verdicts."""
    rows = []
    edge = SLOPE_WINDOW * SLOPE_REPEATS
    for slope in SLOPES_NM:
        thin = 22.0
        ends = (thin, thin + slope * SLOPE_REPEATS)
        flat = replace(
            settings, shape=(edge, edge), thickness_nm=ends, step_nm=0.0, bend_mrad=1.0, descan_px=0.0,
            electrons=ELECTRONS / SLOPE_WINDOW**2,
        )  # fmt: skip
        wedge = make_wedge(bundle.renderer, None, flat)
        np.save(folder / "slope.npy", wedge.patterns)
        source = MapSource(bundle.path, folder / "slope.npy", options, SLOPE_WINDOW, f"slope {slope}")
        shape, period = (SLOPE_REPEATS, SLOPE_REPEATS), bundle.table.rotation_period_deg
        kept = KeptAnswers(folder / f"slope_{slope}.jsonl", {})
        found = as_map(MapPasses(source, shape, period, None, kept).run())
        close_all()
        parts = wedge.thickness_nm.reshape(SLOPE_REPEATS, SLOPE_WINDOW, SLOPE_REPEATS, SLOPE_WINDOW)
        error = found.thickness_nm - parts.mean(axis=(1, 3))  # not a number beside the hole
        known = np.isfinite(error)
        rows.append(
            {
                "slope_nm": slope,
                "mean_nm": float(error[known].mean()),
                "rms_nm": float(np.sqrt(np.mean(error[known] ** 2))),
                "std_nm": float(np.median(found.thickness_std_statistical_nm[known])),
                "misfit": float(np.median(found.misfit[known])),
                "ok": float(np.mean(found.verdict[known] == 0)),
            }
        )
    return rows


def measure_large(folder: Path) -> dict[str, Any]:
    """Peak memory of a map of a scan that is larger than the memory of the machine; sparse on disk."""
    bundle = load_bundle("srtio3_200kv")
    rows, columns, *pixels = LARGE_SHAPE
    settings = replace(settings_for("srtio3_200kv", 5), pixels=pixels[0], pixel_mrad=0.2, electrons=1e6)
    few = make_wedge(bundle.renderer, None, settings).patterns.reshape(-1, *pixels)
    data = np.lib.format.open_memmap(folder / "large.npy", mode="w+", dtype=np.uint16, shape=LARGE_SHAPE)
    for index, (row, column) in enumerate(np.ndindex(rows // LARGE_WINDOW, columns // LARGE_WINDOW)):
        data[row * LARGE_WINDOW, column * LARGE_WINDOW] = few[index % len(few)]
    data.flush()
    size = (folder / "large.npy").stat().st_size
    del data
    start = time.perf_counter()
    found = map_dataset(
        bundle, folder / "large.npy", PredictOptions(convergence_mrad=16.0), MapSettings(LARGE_WINDOW, JOBS),
        out_dir=folder / "large", out_png=folder / "large.png",
    )  # fmt: skip
    used = [resource.getrusage(who).ru_maxrss * 1024 / 1e9 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "file_gb": size / 1e9,
        "windows": int(found.verdict.size),
        "seconds": time.perf_counter() - start,
        "peak_gb": max(used),
        "peak_worker_gb": used[1],
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="*", default=["srtio3_200kv", "rutile_80kv"])
    parser.add_argument("--size", type=int, default=32, help="scan positions along each edge")
    parser.add_argument("--large", action="store_true", help="only the memory of a scan of 21 GB")
    asked = parser.parse_args()
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {"systems": {}}
    figures["machine"] = f"{os.cpu_count()} cores, {platform.machine()}, {JOBS} processes"
    with tempfile.TemporaryDirectory() as scratch:
        if asked.large:
            figures["large"] = measure_large(Path(scratch))
        for name in [] if asked.large else asked.bundles:
            figures["systems"][name] = measure(name, asked.size, Path(scratch))
            write_json(figures, FIGURES)
    write_json(figures, FIGURES)
    write_text(markdown(figures), PAGE)


if __name__ == "__main__":
    main()
