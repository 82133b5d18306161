"""Formats of recordings: what stands behind the claim that each is read, and whether it is read rightly.

    make bench-formats

writes one pattern, and a scan of noisy patterns that all differ, in every format, and reads them back: is every count
in its place, is the calibration what was written, does `predict` give the thickness that it gives to the plain array,
does a scan stay in its file? Writes ``benchmarks/formats.json`` and ``benchmarks/formats.md``. No microscope's own
files are here but those in the folder that PACBED_EXPERIMENTAL_DIR names; what was found there is kept without it.
What was measured before is kept in results/formats/, so that a run that was stopped goes on.
"""

from __future__ import annotations

import json
import os
import tempfile
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from format_files import CONVERGENCE_MRAD, ENERGY_KEV, FORMATS, HUGE, LAYOUT, LIBRARY, STEP_MRAD, Format

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import Pattern, read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.logs import progress
from pacbed.outputs import KeptLines, write_json, write_text
from pacbed.patterns import Geometry

HERE = Path(__file__).resolve().parent
FIGURES, PAGE = HERE / "formats.json", HERE / "formats.md"
BUNDLE, THICKNESS_NM = "rutile_80kv", 24.0
SHAPE, SCAN, LONG_SCAN, PLACE = (112, 128), (3, 4), (12, 20), (2, 1)
ELECTRONS = 3e6
SAME_NM = 0.01  # thicknesses that differ by less are one: a pixel size is rounded in some files
LAZY = 0.25  # of a scan in memory at once, at most, while one pattern is read


