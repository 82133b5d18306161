"""The figures of `accuracy.py` as a page: a table of errors against noise per system, and the details at one level."""

from __future__ import annotations

from pacbed.evaluation.answers import KINDS, METHODS
from pacbed.evaluation.errors_plot import LABELS

DETAIL = ("0.05", "1e5 e")
TITLES = {
    "rendered": "rendered from the table, held-out series",
    "direct": "summed from plane waves, not from the table",
    "varied": "of crystals drawn from the thickness budget (displacements, absorption, voltage, lattice)",
    "phonons": "of displaced atoms, elastic and diffuse",
}
COLUMNS = (
    # key, head, factor, decimals
    ("thickness_mean_nm", "mean [nm]", 1, 2),
    ("thickness_median_nm", "median [nm]", 1, 3),
    ("thickness_beyond_3_nm", "> 3 nm [%]", 100, 1),
    ("ok_beyond_3_nm", "of ok [%]", 100, 1),
    ("candidate_within_2_nm", "candidate [%]", 100, 1),
    ("coverage_50", "50 %", 100, 0),
    ("coverage_90", "90 %", 100, 0),
    ("coverage_95", "95 %", 100, 0),
    ("coverage_statistical_68", "stat. 68 %", 100, 0),
    ("coverage_statistical_90", "stat. 90 %", 100, 0),
    ("error_over_floor", "/ floor", 1, 2),
    ("mistilt_median_mrad", "mistilt [mrad]", 1, 3),
    ("scale_median_percent", "scale [%]", 1, 2),
    ("cpu_s", "CPU [s]", 1, 2),
)


def markdown(figures: dict) -> str:
    """Page of all systems measured."""
    lines = [
        "# Accuracy",
        "",
        f"Measured by `python benchmarks/accuracy.py` on {figures['machine']}. Noise is the standard deviation over",
        "the pattern's maximum per pixel of 200 x 200, or counted electrons in the pattern. Least squares know frame,",
        "scale and rotation; all other methods do not. The floor is the Cramér-Rao bound, a standard deviation;",
        "`/ floor` is 1.48 times the median of |error / floor|. `candidate`: truth within 2 nm of one of the method's",
        "candidates, three at most. `of ok`: answers beyond 3 nm among those whose verdict is ok. Per cents under a",
        "nominal coverage are the observed ones. Patterns are 2 nm thick or more.",
    ]
    for name, kinds in figures["systems"].items():
        lines += ["", f"## {name}"]
        for kind in KINDS:
            if kind in kinds:
                lines += _kind(name, kind, kinds[kind])
        lines += ["", f"![calibration](accuracy/{name}_calibration.png)"]
    return "\n".join(lines) + "\n"


def _kind(name: str, kind: str, methods: dict) -> list[str]:
    levels = list(next(iter(methods.values())))
    count = max(entry["patterns"] for by_level in methods.values() for entry in by_level.values())
    lines = ["", f"### {count} patterns {TITLES[kind]}", "", "Median thickness error [nm] against noise.", ""]
    lines += [f"| | {' | '.join(levels)} |", "|---" + "|---:" * len(levels) + "|"]
    for method in (*METHODS, "floor"):
        if method in methods:
            cells = [_cell(methods[method].get(level, {}).get("thickness_median_nm"), 1, 3) for level in levels]
            lines.append(f"| {LABELS[method]} | {' | '.join(cells)} |")
    for level in DETAIL:
        lines += _details(methods, level)
    return [*lines, "", f"![errors](accuracy/{name}_{kind}.png)"]


def _details(methods: dict, level: str) -> list[str]:
    shown = {method: methods[method][level] for method in METHODS if level in methods.get(method, {})}
    if not shown:
        return []
    lines = ["", f"At noise {level}:", "", f"| | answered | {' | '.join(head for _, head, *_ in COLUMNS)} |"]
    lines.append("|---" + "|---:" * (len(COLUMNS) + 1) + "|")
    for method, entry in shown.items():
        cells = [f"{entry['answered']} of {entry['patterns']}"]
        cells += [_cell(entry[key], factor, decimals) for key, _, factor, decimals in COLUMNS]
        lines.append(f"| {LABELS[method]} | {' | '.join(cells)} |")
    ranges = list(dict.fromkeys(name for entry in shown.values() for name in entry["by_thickness_nm"]))
    lines += ["", f"Mean / median error [nm] by thickness [nm], noise {level}:", ""]
    lines += [f"| | {' | '.join(ranges)} |", "|---" + "|---:" * len(ranges) + "|"]
    for method, entry in shown.items():
        found = [entry["by_thickness_nm"].get(name, {}) for name in ranges]
        cells = [f"{_cell(one.get('mean_nm'), 1, 2)} / {_cell(one.get('median_nm'), 1, 2)}" for one in found]
        lines.append(f"| {LABELS[method]} | {' | '.join(cells)} |")
    return lines


def _cell(value: float | None, factor: float, decimals: int) -> str:
    return "" if value is None else f"{factor * value:.{decimals}f}"
