"""The figures of `experiment.py` as a page."""

from __future__ import annotations

from pathlib import Path

from aims import SAID, cell

HERE = Path(__file__).resolve().parent
SHEETS = {"wrong_ok": "wrong and ok", "doubted": "ordinary and not ok"}
TITLES = {"refined": "with a fit", "alone": "networks alone"}
ROWS = (
    # key, what it is, factor, decimals, what is aimed at
    ("patterns", "patterns", 1, 0, ""),
    ("ok", "of which ok", 1, 0, ""),
    ("right_of_ok", "right, of those that are ok [%]", 100, 1, "≥ 95"),
    ("right_of_ok_ordinary", "the same, ordinary patterns alone [%]", 100, 1, ""),
    ("right_of_all_ordinary", "right, of all ordinary patterns [%]", 100, 1, ""),
    ("not_ok_ordinary", "ordinary patterns that are not ok [%]", 100, 1, "≤ 5"),
    ("not_ok_of_right_ordinary", "right ordinary answers that are not ok [%]", 100, 1, "≤ 5"),
    ("mistilt_of_ok", "mistilt within 0.7 mrad, of ok from 10 nm [%]", 100, 1, "≥ 95"),
    ("coverage_90", "truth inside the 90 % interval, ordinary [%]", 100, 1, "85 to 95"),
    ("cpu_s", "CPU time of an answer [s]", 1, 2, ""),
)
PARTS = ("even", "odd", "all")
COUNTS = (
    ("patterns", "patterns"),
    ("right_ok", "right, ok"),
    ("covered_of_ok", "ok and inside the bar"),
    ("right_not_ok", "right, not ok"),
    ("wrong_not_ok", "wrong, not ok"),
    ("wrong_ok", "**wrong, ok**"),
)


def markdown(figures: dict) -> str:
    """Page of all systems measured."""
    lines = [
        "# Patterns as microscopes deliver them",
        "",
        f"Measured by `make bench-experiment` on {figures['machine']}. Base patterns are of displaced atoms, off every",
        "grid, and no table is in them; `experiment.py` says how they are degraded. Ordinary is what every picture",
        "has: counted electrons (1e4 to 1e7), offset, readout noise, rotation, blur, an ellipse of up to 3 %, shading",
        "of 5 %, a diffuse background of another shape, half of them plasmons. Right is a thickness within 1 nm, 3 %",
        "or three Cramér-Rao bounds, whichever is largest. Thresholds were chosen on patterns of even numbers; figures",
        "count on odd ones. Error bars allow for a wedge, vacuum or spread tilts that the data do not exclude, and for",
        "what is not known of a crystal (displacements, bonding): ordinary patterns have none of these, so that their",
        f"bars hold more of them than they promise. {SAID}",
    ]
    for name, runs in figures["systems"].items():
        for label, parts in runs.items():
            lines += ["", f"## {name}: {label}"]
            for method, title in TITLES.items():
                if parts["all"][method]["patterns"]:
                    lines += _method(title, method, parts)
            lines += _pictures(name, label)
    return "\n".join(lines + _wrong(figures.get("wrong", {}))) + "\n"


def _method(title: str, method: str, parts: dict) -> list[str]:
    lines = ["", f"### {title}", "", f"| | {' | '.join(PARTS)} |", "|---" + "|---:" * len(PARTS) + "|"]
    for key, head, factor, decimals, aim in ROWS:
        values = [parts[part][method][key] for part in PARTS]
        cells = [
            cell(None if value is None else factor * value, aim, text=_cell(value, factor, decimals))
            for value in values
        ]
        lines.append(f"| {head}{f' ({aim})' if aim else ''} | {' | '.join(cells)} |")
    for decade in parts["all"][method]["coverage_90_by_electrons"]:
        found = [parts[part][method]["coverage_90_by_electrons"].get(decade, {}) for part in PARTS]
        cells = [f"{_cell(one.get('coverage_90'), 100, 0)} (n = {one.get('patterns', 0)})" for one in found]
        lines.append(f"| inside the 90 % interval, {decade} electrons up [%] | {' | '.join(cells)} |")
    spread = [parts[part][method]["misfit_of_right"] for part in PARTS]
    if all(spread):
        cells = [" / ".join(f"{value:.3f}" for value in one.values()) for one in spread]
        lines.append(f"| misfit of right answers, 5 / 50 / 95 % | {' | '.join(cells)} |")
    lines += ["", f"| what happened | {' | '.join(head for _, head in COUNTS)} |"]
    lines.append("|---" + "|---:" * len(COUNTS) + "|")
    for kind, counts in parts["all"][method]["kinds"].items():
        lines.append(f"| {kind} | {' | '.join(str(counts[key]) for key, _ in COUNTS)} |")
    return lines


def _pictures(name: str, label: str) -> list[str]:
    lines = []
    for sheet, title in SHEETS.items():
        file = f"experiment/{name}_{label}_{sheet}.png"
        if (HERE / file).is_file():
            lines += ["", f"![{title}]({file})"]
    return lines


def _wrong(runs: dict) -> list[str]:
    lines: list[str] = []
    for label, pairs in runs.items():
        lines += [
            "",
            f"## The wrong crystal, voltage or axis: {label}",
            "",
            "Rendered patterns from 10 nm and 1e6 electrons up, ordinarily degraded. Not ok (≥ 95 % over all, ≥ 80 %",
            "in each pair):",
            "",
            "| asked | shown | with a fit | networks alone |",
            "|---|---|---:|---:|",
        ]
        for asked, shown in pairs.items():
            for other, methods in shown.items():
                cells = [f"{m['patterns'] - m['ok']} of {m['patterns']}" for m in (methods[k] for k in TITLES)]
                lines.append(f"| {asked} | {other} | {' | '.join(cells)} |")
        for method, title in TITLES.items():
            counts = [methods[method] for shown in pairs.values() for methods in shown.values()]
            asked_for = sum(one["patterns"] for one in counts)
            if asked_for:
                share = 100 * (1 - sum(one["ok"] for one in counts) / asked_for)
                lines.append(f"\nOver all, {title}: {share:.1f} % of {asked_for} not ok.")
    return lines


def _cell(value: float | None, factor: float, decimals: int) -> str:
    return "" if value is None else f"{factor * value:.{decimals}f}"