class Films:
    """What is written: a pattern as it would be counted, over and over."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._answers: dict[tuple, float] = {}

    def counts(self, shape: tuple[int, int], frames: int = 1) -> np.ndarray:
        """Patterns that differ by their noise, shape (frame, y, x), uint16."""
        geometry = Geometry(shape, STEP_MRAD, (shape[1] / 2 + 1.5, shape[0] / 2 - 2.5), 20.0)
        image = self.bundle.renderer.render(
            thickness_nm=THICKNESS_NM,
            convergence_mrad=CONVERGENCE_MRAD,
            mistilt_mrad=(0.8, 0.4),
            geometry=geometry,
            blur_mrad=0.4,
        )
        mean = image * (ELECTRONS / image.sum()) + 2.0
        return np.random.default_rng(0).poisson(mean, (frames, *shape)).astype(np.uint16)

    def thickness_nm(self, pattern: Pattern | Path, options: PredictOptions) -> float:
        """What the bundle answers [nm]."""
        known = options if options.convergence_mrad else replace(options, convergence_mrad=CONVERGENCE_MRAD)
        found = analyse(self.bundle, pattern, known).result.thickness_nm
        assert found is not None
        return found.value

    def expected_nm(self, array: np.ndarray, stated: Calibration) -> float:
        """The same of the plain array, told what a file states [nm]."""
        key = (array.tobytes(), stated)
        if key not in self._answers:
            known = PredictOptions(energy_kev=stated.energy_kev, pixel_mrad=stated.pixel_at(stated.energy_kev or 80.0))
            self._answers[key] = self.thickness_nm(Pattern(array.astype(np.float32)), known)
        return self._answers[key]


def measure(films: Films, one: Format, folder: Path) -> dict[str, Any]:
    """Everything about one format."""
    row: dict[str, Any] = {"format": one.name, "behind": one.behind, "writer": one.writer, "whole": one.whole}
    try:
        if one.pattern is not None:
            row |= _pattern(films, one, _inside(folder, "pattern"))
        if one.scan is not None:
            row["scan"] = _scan(films, one, _inside(folder, "scan"))
            row["in_memory"] = _in_memory(films, one, _inside(folder, "long"))
        if one.huge is not None:
            row["huge"] = _huge(one, _inside(folder, "huge"))
    except Exception as error:  # of a writer or a reader; the page shows it
        row["error"] = f"{type(error).__name__}: {error}".replace(f"{folder}/", "").replace("\n", " ")
    return row


def _inside(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _written(films: Films, one: Format, frames: int) -> np.ndarray:
    """What a format can hold of some patterns, shape (frame, y, x)."""
    counts = films.counts((128, 128) if one.square else SHAPE, frames)
    return (counts // (counts.max() // 256 + 1)).astype(np.uint8) if one.eight_bits else counts


def _pattern(films: Films, one: Format, folder: Path) -> dict[str, Any]:
    assert one.pattern is not None
    image = _written(films, one, 1)[0]
    file = one.pattern(folder, image)
    found = read_pattern(file)
    return _compared(films, one, found, image, one.stated) | {
        "predict_nm": films.thickness_nm(file, PredictOptions()) - films.expected_nm(image, one.stated)
    }


def _scan(films: Films, one: Format, folder: Path) -> dict[str, Any]:
    assert one.scan is not None
    frames = _written(films, one, SCAN[0] * SCAN[1])
    shape = SCAN if one.series else None
    file = one.scan(folder, frames.reshape(*SCAN, *frames.shape[1:]))
    stated, number = one.of_scan or one.stated, int(np.ravel_multi_index(PLACE, SCAN))
    with open_scan(file, dataset=one.dataset, scan_shape=shape) as opened:
        shapes = opened.scan_shape == SCAN and opened.pattern_shape == frames.shape[1:]
        found = Pattern(opened.mean(*PLACE, 1), opened.calibration)
    wanted = frames[number].astype(np.float32)
    if one.bad_pixel:
        wanted[3, 4] = np.nan
    row = _compared(films, one, found, wanted, stated)
    chosen = PredictOptions(dataset=one.dataset, frame=PLACE, scan_shape=shape)
    row["predict_nm"] = films.thickness_nm(file, chosen) - films.expected_nm(wanted, stated)
    return row | {"axes": row["axes"] and shapes}


def _compared(films: Films, one: Format, found: Pattern, wanted: np.ndarray, stated: Calibration) -> dict[str, Any]:
    close = 0.1 * float(np.nanmax(wanted)) if one.lossy else 0.0
    same = found.array.shape == wanted.shape and np.allclose(found.array, wanted, rtol=0, atol=close, equal_nan=True)
    return {"axes": bool(same), "calibration": _alike(found.calibration, stated)}


def _alike(found: Calibration, stated: Calibration) -> bool:
    """Whether a file states what was written, and nothing else."""
    for name in ("pixel_mrad", "pixel_per_nm", "energy_kev", "convergence_mrad"):
        got, wanted = getattr(found, name), getattr(stated, name)
        if name == "pixel_mrad" and stated.pixel_per_nm is not None:
            continue  # follows from the spatial frequency where the energy is known
        if (got is None) != (wanted is None) or (got is not None and not np.isclose(got, wanted, rtol=1e-4)):
            return False
    return not found.trouble


def _in_memory(films: Films, one: Format, folder: Path) -> float:
    """Largest share of a longer scan that is in memory while one of its patterns is read."""
    assert one.scan is not None
    rows, columns = LONG_SCAN
    frames = np.repeat(_written(films, one, 1), rows * columns, axis=0)
    file = one.scan(folder, frames.reshape(rows, columns, *frames.shape[1:]))
    return _peak(lambda: _read_one(file, one.dataset, LONG_SCAN if one.series else None)) / frames.nbytes


def _huge(one: Format, folder: Path) -> dict[str, float]:
    """Gigabytes that a file declares, and megabytes that are in memory while one of its patterns is read."""
    assert one.huge is not None
    file = one.huge(folder)
    with open_scan(file) as opened:
        declared = float(np.prod(opened.values.shape, dtype=float) * opened.values.dtype.itemsize)
    return {"declared_gb": declared / 1e9, "peak_mb": _peak(lambda: _read_one(file, None, None)) / 1e6}


def _read_one(file: Path, dataset: str | None, scan_shape: tuple[int, int] | None) -> None:
    with open_scan(file, dataset=dataset, scan_shape=scan_shape) as opened:
        opened.mean(1, 2, 1)


def _peak(read: Callable[[], None]) -> float:
    """Memory that is asked for meanwhile [bytes]; the second time, as the first loads a library."""
    read()
    tracemalloc.start()
    read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(peak)


def real_files() -> dict[str, int]:
    """Files of microscopes that are read, by suffix, in the folder that PACBED_EXPERIMENTAL_DIR names."""
    found: Counter[str] = Counter()
    for file in sorted(Path(os.environ["PACBED_EXPERIMENTAL_DIR"]).rglob("*")):
        if file.is_file() and file.suffix not in (".md", ".txt"):
            read_pattern(file)  # a file that is not read ends the run
            found[file.suffix] += 1
    return dict(found)


def right(row: dict[str, Any]) -> bool:
    """Whether all that was tried of a format came out as it should."""
    parts = [part for part in (row if "axes" in row else None, row.get("scan")) if part]
    lazy = row.get("whole") or row.get("in_memory", 0.0) <= LAZY
    return "error" not in row and bool(lazy) and all(part["axes"] and part["calibration"] for part in parts)


def markdown(figures: dict[str, Any]) -> str:
    """The table."""
    rows = figures["formats"]
    real = ", ".join(f"{count} `{suffix}`" for suffix, count in figures["real"].items()) or "none"
    behind = Counter(row["behind"] for row in rows if "error" not in row)
    lines = [
        "# Formats of recordings",
        "",
        "Measured by `make bench-formats`: a pattern, and a scan whose patterns all differ, written in every format,",
        "and read back. *Axes*: every count is in its place, scan and pattern told apart. *Calibration*: pixel size,",
        "energy and convergence angle are those that were written; nothing is made up where the format has none.",
        f"*Predict*: thickness from the file less that from the plain array [nm], by `{BUNDLE}`. *In memory*: largest",
        f"share of a scan of {LONG_SCAN[0]} x {LONG_SCAN[1]} patterns that is in memory while one is read.",
        "",
        f"Who wrote the files: another library's writer those of {behind[LIBRARY]} rows, these scripts those of",
        f"{behind[LAYOUT]}, byte by byte or group by group after the published layout. Files of microscopes that were",
        f"read: {real}.",
        "",
        "| format | written by | axes | calibration | predict [nm] | of a scan: axes | calibration | predict [nm] |"
        " in memory |",
        "|---|---|---|---|---:|---|---|---:|---:|",
        *(_line(row) for row in rows),
        "",
        *(f"- **{row['format']}**: {row['error']}" for row in rows if "error" in row),
        *(f"- **{row['format']}**, scan: {row['whole']}" for row in rows if row.get("whole")),
    ]
    huge = [row for row in rows if "huge" in row]
    lines += [
        "",
        "Files that declare more than any memory holds, and what is in memory while one of their patterns is read:",
        "",
        "| format | declared [GB] | in memory [MB] |",
        "|---|---:|---:|",
        *(f"| {row['format']} | {row['huge']['declared_gb']:.0f} | {row['huge']['peak_mb']:.2f} |" for row in huge),
    ]
    return "\n".join(lines) + "\n"


def _line(row: dict[str, Any]) -> str:
    writer = row["writer"] if row["behind"] == LIBRARY else f"these scripts ({row['writer']})"
    share = f"{100 * row['in_memory']:.1f} %" if "in_memory" in row else ""
    cells = [row["format"], writer, *_cells(row), *_cells(row.get("scan", {})), share]
    return f"| {' | '.join(cells)} |"


def _cells(part: dict[str, Any]) -> list[str]:
    if "axes" not in part:
        return ["", "", ""]
    words = ["right" if part[name] else "**WRONG**" for name in ("axes", "calibration")]
    return [*words, "0" if abs(part["predict_nm"]) < SAME_NM else f"{part['predict_nm']:+.3f}"]


def main() -> None:
    kept = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {"real": {}}
    films = Films(load_bundle(BUNDLE))
    book = KeptLines(HERE.parent / "results" / "formats" / f"{BUNDLE}.jsonl", {"bundle": films.bundle.sha256})
    done, rows = {row["format"]: row for row in book.rows}, []
    assert films.bundle.meta.energy_kev == ENERGY_KEV
    with warnings.catch_warnings(action="ignore"):
        for one in progress(FORMATS, total=len(FORMATS), label="formats tried"):
            if one.name not in done:
                with tempfile.TemporaryDirectory() as folder:
                    done[one.name] = measure(films, one, Path(folder))
                book.append([done[one.name]])
            rows.append(done[one.name])
    real = real_files() if "PACBED_EXPERIMENTAL_DIR" in os.environ else kept["real"]
    figures = {"bundle": BUNDLE, "huge_shape": HUGE, "real": real, "formats": rows}
    write_json(figures, FIGURES)
    write_text(markdown(figures), PAGE)
    print(PAGE.read_text(encoding="utf-8"))
    if wrong := [row["format"] for row in rows if not right(row) and "mrcz" not in row.get("error", "")]:
        raise SystemExit(f"not as it should be: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
