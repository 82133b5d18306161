"""What the program says to bad and misleading input: right, wrong, doubtful, refused, an error or a traceback.

    make bench-refusals

Pictures of known thickness in which one thing is wrong, pictures that are no pattern, files and commands that cannot be
answered: `refusal_cases.py`. Answers are kept in results/refusals/, so that a run that was stopped goes on
(``--fresh`` forgets them). Specimens are those of `experiment.py`, computed if they are not there, some ten minutes.
Writes ``benchmarks/refusals.json``, ``benchmarks/refusals.md`` and ``benchmarks/refusals.png``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from experiment import Place
from matplotlib.figure import Figure
from refusal_cases import (
    FILE,
    FILES,
    NOTHING,
    PICTURE,
    PICTURES,
    THICKNESSES_NM,
    Case,
    file_cases,
    nothing_cases,
    picture_cases,
)

from pacbed.analysis.predict import analyse
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.report.map_dataset import map_dataset
from pacbed.bundle.reader import load_bundle
from pacbed.errors import PacbedError
from pacbed.figures import save_figure
from pacbed.logs import progress
from pacbed.outputs import KeptLines, write_json, write_text

HERE = Path(__file__).resolve().parent
FIGURES, PAGE, PICTURE_FILE = (HERE / f"refusals.{suffix}" for suffix in ("json", "md", "png"))
BUNDLE = "rutile_80kv"
CLOSE_NM, CLOSE_SHARE = 1.0, 0.03  # what counts as right: the larger
RIGHT, WRONG, DOUBT_RIGHT, DOUBT_WRONG = "ok and right", "ok and WRONG", "doubtful, right", "doubtful, wrong"
REFUSED, ONE_LINE, TRACEBACK = "refused", "one line", "traceback"
OUTCOMES = (RIGHT, WRONG, DOUBT_RIGHT, DOUBT_WRONG, REFUSED, ONE_LINE, TRACEBACK)
COLOURS = dict(
    zip(OUTCOMES, ("green", "red", "darkorange", "darkorange", "darkorange", "steelblue", "red"), strict=True)
)
TOLD = 160  # characters of a reason that are kept
COLUMNS = 10


def answer(bundle: Any, case: Case) -> dict[str, Any]:
    """What is said of a case."""
    started = time.process_time()
    row = {"family": case.family, "kind": case.kind, "truth_nm": case.truth_nm} | _asked(bundle, case)
    return row | {"readable": case.readable, "cpu_s": round(time.process_time() - started, 2)}


def _asked(bundle: Any, case: Case) -> dict[str, Any]:
    try:
        if case.command == "map":
            map_dataset(
                bundle, case.path, case.options, out_dir=case.path.parent / "m", out_png=case.path.parent / "m.png"
            )
            return {"outcome": WRONG, "told": "mapped"}
        result = analyse(bundle, case.path, case.options).result
    except PacbedError as error:
        text = str(error).replace(str(case.path.parent), "...")
        return {"outcome": TRACEBACK if "\n" in text else ONE_LINE, "told": text[:TOLD]}
    except Exception:
        return {"outcome": TRACEBACK, "told": traceback.format_exc(limit=-2)[-TOLD:]}
    found, told = result.thickness_nm, "; ".join(result.reasons)[:TOLD]
    if result.verdict == "refused" or found is None:
        return {"outcome": REFUSED, "told": told}
    right = case.truth_nm is not None and abs(found.value - case.truth_nm) <= max(CLOSE_NM, CLOSE_SHARE * case.truth_nm)
    ok = result.verdict == "ok"
    outcome = (RIGHT if right else WRONG) if ok else (DOUBT_RIGHT if right else DOUBT_WRONG)
    inside = case.truth_nm is not None and found.interval_90[0] <= case.truth_nm <= found.interval_90[1]
    answered = {"value_nm": round(found.value, 2), "std_nm": round(found.std, 2), "inside_90": bool(inside)}
    return {"outcome": outcome, "told": told, **answered}


def cases(place: Place, folder: Path, depths: int) -> Iterator[Case]:
    """All of them, pictures at so many thicknesses."""
    for name in ("nothing", "files", *map(str, THICKNESSES_NM)):
        (folder / name).mkdir()
    areas, (first, *further) = place.areas(), THICKNESSES_NM[:depths]
    pictures = picture_cases(areas, folder / str(first), first)
    good = next(pictures)
    yield good
    yield from pictures
    yield from nothing_cases(folder / "nothing", good.options.convergence_mrad or 0.0)
    yield from file_cases(good, folder / "files")
    for depth in further:
        yield from picture_cases(areas, folder / str(depth), depth)


def fault(row: dict[str, Any]) -> bool:
    """What must not be: a wrong `ok`, a traceback, a file that can be read and is not, one that cannot and is."""
    if row["outcome"] in (WRONG, TRACEBACK):
        return True
    answered = row["outcome"] in (RIGHT, DOUBT_RIGHT, DOUBT_WRONG)
    return row["family"] == FILE and answered != row["readable"] and row["kind"] != "vacuum pattern saturated"


def markdown(figures: dict[str, Any]) -> str:
    """The matrix."""
    rows = figures["rows"]
    faults = [row for row in rows if fault(row)]
    covered = [row["inside_90"] for row in rows if row["outcome"] == RIGHT]
    lines = [
        "# Bad and misleading input",
        "",
        f"Measured by `make bench-refusals` with `{figures['bundle']}`. Base patterns are of displaced atoms (frozen",
        "phonons), 1e6 electrons if nothing else is said; `refusal_cases.py` says how each input is made. Right is a",
        f"thickness within {CLOSE_NM:g} nm or {100 * CLOSE_SHARE:g} %. Thicknesses in nm: truth → answer ± deviation.",
        f"{len(faults)} faults: an `ok` that is wrong, a traceback, an answer where there can be none.",
        f"Of {len(covered)} answers that are ok and right, the 90 % interval holds the truth of {sum(covered)}.",
        f"All inputs took {figures['cpu_s']:.0f} s of CPU.",
        "",
        "| | inputs | " + " | ".join(OUTCOMES) + " |",
        "|---|---:|" + "---:|" * len(OUTCOMES),
    ]
    for family in (PICTURE, NOTHING, FILE):
        count = Counter(row["outcome"] for row in rows if row["family"] == family)
        lines.append(f"| {family} | {count.total()} | {' | '.join(str(count[name]) for name in OUTCOMES)} |")
    depths = max(Counter(row["kind"] for row in rows if row["family"] == PICTURE).values())
    kinds = list(dict.fromkeys(row["kind"] for row in rows if row["family"] == PICTURE))
    lines += [
        "",
        "![inputs and answers](refusals.png)",
        "",
        "## Patterns",
        "",
        f"| what is wrong |{' |' * depths}",
        f"|---|{'---|' * depths}",
    ]
    for kind in kinds:
        cells = [_cell(row) for row in rows if row["kind"] == kind and row["family"] == PICTURE]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    for family, title in ((NOTHING, "No pattern"), (FILE, "Files and commands")):
        lines += ["", f"## {title}", "", "| input | outcome | what is said |", "|---|---|---|"]
        for row in (row for row in rows if row["family"] == family):
            told = row["told"].replace("|", "/").replace("\n", " ")
            lines.append(f"| {row['kind']} | {_emphasised(row)} | {told} |")
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any]) -> str:
    if "value_nm" not in row:
        return f"{row['truth_nm']:.1f}: {_emphasised(row)}"
    return f"{row['truth_nm']:.1f} → {row['value_nm']:.1f} ± {row['std_nm']:.1f}: {_emphasised(row)}"


def _emphasised(row: dict[str, Any]) -> str:
    return f"**{row['outcome']}**" if fault(row) else row["outcome"]


def draw(shown: list[tuple[dict[str, Any], np.ndarray]], out_png: Path) -> None:
    """One picture of every kind, with what is said of it."""
    rows = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(1.75 * COLUMNS, 2.15 * rows), layout="constrained")
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, (row, picture) in zip(axes, shown, strict=False):
        low, high = np.nanpercentile(picture, [1, 99.7])
        axis.imshow(picture, cmap="gray", vmin=low, vmax=max(high, low + 1e-9))
        value = f"{row['value_nm']:.1f} ± {row['std_nm']:.1f} nm" if "value_nm" in row else ""
        truth = "" if row["truth_nm"] is None else f"{row['truth_nm']:.1f} nm"
        answered = " → ".join(part for part in (truth, value) if part)
        axis.set_title(f"{row['kind']}\n{answered}\n{row['outcome']}", fontsize=6.5, color=COLOURS[row["outcome"]])
    save_figure(figure, out_png)


def _picture(case: Case) -> np.ndarray | None:
    """What a case shows; None of what cannot be read."""
    try:
        return read_pattern(case.path).array
    except PacbedError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fresh", action="store_true", help="forget what was answered before")
    parser.add_argument("--report", action="store_true", help="answer nothing, write what there is")
    parser.add_argument("--depths", type=int, default=len(THICKNESSES_NM), help="thicknesses of each kind of picture")
    options = parser.parse_args()
    inputs = len(PICTURES) * options.depths + 11 + len(FILES)
    bundle = load_bundle(BUNDLE)
    place = Place(bundle, HERE.parent / "results" / "experiment" / bundle.meta.system)
    kept = HERE.parent / "results" / "refusals" / f"{BUNDLE}.jsonl"
    if options.fresh:
        kept.unlink(missing_ok=True)
    book, rows, shown = KeptLines(kept, {"bundle": bundle.sha256}), [], []
    known = {(row["kind"], row["truth_nm"]): row for row in book.rows}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        for case in progress(cases(place, Path(folder), options.depths), total=inputs, label="inputs tried"):
            row = known.get((case.kind, case.truth_nm))
            if row is None and options.report:
                continue
            if row is None:
                row = answer(bundle, case)
                book.append([row])
            again = case.kind in [one["kind"] for one in rows]
            rows.append(row)
            if not again and case.family != FILE and (picture := _picture(case)) is not None:
                shown.append((row, picture))
    figures = {"bundle": BUNDLE, "cpu_s": round(sum(row["cpu_s"] for row in rows), 1), "rows": rows}
    write_json(figures, FIGURES)
    write_text(markdown(figures), PAGE)
    draw(shown, PICTURE_FILE)
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
