"""The figures of `maps.py` as a page, and a map beside its truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from aims import SAID, cell
from matplotlib.figure import Figure

from pacbed.analysis.maps.stored import ThicknessMap
from pacbed.evaluation.scans.wedge import Wedge
from pacbed.figures import save_figure

ROWS = (
    ("refined_per_s", "refined windows a second, warm", "≥ 40"),
    ("refined_ms", "CPU of a refined window [ms]", ""),
    ("refined_s", "the whole map, from start to picture [s]", ""),
    ("networks_per_s", "windows a second by networks alone, warm", "≥ 200"),
    ("networks_ms", "CPU of a window by networks alone [ms]", ""),
    ("full_fits.full_ms", "CPU of a full fit [ms]", ""),
    ("full_fits.within_1_std", "within 1 std of the full fit", "≥ 0.80"),
    ("full_fits.within_2.5_std", "within 2.5 std of the full fit", "≥ 0.95"),
    ("full_fits.far", "beyond max(1 nm, 4 std) of the full fit", "≤ 0"),
    ("truth.error_nm.p50", "error against the truth, median [nm]", ""),
    ("truth.error_nm.p95", "95th percentile [nm]", ""),
    ("truth.error_nm.p100", "largest [nm]", ""),
    ("truth.covered_90", "truth inside the 90 % interval (statistical)", ""),
    ("truth.tilt_error_mrad.p95", "error of the mistilt, 95th percentile [mrad]", ""),
    ("networks_truth.error_nm.p50", "networks alone: error, median [nm]", ""),
    ("networks_truth.error_nm.p95", "networks alone: 95th percentile [nm]", ""),
    ("refined_again", "windows fitted anew", ""),
)


def markdown(figures: dict[str, Any]) -> str:
    """Page of all systems."""
    systems = figures["systems"]
    lines = [
        "# Thickness maps",
        "",
        f"`make bench-maps` on {figures['machine']}: rendered scans of a bent wedge with a step of 8 nm, a hole,",
        "and a grain of another crystal, with descan and counting noise.",
        SAID,
        "",
        f"| | {' | '.join(systems)} |",
        "|---" + "|---:" * len(systems) + "|",
        f"| windows, of {_first(systems, 'pixels')} px and {_first(systems, 'electrons'):g} electrons | "
        + " | ".join(f"{row['windows']}" for row in systems.values())
        + " |",
    ]
    for key, title, aim in ROWS:
        cells = [cell(_at(row, key), aim, text=_number(_at(row, key))) for row in systems.values()]
        lines.append(f"| {title}{f' ({aim})' if aim else ''} | {' | '.join(cells)} |")
    lines += [
        "",
        "What became of the windows, by what is there:",
        "",
        "| | crystal | hole | grain |",
        "|---|---|---|---|",
    ]
    for name, row in systems.items():
        for label, key in ((name, "truth"), (f"{name}, networks alone", "networks_truth")):
            cells = [_counts(row[key]["verdicts"][kind]) for kind in ("crystal", "hole", "grain")]
            lines.append(f"| {label} | {' | '.join(cells)} |")
    for name in systems:
        lines += ["", f"![{name}: truth, map and difference](maps_{name}.png)"]
    lines += ["", "## A thickness that changes inside a window", "", *_slopes(systems)]
    if "large" in figures:
        large = figures["large"]
        lines += [
            "", "## Memory", "",
            f"A scan of {large['file_gb']:.0f} GB, sparse on disk, {large['windows']} windows: "
            f"{large['seconds']:.0f} s, peak {large['peak_gb']:.2f} GB", "in one process (asked: below 2 GB).",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _first(systems: dict[str, Any], key: str) -> Any:
    return next(iter(systems.values()))[key]


def _at(row: dict[str, Any], key: str) -> Any:
    if key in row:
        return row[key]
    first, _, rest = key.partition(".")
    return _at(row[first], rest)


def _number(value: float | int) -> str:
    return f"{value}" if isinstance(value, int) else f"{value:.3g}"


def _counts(verdicts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in verdicts.items()) or "none"


def _slopes(systems: dict[str, Any]) -> list[str]:
    lines = [
        "Windows of 4 x 4 positions over a wedge; the error is against the mean thickness of the window.",
        "",
        "| system | from end to end [nm] | mean error [nm] | RMS error [nm] | std [nm] | misfit | ok |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in systems.items():
        lines += [
            f"| {name} | {one['slope_nm']:g} | {one['mean_nm']:+.2f} | {one['rms_nm']:.2f} | {one['std_nm']:.2f} | "
            f"{one['misfit']:.3f} | {100 * one['ok']:.0f} % |"
            for one in row["slopes"]
        ]
    return lines


def draw_beside_truth(found: ThicknessMap, wedge: Wedge, path: Path, *, step_nm: float) -> None:
    """Thickness as it is, as the map has it, and the difference."""
    rows, columns = found.thickness_nm.shape
    figure = Figure(figsize=(10.5, 3.3 * rows / columns + 0.6), layout="constrained")
    axes = figure.subplots(1, 3)
    shown = np.where(found.verdict < 2, found.thickness_nm, np.nan)
    low, high = np.nanmin(wedge.thickness_nm), np.nanmax(wedge.thickness_nm)
    extent = (0, columns * step_nm, rows * step_nm, 0)
    difference = shown - wedge.thickness_nm
    panels = (
        (wedge.thickness_nm, "truth [nm]", "viridis", (low, high)),
        (shown, "map [nm]; grey: hole, other crystal", "viridis", (low, high)),
        (difference, "map minus truth [nm]", "RdBu_r", (-1.0, 1.0)),
    )
    for axis, (values, title, colours, limits) in zip(axes, panels, strict=True):
        axis.set_facecolor("0.8")
        image = axis.imshow(
            values, cmap=colours, vmin=limits[0], vmax=limits[1], extent=extent, interpolation="nearest"
        )
        figure.colorbar(image, ax=axis, shrink=0.85)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("x [nm]", fontsize=8)
        axis.tick_params(labelsize=7)
    axes[0].set_ylabel("y [nm]", fontsize=8)
    save_figure(figure, path)
