"""CIF files with one trouble each, by kind: how many are read right, refused, or read wrong; and random crystals.

    python benchmarks/cif.py [FOLDER ...] [--public FOLDER]

reads the cases of the tests (``tests/unit/crystal/reading/data``) and those of every folder given, each with a
``cases.json`` that says for every file what is ``right``; ``--public`` reads all CIF files below a folder and compares
them with the reading of ASE. It writes ``benchmarks/cif.json`` and ``benchmarks/cif.md``; what is not measured again
keeps its figures.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import ase.io
import gemmi
import numpy as np

from pacbed.crystal.beam_group import symmetry_operations
from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import ReadStructure, read_structure
from pacbed.crystal.identity import SAME_SITE_A, close_pairs
from pacbed.crystal.orientation import orientations
from pacbed.crystal.reading.elements import parse_formula
from pacbed.errors import StructureError

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent / "tests" / "unit" / "crystal"
KINDS = {
    "a": "numbers, defaults, uncertainties", "b": "displacement parameters", "c": "space groups and operations",
    "d": "elements and labels", "e": "occupancies, mixed and split sites", "f": "syntax, encoding, units",
    "g": "decimals that fall on a seam", "h": "quirks of databases", "k": "rounded special positions, strained cells",
    "l": "symmetry of mixed sites", "m": "crystals of the literature",
}  # fmt: skip
OUTCOMES = ("right", "refused as it must be", "refused, one reading being right", "wrong")
OTHER = "other than ASE"
AXES = [(0, 0, 1), (1, 0, 0), (1, 1, 0), (2, 1, 0), (1, 1, 1)]


def density(crystal: Crystal) -> float:
    """Density of a crystal [g/cm^3]."""
    weights = np.array([gemmi.Element(symbol).weight for symbol in crystal.symbols])
    return float(weights @ crystal.occupancy) * 1.66053907 / crystal.volume_a3


def least_distance(crystal: Crystal) -> float:
    """Least distance of two atoms [Å]; half the least distance of lattice planes where none is below."""
    half = 0.49 / np.linalg.norm(np.linalg.inv(crystal.cell), axis=0).max()
    return float(min(close_pairs(crystal.fractional, crystal.cell, half).distance, default=half))


def same_formula(found: str, stated: str) -> bool:
    """Whether two formulas have the same ratios, to 1 %."""
    first, second = parse_formula(found), parse_formula(stated)
    if first is None or second is None or first.keys() != second.keys():
        return False
    ratios = [first[name][0] / second[name][0] for name in first]
    return max(ratios) < 1.01 * min(ratios)


def keeps_atoms(crystal: Crystal) -> bool:
    """Whether the cells along some axes hold the atoms of their volume."""
    return all(
        abs(len(one.symbols) * crystal.volume_a3 / one.volume_a3 - len(crystal.symbols)) < 1e-6
        for one in orientations(crystal, AXES)
    )


def group_order(found: ReadStructure, stated: int | str) -> bool:
    """Whether the crystal has as many operations as stated, or all of its space group."""
    wanted = stated if isinstance(stated, int) else len(gemmi.find_spacegroup_by_name(found.space_group).operations())
    operations = {op.rotation.astype(int).tobytes() for op in symmetry_operations(found.crystal)}
    return len(symmetry_operations(found.crystal)) >= wanted or len(operations) >= wanted


def has_a_hexad(crystal: Crystal) -> bool:
    """Whether a symmetry operation turns by 60 or 120 degrees."""
    return any(round(abs(np.trace(op.rotation))) in (0, 2) for op in symmetry_operations(crystal))


def u_iso(found: ReadStructure) -> list[float]:
    """U of each site [Å^2]."""
    return [100 * site.u_iso_nm2 for site in found.sites]


# What a case may state of the crystal, and how it is compared.
CHECKS: dict[str, Callable[[ReadStructure, Any], bool]] = {
    "n": lambda found, n: len(found.crystal.symbols) == n,
    "atoms": lambda found, n: len(found.crystal.symbols) == n,
    "formula": lambda found, text: same_formula(found.crystal.formula, text),
    "space_group": lambda found, name: found.space_group == name,
    "occ": lambda found, value: all(site.occupancy == value for site in found.sites),
    "occ_first": lambda found, value: bool(np.isclose(found.sites[0].occupancy, value)),
    "occupancies": lambda found, values: bool(np.allclose([site.occupancy for site in found.sites], values)),
    "u": lambda found, values: bool(np.allclose(u_iso(found), values, atol=2e-4)),
    "u_iso_a2": lambda found, values: bool(np.allclose(u_iso(found), values, atol=2e-6)),
    "iso_first": lambda found, value: bool(np.isclose(u_iso(found)[0], value, atol=2e-4)),
    "pos1": lambda found, position: bool(
        np.allclose((found.crystal.fractional[1] - position + 0.5) % 1, 0.5, atol=1e-4)
    ),
    "density": lambda found, value: abs(density(found.crystal) - value) < 0.05 * value,
    "mind": lambda found, value: least_distance(found.crystal) > 0.98 * value,
    "area": lambda found, value: bool(np.isclose(np.linalg.norm(np.cross(*found.crystal.cell[:2])), value, atol=0.01)),
    "group": group_order,
    "group6": lambda found, _: has_a_hexad(found.crystal),
    "axes": lambda found, _: keeps_atoms(found.crystal),
    "slices_error": lambda found, _: not np.any(found.crystal.displacement),
}


def outcome(path: Path, right: dict[str, Any]) -> tuple[str, str]:
    """One of `OUTCOMES` for a file, and why."""
    must, may = "error" in right or "refused" in right, right.get("error_ok", False)
    try:
        found = read_structure(path)
    except StructureError as error:
        return OUTCOMES[1 if must or may else 2], str(error)
    if must:
        return OUTCOMES[3], f"read as {found.crystal.formula}"
    failed = [name for name, value in right.items() if name in CHECKS and not CHECKS[name](found, value)]
    return OUTCOMES[3 if failed else 0], ", ".join(failed)


def measure(folder: Path, rights: dict[str, dict[str, Any]]) -> dict:
    """Outcomes by kind, the files that are not as they should be, and times [ms] of one folder."""
    kinds: dict[str, Counter] = {}
    seconds, bad = [], {}
    for name, right in rights.items():
        start = time.process_time()
        with suppress(StructureError):
            read_structure(folder / name)
        seconds.append(time.process_time() - start)
        result, why = outcome(folder / name, right)
        kinds.setdefault(name[0], Counter())[result] += 1
        if result in OUTCOMES[2:]:
            bad[name] = f"{result}: {why}"
    times = {"median_ms": 1e3 * float(np.median(seconds)), "largest_ms": 1e3 * max(seconds)}
    return {"kinds": {kind: dict(counts) for kind, counts in sorted(kinds.items())}, "bad": bad, **times}


def compare(folder: Path) -> dict:
    """All CIF files below a folder, each content once, against the sites, formula and volume that ASE reads."""
    counts: Counter = Counter()
    reasons: dict[str, str] = {}
    others: dict[str, str] = {}
    for content, path in {path.read_bytes(): path for path in sorted(folder.rglob("*.cif"))}.items():
        assert content
        try:
            found = read_structure(path)
        except StructureError as error:
            counts["refused"] += 1
            reasons[path.name] = str(error).partition(path.name)[2].lstrip(":, ").partition(", accepted")[0]
            continue
        result = agreement(found.crystal, path)
        counts[result] += 1
        if result == OTHER:
            theirs = ase.io.read(path, format="cif").get_chemical_formula()
            others[path.name] = f"{len(found.crystal.symbols)} atoms of {found.crystal.formula}, ASE {theirs}"
    return {"counts": dict(counts), "refused": reasons, "others": others}


def agreement(crystal: Crystal, path: Path) -> str:
    """Whether a crystal is the one that ASE reads; ASE keeps one atom of a mixed site."""
    try:
        other = ase.io.read(path, format="cif")
    except Exception:  # whatever it stumbles over
        return "not read by ASE"
    pairs = close_pairs(crystal.fractional, crystal.cell, SAME_SITE_A)
    sites = len(crystal.symbols) - len(set(pairs.second))
    mixed = len(pairs.second) > 0
    same = sites == len(other) and abs(crystal.volume_a3 - other.get_volume()) < 2e-3 * crystal.volume_a3
    alike = mixed or Counter(crystal.symbols) == Counter(other.get_chemical_symbols())
    return "as ASE reads it" if same and alike else OTHER


def random_crystals() -> dict:
    """The property test: random crystals along random axes keep atoms, volume and least distances."""
    file = TESTS / "test_any_axis.py"
    crystals, axes = re.search(r"CRYSTALS, AXES, \w+ = (\d+), (\d+)", file.read_text(encoding="utf-8")).groups()
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", file], capture_output=True, text=True, check=False)
    return {"crystals": int(crystals), "axes": int(axes), "kept": done.returncode == 0}


def main() -> None:
    """Measure, merge with what was measured before, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--public", type=Path, help="folder with CIF files of other projects")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    file = HERE / "cif.json"
    data = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"folders": {}}
    tests = TESTS / "reading" / "data"
    data["folders"]["tests"] = measure(tests, json.loads((tests / "right.json").read_text(encoding="utf-8")))
    for folder in arguments.folders:
        cases = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
        data["folders"]["others"] = measure(folder, {name: case["right"] for name, case in cases.items()})
    if arguments.public is not None:
        data["public"] = compare(arguments.public)
    data["random"] = random_crystals()
    file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (HERE / "cif.md").write_text(table(data), encoding="utf-8")


if __name__ == "__main__":
    from cif_report import table

    main()
