"""The figures of ``benchmarks/cif.json`` as a page."""

from __future__ import annotations

from cif import KINDS, OUTCOMES

HEAD = """# Reading CIF files

Measured by `make bench-cif` (`python benchmarks/cif.py [FOLDER ...]`). Each file holds one trouble, and it is known
which crystal it means, or that it leaves that open. Compared are, as far as a case states them, number of atoms,
formula, occupancies, U, operations of the group, density, least distance, and the atoms of the cells along five axes.
"""
FOLDERS = {
    "tests": "The cases of the tests, `tests/unit/crystal/reading/data`",
    "others": "Cases that were collected from failures and from literature crystals",
}


def table(data: dict) -> str:
    """The page of all figures."""
    parts = [HEAD]
    for name, title in FOLDERS.items():
        if name in data["folders"]:
            parts += _folder(title, data["folders"][name])
    crystals, axes = data["random"]["crystals"], data["random"]["axes"]
    kept = "all keep" if data["random"]["kept"] else "not all keep"
    parts += [
        "## Random crystals",
        f"{crystals} crystals of all lattices and centrings along {axes} axes each, {crystals * axes} orientations: "
        f"{kept}\natoms, volume and least distances (`tests/unit/crystal/test_any_axis.py`).\n",
    ]
    if "public" in data:
        parts += _public(data["public"])
    parts += [
        "## What it looks like",
        "`pacbed inspect` on a crystal shows what was read: [GaN](../docs/images/inspect_gan.png),",
        "[LSMO](../docs/images/inspect_lsmo.png).",
    ]
    return "\n".join(parts) + "\n"


def _folder(title: str, found: dict) -> list[str]:
    rows = [f"## {title}", f"| kind | tried | {' | '.join(OUTCOMES)} |", "|---|---:|---:|---:|---:|---:|"]
    sums = dict.fromkeys(OUTCOMES, 0)
    for kind, counts in found["kinds"].items():
        values = [counts.get(outcome, 0) for outcome in OUTCOMES]
        rows.append(f"| {KINDS[kind]} | {sum(values)} | {' | '.join(map(str, values))} |")
        sums = {outcome: sums[outcome] + value for outcome, value in zip(OUTCOMES, values, strict=True)}
    rows.append(f"| **all** | {sum(sums.values())} | {' | '.join(map(str, sums.values()))} |")
    rows.append(f"\nOne file takes {found['median_ms']:.0f} ms in the median, {found['largest_ms']:.0f} ms at most.")
    rows += [f"- `{name}`: {why}" for name, why in found["bad"].items()]
    return [*rows, ""]


def _public(found: dict) -> list[str]:
    counts = found["counts"]
    rows = [
        "## Public files",
        f"{sum(counts.values())} files of other projects' packages, not chosen by hand, against the number of sites, "
        "the formula\nand the volume that ASE reads:\n",
        "| | files |",
        "|---|---:|",
        *(f"| {name} | {count} |" for name, count in sorted(counts.items())),
        "\nOther than ASE (it leaves sites of occupancy 0 in, and takes the label `In` for iodine):\n",
        *(f"- `{name}`: {text}" for name, text in found["others"].items()),
        "\nRefused:\n",
        *(f"- `{name}`: {reason}" for name, reason in found["refused"].items()),
    ]
    return [*rows, ""]
