"""Damaged files and arrays that are no pattern: each ends in a verdict or in one line, and none in a wrong `ok`.

    python benchmarks/fuzz.py [--cases 5000] [--bundle BUNDLE] [--reading] [--fresh]

reads files of every format, damaged in ways that follow from the number of the case, as `pacbed inspect` does, and
predicts what could be read with the bundle (``--reading``: does not). Cases done before are kept in ``results/fuzz/``,
so that a run can be stopped at any time and goes on. Writes ``benchmarks/fuzz.json`` and ``benchmarks/fuzz.md``.

A worker process does the cases, so that a crash or a hang ends one case and not the run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import runpy
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
EXAMPLE = ROOT / "examples" / "srtio3_200kv" / "experiment_1.tif"
RESULTS = ROOT / "results" / "fuzz"
LIMIT_S = 120  # CPU and machine may be shared; a case takes a second or two
MEMORY_GB = 16  # address space of the worker, mapped libraries included
LINE = 600  # characters of a line that can be read
FAULTS = ("traceback", "several lines", "chatter", "hang", "crash", "wrong ok")
OUTCOMES = ("one line", "read", "refused", "doubtful", "ok", *FAULTS)
ALPHA = 1.02  # of the bundle's smallest convergence angle
THICKNESS = 0.4  # of its largest thickness


def run(cases: int, options: list[str], lines: Path) -> None:
    """Do what is not done yet, by worker after worker."""
    while (first := len(_done(lines))) < cases:
        command = [sys.executable, __file__, "--worker", str(first), "--cases", str(cases), "--lines", str(lines)]
        worker = subprocess.Popen([*command, *options])
        last, since = first, time.monotonic()
        while worker.poll() is None and time.monotonic() - since < LIMIT_S + 180 * (last == first):
            time.sleep(0.5)
            if (now := len(_done(lines))) != last:
                last, since = now, time.monotonic()
        hangs = worker.poll() is None
        worker.kill()
        worker.wait()
        last = len(_done(lines))
        if last < cases:
            if not hangs and last == first and worker.returncode == 1:
                raise SystemExit("the worker does not start")
            _note(lines, {"case": last, "outcome": "hang" if hangs else "crash", "told": f"exit {worker.returncode}"})


def work(first: int, cases: int, lines: Path, bundle_path: Path | None) -> None:
    """Do cases in this process, a line of results each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_GB * 2**30, MEMORY_GB * 2**30))
    warnings.simplefilter("ignore")
    files = runpy.run_path(str(HERE / "fuzz_files.py"))
    judge = Judge(files, bundle_path)
    for number in range(first, cases):
        with tempfile.TemporaryDirectory() as folder:
            case = files["make_case"](number, Path(folder), judge.pattern)
            started = time.process_time()
            with heard() as words:
                outcome, told = judge(case)
            cpu_s = round(time.process_time() - started, 3)
        if words and outcome not in FAULTS:
            outcome, told = "chatter", words[0][:LINE]
        row = {"case": number, "kind": case.kind, "damage": case.damage, "outcome": outcome, "told": told}
        _note(lines, {**row, "cpu_s": cpu_s})


@contextmanager
def heard() -> Iterator[list[str]]:
    """What libraries print meanwhile, in Python or below it: users see one line, and programs read JSON."""
    words: list[str] = []
    with tempfile.TemporaryFile() as file:
        before = [os.dup(stream) for stream in (1, 2)]
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
        try:
            yield words
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for stream, kept in zip((1, 2), before, strict=True):
                os.dup2(kept, stream)
                os.close(kept)
            file.seek(0)
            if text := file.read().decode(errors="replace").strip():
                words.append(text)


class Judge:
    """What becomes of a file."""

    def __init__(self, files: dict[str, Any], bundle_path: Path | None) -> None:
        self.bundle, self.odd = None, set(files["ODD"])
        if bundle_path is None:
            self.pattern = tifffile.imread(EXAMPLE)[::4, ::4]
            return
        from pacbed.bundle.reader import load_bundle
        from pacbed.patterns import Geometry

        self.bundle = load_bundle(bundle_path)
        trained = self.bundle.meta.trained
        self.alpha, self.truth = ALPHA * trained.convergence_mrad[0], THICKNESS * trained.thickness_nm[1]
        geometry = Geometry(files["SHAPE"], files["PIXEL_MRAD"], (31.0, 32.5), 20.0)
        image = self.bundle.renderer.render(
            thickness_nm=self.truth, convergence_mrad=self.alpha, mistilt_mrad=(0.5, 0.3), geometry=geometry
        )
        self.pattern = np.random.default_rng(0).poisson(image * (2e6 / image.sum()) + 20).astype(np.uint16)

    def __call__(self, case: Any) -> tuple[str, str]:
        """Outcome and what is told, as the commands tell it."""
        from pacbed.analysis.report.inspection.recorded import look_at, recorded_lines
        from pacbed.errors import PacbedError

        try:
            look = look_at(case.path)
            if self.bundle is None or look.scan is not None:
                return "read", recorded_lines(look)[0]
            return self._predicted(case)
        except PacbedError as error:
            lines = str(error)
            return ("several lines" if "\n" in lines or len(lines) > LINE else "one line"), lines[:LINE]
        except Exception:
            return "traceback", traceback.format_exc()[-2000:]

    def _predicted(self, case: Any) -> tuple[str, str]:
        from pacbed.analysis.options import PredictOptions
        from pacbed.analysis.predict import analyse

        result = analyse(self.bundle, case.path, PredictOptions(convergence_mrad=self.alpha)).result
        found = result.thickness_nm
        told = f"{found}: {'; '.join(result.reasons)}"
        right = found is not None and abs(found.value - self.truth) <= max(1.0, 3 * (found.std or 0))
        wrong = case.damage in self.odd or not right
        return ("wrong ok" if result.verdict == "ok" and wrong else result.verdict), told[:LINE]


