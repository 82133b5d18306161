"""The figures of `effects.py` as a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest

CLOSE_NM, CLOSE_SHARE = 1.0, 0.03  # what counts as right: the larger
MOST_IN_VAIN = 0.05
ENOUGH = 40  # patterns of a case
LEVEL = 0.95  # of the intervals of shares
WHICH = ("without", "with")


def markdown(figures: dict[str, Any]) -> str:
    """Page of the figures."""
    rows = [row for row in figures["rows"] if "error" not in row]
    refused = len(figures["rows"]) - len(rows)
    least = min(sum(row["case"] == name for row in figures["rows"]) for name in figures["cases"])
    lines = [
        "# Effects on a picture",
        "",
        f"Measured by `make bench-effects` with `{figures['bundle']}`: patterns of displaced atoms, 1e4 to 1e7",
        "electrons, blur of 0.3 to 0.9 mrad, an ellipse of up to 3 %. Brackets hold 95 % intervals of shares (Wilson).",
        *([f"{refused} pictures could not be fitted and are left out."] if refused else []),
        *(["", f"**A trial of the script: some cases have {least} of {ENOUGH} patterns.**"] if least < ENOUGH else []),
        "",
        "## Adopted in vain",
        "",
        f"Nothing has happened to these patterns; an effect is to be adopted in at most {100 * MOST_IN_VAIN:.0f} % of",
        "them. The gain is the fall of the held-out residual; its 95th percentile is what a threshold has to exceed.",
        "",
        "| effect | threshold | even numbers | odd numbers | both | gain, 95th percentile: even | odd |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_in_vain(name, least, rows) for name, least in figures["least_gain"].items()),
        "",
        "## Adopted rightly, and what it is worth",
        "",
        "Error is answer less truth; right is within 1 nm or 3 %. *Without* fits as if nothing had happened; *with* is",
        "what `pacbed predict` does. CPU time is that of the fit, and what the effects add to it.",
        "",
        "| what happened | patterns | adopted | another adopted | median of the error, without → with [nm] |"
        " right, without → with | 90 % interval holds the truth, without → with | CPU, without + with [s] |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(
            _worth(name, effect, [row for row in rows if row["case"] == name])
            for name, effect in figures["cases"].items()
        ),
        "",
        "How often an effect is adopted, by its size:",
        "",
        "| | smaller half | larger half |",
        "|---|---:|---:|",
        *_by_size(figures["cases"], rows),
    ]
    return "\n".join(lines) + "\n"


def _in_vain(name: str, least: float, rows: Sequence[dict[str, Any]]) -> str:
    tried = [(row["number"] % 2, row["tried"][name]) for row in rows if row["case"] == "clean" and name in row["tried"]]
    halves = [[one for half, one in tried if half == which] for which in (0, 1)]
    shares = [share([one["adopted"] for one in group]) for group in (*halves, [one for _, one in tried])]
    gains = [f"{np.percentile([one['gain'] for one in group], 95):.3f}" if group else "" for group in halves]
    return f"| {name.replace('_', ' ')} | {least:g} | {' | '.join([*shares, *gains])} |"


def _worth(name: str, effect: str, rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return f"| {name} | 0 | | | | | | |"
    own = [effect in row["tried"] and row["tried"][effect]["adopted"] for row in rows]
    other = [any(one["adopted"] for key, one in row["tried"].items() if key != effect) for row in rows]
    cells = [
        name,
        str(len(rows)),
        share(own) if effect else "",
        share(other),
        _both(rows, _error_nm, lambda values: f"{np.median(values):.2f}"),
        _both(rows, _right, share),
        _both(rows, _covered, share),
        " + ".join(f"{np.median([row[which]['cpu_s'] for row in rows]):.2f}" for which in WHICH),
    ]
    return f"| {' | '.join(cells)} |"


def _by_size(cases: dict[str, str], rows: Sequence[dict[str, Any]]) -> list[str]:
    """How often the spreads that were drawn are adopted, for the smaller and the larger half of them."""
    lines = []
    for name, effect in cases.items():
        sized = sorted((row for row in rows if row["case"] == name and row["size"] is not None), key=_size)
        if not sized:
            continue
        halves = sized[: len(sized) // 2], sized[len(sized) // 2 :]
        lines.append(f"| {name} | {' | '.join(_half(half, effect) for half in halves)} |")
    return lines


def _half(rows: Sequence[dict[str, Any]], effect: str) -> str:
    if not rows:
        return ""
    sizes = [row["size"] for row in rows]
    return f"{min(sizes):.2g} to {max(sizes):.2g}: {share([row['tried'][effect]['adopted'] for row in rows])}"


def _size(row: dict[str, Any]) -> float:
    return float(row["size"])


def _both(
    rows: Sequence[dict[str, Any]],
    value: Callable[[dict[str, Any], str], Any],
    told: Callable[[list[Any]], str],
) -> str:
    return " → ".join(told([value(row, which) for row in rows]) for which in WHICH)


def _error_nm(row: dict[str, Any], which: str) -> float:
    return abs(float(row[which]["nm"]) - float(row["truth_nm"]))


def _right(row: dict[str, Any], which: str) -> bool:
    return _error_nm(row, which) <= max(CLOSE_NM, CLOSE_SHARE * row["truth_nm"])


def _covered(row: dict[str, Any], which: str) -> bool:
    low, high = row[which]["interval_90_nm"]
    return bool(low <= row["truth_nm"] <= high)


def share(found: Sequence[bool]) -> str:
    """A share in percent with its interval: ``5 % [1, 16]``."""
    if not found:
        return ""
    test = binomtest(sum(found), len(found))
    low, high = test.proportion_ci(LEVEL, method="wilson")
    return f"{100 * test.statistic:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
