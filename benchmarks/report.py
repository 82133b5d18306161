"""The figures of `simulation.py` as a page: quantities as rows, systems as columns, what is aimed at beside."""

from __future__ import annotations

from textwrap import fill, wrap

from aims import SAID, cell

RUTILE, SRTIO3, BERYL = "rutile_80kv", "srtio3_300kv", "beryl_300kv"
ROWS = (
    # key, what it is, what is aimed at: for every system, or by system
    ("rocking_table_s", "rocking table [s]", {RUTILE: "≤ 120", SRTIO3: "≤ 150", BERYL: "≤ 600"}),
    ("wave_slices_per_second", "waves × slices per second", {}),
    ("fft_limit_fraction", "share of the speed of bare Fourier transforms", {}),
    ("stack_s", "stack on disk [s]", {RUTILE: "≤ 600"}),
    ("patterns", "patterns in it", {}),
    ("stack_gb", "stack [GB]", {RUTILE: "≤ 5"}),
    ("stack_error", "largest error of a stored pattern / its maximum", "≤ 1e-3"),
    ("peak_memory_gb", "peak memory of a job [GB]", {RUTILE: "≤ 6"}),
    ("render_ms", "one pattern, thickness rendered before [ms]", {RUTILE: "≤ 3", SRTIO3: "≤ 8"}),
    ("render_fresh_ms", "one pattern, new thickness [ms]", {RUTILE: "≤ 3", SRTIO3: "≤ 8"}),
    ("series_render_ms", "pattern of a series, thicknesses rendered before [ms]", {RUTILE: "≤ 0.75", SRTIO3: "≤ 2.25"}),
    ("series_render_fresh_ms", "pattern of a series, new thicknesses [ms]", {}),
    ("ratio_published_sampling", "abTEM's time / ours, published sampling", {RUTILE: "≥ 4000"}),
    ("ratio_like_for_like", "abTEM's time / ours, like for like", {RUTILE: "≥ 350"}),
    ("referee_a_l2", "referee A, worst relative L2", "≤ 2e-3"),
    ("referee_b_bias_nm", "referee B, largest thickness bias [nm]", "≤ 0.3"),
    ("convergence_worst", "convergence, worst relative L2", "≤ 2e-3"),
)


def markdown(figures: dict) -> str:
    """Page of the figures of all systems measured."""
    systems = figures["systems"]
    lines = [
        "# Simulation at full scale",
        "",
        f"Measured by `make bench-simulation` on {figures['machine']}.",
        SAID,
        "",
        f"| | {' | '.join(systems)} |",
        "|---" + "|---:" * len(systems) + "|",
    ]
    for key, title, aims in ROWS:
        cells = [
            _cell(row.get(key), aims if isinstance(aims, str) else aims.get(name, "")) for name, row in systems.items()
        ]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_notes(systems), *_convergence(systems), "", *_ratios(systems)]).rstrip() + "\n"


def _cell(value: object, aim: str) -> str:
    if value is None:
        return "not measured"
    text = f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"{cell(value, aim, text=text)} ({aim})" if aim else text


def _notes(systems: dict) -> list[str]:
    """What whoever measured a system wants its readers to know; gone when it is measured again."""
    notes = [f"**{name}**: {row['note']}" for name, row in systems.items() if row.get("note")]
    return [line for note in notes for line in [*wrap(note, 120), ""]]


def _convergence(systems: dict) -> list[str]:
    """Every check of `check_convergence`."""
    names = list(dict.fromkeys(name for row in systems.values() for name in row["convergence"]))
    lines = [f"| convergence | {' | '.join(systems)} |", "|---" + "|---:" * len(systems) + "|"]
    for name in names:
        cells = (f"{row['convergence'][name]:g}" if name in row["convergence"] else "" for row in systems.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _ratios(systems: dict) -> list[str]:
    """What the two ratios are made of."""
    lines = []
    for name, row in systems.items():
        parts = row.get("ratio_parts")
        if not parts:
            continue
        ours = parts["ours"]
        lines.append(
            f"**{name}**: ours {ours['ours_s_per_series']:.3g} s per series of {ours['thicknesses']} thicknesses "
            f"({ours['table_s']:g} s of table and {ours['stack_s']:g} s of stack, {ours['series']:,} series)."
        )
        kinds = [kind for kind in ("published_sampling", "like_for_like") if kind in parts]
        lines += [fill(f"- {_part(kind, parts[kind])}", 120, subsequent_indent="  ") for kind in kinds]
        lines.append("")
    return lines


def _part(kind: str, part: dict) -> str:
    setting, grid = part["setting"], " × ".join(map(str, part["grid_px"]))
    said = (
        f"{kind.replace('_', ' ')}: abTEM {part['abtem_s_per_series']:,.0f} s per series ({grid} px, "
        f"{part['slices_per_nm']:g} slices per nm, {part['positions']} positions; {setting['workers']} workers with "
        f"{setting['fft_threads']} FFT threads, batches of {setting['batch']}). "
    )
    if "series_s" in part:
        return said + f"The fastest of whole series of {', '.join(f'{seconds:.1f}' for seconds in part['series_s'])} s."
    return said + (
        f"Extrapolated from slabs of {', '.join(f'{depth:g}' for depth in part['slabs_nm'])} nm and "
        f"{part['probes_timed']} positions: R² {part['fit_r2']:g}, largest residual {100 * part['fit_residual']:.1f} %."
    )