def _done(lines: Path) -> list[str]:
    return lines.read_text(encoding="utf-8").splitlines() if lines.exists() else []


def _note(lines: Path, row: dict[str, Any]) -> None:
    with lines.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def summary(rows: list[dict[str, Any]], bundle: str) -> dict[str, Any]:
    """Counts by format and outcome, and the faults."""
    kinds = sorted({row.get("kind", "?") for row in rows})
    counts = {kind: Counter(row["outcome"] for row in rows if row.get("kind", "?") == kind) for kind in kinds}
    faults = [row for row in rows if row["outcome"] in FAULTS]
    return {
        "cases": len(rows),
        "bundle": bundle,
        "counts": {kind: {outcome: count[outcome] for outcome in OUTCOMES} for kind, count in counts.items()},
        "slowest_cpu_s": max((row.get("cpu_s", 0.0) for row in rows), default=0.0),
        "faults": [{key: row.get(key, "") for key in ("case", "kind", "damage", "outcome")} for row in faults],
    }


def markdown(figures: dict[str, Any]) -> str:
    """The table."""
    shown = [name for name in OUTCOMES if name not in FAULTS or any(row[name] for row in figures["counts"].values())]
    lines = [
        "# Damaged files",
        "",
        f"Measured by `python benchmarks/fuzz.py`: {figures['cases']:,} seeded files, whole ones of odd values and",
        "damaged ones of every format, read as `pacbed inspect` reads them and predicted with",
        f"{figures['bundle'] or 'no bundle (reading alone)'}. `one line` is an error of one line; `read` is a scan, or",
        f"a pattern that was not predicted. {len(figures['faults'])} faults: tracebacks, hangs, crashes, errors of",
        "several lines, answers that are wrong and say `ok`. The slowest case took",
        f"{figures['slowest_cpu_s']:.1f} s of CPU.",
        "",
        f"| format | {' | '.join(shown)} |",
        f"|---|{'---:|' * len(shown)}",
        *(f"| {kind} | {' | '.join(str(row[name]) for name in shown)} |" for kind, row in figures["counts"].items()),
    ]
    total = {name: sum(row[name] for row in figures["counts"].values()) for name in shown}
    lines.append(f"| all | {' | '.join(str(total[name]) for name in shown)} |")
    if figures["faults"]:
        lines += ["", "| case | format | damage | fault |", "|---:|---|---|---|"]
        lines += [f"| {f['case']} | {f['kind']} | {f['damage']} | {f['outcome']} |" for f in figures["faults"]]
    return "\n".join(lines) + "\n"


def _rows(lines: Path) -> Iterator[dict[str, Any]]:
    for line in _done(lines):
        yield json.loads(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument(
        "--bundle", type=Path, default=Path("au110_200kv"), help="a file, or the name of one that ships"
    )
    parser.add_argument("--reading", action="store_true", help="do not predict")
    parser.add_argument("--fresh", action="store_true", help="forget what was done before")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--lines", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    bundle = None if args.reading else args.bundle
    if args.worker is not None:
        work(args.worker, args.cases, args.lines, bundle)
        return
    RESULTS.mkdir(parents=True, exist_ok=True)
    lines = RESULTS / f"{'reading' if bundle is None else bundle.stem}.jsonl"
    if args.fresh:
        lines.unlink(missing_ok=True)
    run(args.cases, ["--reading"] if bundle is None else ["--bundle", str(bundle)], lines)
    figures = summary(list(_rows(lines))[: args.cases], "" if bundle is None else f"`{bundle.stem}`")
    (HERE / "fuzz.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (HERE / "fuzz.md").write_text(markdown(figures), encoding="utf-8")
    print((HERE / "fuzz.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
