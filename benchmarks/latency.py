"""What an answer costs: CPU seconds of match, fit, sheet and all, and the wait for a new process.

    python benchmarks/latency.py [BUNDLE ...]

reads ``results/demo/bundle/demo.pacbed`` if no bundle is named, and writes ``benchmarks/latency.json`` and
``benchmarks/latency.md``. A system measured before keeps its figures until it is measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile
from aims import SAID, cell
from bottom import shift_to_the_bottom

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.report.sheet import draw_sheet
from pacbed.analysis.steps import network_answers, prepare
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.patterns import Geometry, polar_to_vector

HERE = Path(__file__).resolve().parent
DEMO = Path("results/demo/bundle/demo.pacbed")
PATTERNS, SEED, PROCESSES = 7, 5, 2
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ROWS = (
    ("library_s", "library of a convergence angle, once [CPU s]", ""),
    ("prepare_s", "reading, repair, bright region [CPU s]", ""),
    ("networks_s", "networks [CPU s]", "≤ 0.06"),
    ("total_s", "answer: all but the sheet [CPU s]", "≤ 0.6"),
    ("slowest_s", "slowest of them [CPU s]", ""),
    ("sheet_s", "sheet [CPU s]", ""),
    ("right", "within 1 nm of the truth", ""),
    ("short_cuts", "largest shift of thickness over its bar by the fit's short cuts", "≤ 0.1"),
    ("process_cpu_s", "`pacbed predict` in a new process, with sheet [CPU s]", ""),
    ("process_s", "the same, what one waits on the machine as it was [s]", "≤ 4"),
)


def recorded(bundle: Bundle, rng: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """A noisy pattern off the grid, shape (y, x) [counts]; its convergence angle [mrad] and thickness [nm]."""
    low, high = bundle.meta.trained.convergence_mrad
    alpha, thickness = float(rng.uniform(low, high)), float(rng.uniform(4.0, bundle.meta.trained.thickness_nm[1]))
    tilt = min(bundle.meta.trained.mistilt_mrad[1], bundle.renderer.mistilt_max_mrad(alpha, 1.0)) * rng.uniform() ** 0.5
    pixels = 180
    middle = (pixels - 1) / 2 + rng.uniform(-5, 5, 2)
    geometry = Geometry((pixels, pixels), 3.2 * alpha / pixels, (middle[0], middle[1]), float(rng.uniform(0, 360)))
    image = bundle.renderer.render(
        thickness_nm=thickness, convergence_mrad=alpha, mistilt_mrad=polar_to_vector(tilt, rng.uniform(0, 360)),
        geometry=geometry, blur_mrad=0.3,
    )  # fmt: skip
    noisy = image / image.max() + rng.uniform(0.05, 0.1) * rng.standard_normal(image.shape)
    return (1000 + 2000 * noisy).astype(np.float32), alpha, thickness


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of all threads of this process, and what the action returned."""
    started = time.process_time()
    value = action()
    return time.process_time() - started, value


def measure(path: Path) -> dict[str, Any]:
    """Figures of one bundle, of a process that is open."""
    bundle, rng = load_bundle(path), np.random.default_rng(SEED)
    nominal = round(float(np.mean(bundle.meta.trained.convergence_mrad)), 1)
    rows, shifts, right = [], [], 0
    first, _, _ = recorded(bundle, rng)
    analyse(bundle, first, PredictOptions(convergence_mrad=nominal))  # compiles, and fills caches
    library, _ = timed(lambda: prepare(bundle, first, PredictOptions(convergence_mrad=nominal + 0.3)))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(PATTERNS):
            image, alpha, thickness = recorded(bundle, rng)
            options = PredictOptions(convergence_mrad=alpha)
            prepare(bundle, image, options)  # makes the library
            prepared, ready = timed(lambda image=image, options=options: prepare(bundle, image, options))
            asked, _ = timed(lambda ready=ready: network_answers(ready))
            total, found = timed(lambda image=image, options=options: analyse(bundle, image, options))
            sheet, _ = timed(lambda found=found: draw_sheet(found, Path(folder) / "sheet.png"))
            rows.append((prepared, asked, total, sheet))
            shifts.append(shift_to_the_bottom(found))
            right += abs(found.result.thickness_nm.value - thickness) < 1
    prepared, asked, total, sheet = np.median(rows, axis=0)
    figures = {"library_s": library, "prepare_s": prepared, "networks_s": asked, "total_s": total, "sheet_s": sheet}
    figures |= {"slowest_s": max(row[2] for row in rows), "short_cuts": max(shifts)}
    return {name: round(float(value), 3) for name, value in figures.items()} | {"right": f"{right} of {PATTERNS}"}


def wait_for_a_process(path: Path) -> dict[str, float]:
    """Wall and CPU seconds of the command, medians, caches warm."""
    bundle = load_bundle(path)
    image, alpha, _ = recorded(bundle, np.random.default_rng(SEED))
    waits, cpu = [], []
    with tempfile.TemporaryDirectory() as folder:
        tifffile.imwrite(Path(folder) / "pattern.tif", image)
        command = [sys.executable, "-m", "pacbed.cli", "predict", str(path), f"{folder}/pattern.tif"]
        command += ["--convergence-mrad", f"{alpha:.2f}", "--out", folder]
        for _ in range(PROCESSES + 1):
            took = of_a_command(command, check=False, capture_output=True)  # a refused pattern has status 1
            waits.append(took.wall_s)
            cpu.append(took.cpu_s)
    return {
        "process_cpu_s": round(float(np.median(cpu[1:])), 2),
        "process_s": round(float(np.median(waits[1:])), 2),
    }


class Took(NamedTuple):
    """Wall and processor time of a command and its children [s]."""

    wall_s: float
    cpu_s: float


def of_a_command(command: list[str], **options: Any) -> Took:
    """Run a command with options of `subprocess.run`, and time it."""
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, **options)
    wall, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def machine() -> str:
    """Processor and number of its cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}"


def table(figures: dict[str, dict[str, Any]]) -> str:
    """Markdown of all systems measured."""
    names = sorted(figures)
    lines = [
        "# What an answer costs",
        "",
        "Measured by `python benchmarks/latency.py`: random patterns off the grid of 180 x 180 pixels with noise of",
        f"sigma 0.05 to 0.1, medians of {PATTERNS} patterns and {PROCESSES} processes, BLAS on one thread as the",
        "command line has it. Other work on the same cores makes CPU seconds up to twice as long, and the wait as much",
        f"longer as there is of it: the load is that at the end. {SAID}",
        "",
        f"| | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    for key, label, aim in ROWS:
        cells = [cell(figures[name].get(key, ""), aim) for name in names]
        lines.append(f"| {label}{f' ({aim})' if aim else ''} | {' | '.join(cells)} |")
    lines.append(f"| machine | {' | '.join(str(figures[name]['machine']) for name in names)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="*", type=Path, default=[DEMO])
    parser.add_argument("--measure", action="store_true", help="print the figures of an open process")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.bundles[0])))
        return
    file = HERE / "latency.json"
    figures = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for path in arguments.bundles:
        bundle = load_bundle(path)
        name = bundle.meta.system if bundle.networks else f"{bundle.meta.system}, without networks"
        command = [sys.executable, __file__, "--measure", str(path)]
        told = subprocess.run(command, env=os.environ | ONE_THREAD, check=True, stdout=subprocess.PIPE, text=True)
        figures[name] = json.loads(told.stdout) | wait_for_a_process(path) | {"machine": machine()}
    file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (HERE / "latency.md").write_text(table(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
