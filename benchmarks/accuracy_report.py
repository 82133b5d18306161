"""The figures of `accuracy.py` as a page: a table of errors against noise per system, and the details at one level."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pacbed.evaluation.answers import DIRECT, KINDS, METHODS, PHONONS, RENDERED, VARIED
from pacbed.evaluation.errors_plot import LABELS

DETAIL = ("0.05", "1e5 e")
SHARES = {"rutile_80kv": {"0": 99, "0.1": 98}, "srtio3_300kv": {"0": 98, "0.1": 95}}  # of candidates, required [%]
NETWORKS, FIT = "networks", "match_refinement"
OWN_PHYSICS = (RENDERED, DIRECT)  # there only noise parts an answer from the truth
NOMINAL = (85.0, 95.0)  # what may be observed of 90 % [%]
MOST_OVER_FLOOR = 1.5
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
        "nominal coverage are the observed ones. Patterns are 2 nm thick or more. **What is required and missed** is",
        "bold. The whole error bar also holds what effects on a picture would move and what is not known of a crystal;",
        "patterns of this page have neither, so that it holds more of them than it promises: what is required is asked",
        "of its part from noise (`std_statistical`). Where crystals are drawn from the budget, the budget's shares of",
        "what was drawn count as well; bonding, its largest, is not among them.",
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
    lines += _required(name, kind, methods, levels)
    for level in DETAIL:
        lines += _details(methods, level)
    return [*lines, "", f"![errors](accuracy/{name}_{kind}.png)"]


class Required(NamedTuple):
    """A row of what is required: how it is called, whose figure it is and how it is written, and when it is reached."""

    text: str
    method: str
    key: str
    factor: float
    decimals: int
    reached: Callable[[str, float], bool]


def _required(name: str, kind: str, methods: dict, levels: list[str]) -> list[str]:
    """What is required of networks and fits at each level of noise; what is missed is bold."""
    lines = ["", f"| required | {' | '.join(levels)} |", "|---" + "|---:" * len(levels) + "|"]
    for row in _rows(kind, SHARES.get(name, {})):
        entries = [methods.get(row.method, {}).get(level, {}) for level in levels]
        cells = []
        for level, entry in zip(levels, entries, strict=True):
            value = entry.get(row.key)
            shown = _cell(value, row.factor, row.decimals)
            cells.append(shown if value is None or row.reached(level, row.factor * value) else f"**{shown}**")
        count = max((entry.get("answered", 0) for entry in entries), default=0)
        lines.append(f"| {row.text}, n = {count} | {' | '.join(cells)} |")
    return lines


def _rows(kind: str, shares: dict[str, float]) -> list[Required]:
    said = " / ".join(f"{least} at {level}" for level, least in shares.items())
    near = f"networks: a candidate within 2 nm [%]{said and f' (≥ {said})'}"
    held, key = ("noise", "statistical") if kind != VARIED else ("noise and of what was drawn", "drawn")
    inside = f"truth within 1.64 deviations of {held} [%] (85 to 95"
    inside_of_fit = Required(f"fit: {inside} with noise)", FIT, f"coverage_{key}_90", 100, 1, _is_nominal_with_noise)
    floor = "fit: error / floor (≤ 1.5 with noise)"
    rows = [
        Required(near, NETWORKS, "candidate_within_2_nm", 100, 1, lambda level, value: value >= shares.get(level, 0)),
        Required(f"networks: {inside})", NETWORKS, f"coverage_{key}_90", 100, 1, _is_nominal),
    ]
    if kind in OWN_PHYSICS:
        rows.append(Required(floor, FIT, "error_over_floor", 1, 2, lambda level, value: value <= MOST_OVER_FLOOR))
    if kind != PHONONS:  # there the fit's noise is not all that parts it from the truth
        rows.append(inside_of_fit)
    whole = "fit: truth in the 90 % interval of the whole error bar [%]"
    return [*rows, Required(whole, FIT, "coverage_90", 100, 1, lambda level, value: True)]


def _is_nominal_with_noise(level: str, value: float) -> bool:
    return level == "0" or _is_nominal(level, value)


def _is_nominal(level: str, value: float) -> bool:
    return NOMINAL[0] <= value <= NOMINAL[1]


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
