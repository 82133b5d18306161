"""Rows of the atom sites of a CIF: label, element, position and occupancy."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

import numpy as np

from pacbed.crystal.reading.blocks import Block, Column
from pacbed.crystal.reading.elements import ADVICE, NAMES, UnknownElementError, element_of_label, element_of_symbol
from pacbed.crystal.reading.text import Number, is_missing, number

AXES = "xyz"
DISORDER_ROUNDING = 0.02  # occupancies of two or three groups, with two decimals
FULL_ROUNDING = 5e-4  # a full site as some programs write it, 1.00002
POSITION_ROUNDING = 1e-3  # atoms that share a site are written with one position
FARTHEST = 100.0  # no fractional position has lattice vectors beyond
PLAIN_LABEL = re.compile(r"([A-Z][a-z]?)\d*")  # an element and a number: Fe1


class Site(NamedTuple):
    """One row of the atom sites.

    Attributes
    ----------
    label : str
    element : str
        Chemical symbol; D for deuterium.
    fractional : ndarray, shape (3,)
        Position in units of the lattice vectors.
    unit : ndarray, shape (3,)
        One unit of the last digit of the position.
    occupancy : float
        Above 0, at most 1.
    row : int
        Number of the row in the loop, from 0.
    """

    label: str
    element: str
    fractional: np.ndarray
    unit: np.ndarray
    occupancy: float
    row: int


def site_column(block: Block, name: str, base: Column) -> Column | None:
    """A column of the atom sites beside another one; None where the block has none.

    Raises
    ------
    StructureError
        It stands in another loop.
    """
    column = block.column(f"_atom_site_{name}")
    if column is not None and column.item != base.item:
        raise block.refusal(column.tag, "another loop", f"the loop of {base.tag}", column.line)
    return column


def read_sites(block: Block) -> tuple[list[Site], list[str]]:
    """Read the atom sites; those of occupancy 0 are left out, with a note.

    Raises
    ------
    StructureError
        A position or occupancy is impossible, an element is not known, two sites have one label, or no site is left.
    """
    positions = [block.column(f"_atom_site_fract_{axis}") for axis in AXES]
    base = positions[0]
    if base is None or None in positions or not base.values:
        tags = "_atom_site_fract_x, _atom_site_fract_y and _atom_site_fract_z of every atom"
        line = block.line("_atom_site_fract_x")
        raise block.refusal("positions", "lists no complete fractional atom positions", tags, line)
    columns = [column for axis in AXES if (column := site_column(block, f"fract_{axis}", base)) is not None]
    symbols, occupancies = site_column(block, "type_symbol", base), site_column(block, "occupancy", base)
    labels = site_column(block, "label", base) or _numbered(block, symbols, base)
    flags = site_column(block, "calc_flag", base)
    labels, notes = _told_apart(block, labels)
    _check_alternatives(block, base, labels, occupancies)
    sites, notes = [], notes + _attached_hydrogen(block, base, labels)
    for row, label in enumerate(labels.values):
        if flags is not None and flags.values[row].lower() == "dum":
            raise block.refusal(
                f"{flags.tag} of {label}", "dum", "atoms; delete the row of a dummy", block.site_line(row)
            )
        occupancy = _occupancy(block, occupancies, row, label)
        if occupancy == 0:
            notes.append(f"site {label} has occupancy 0 and is left out")
            continue
        numbers = [_coordinate(block, column, row, label) for column in columns]
        fractional, unit = np.array([n.value for n in numbers]), np.array([n.unit for n in numbers])
        element = _element(block, symbols, row, label)
        notes += _other_element(label, element)
        sites.append(Site(label, element, fractional, unit, occupancy, row))
    if not sites:
        raise block.refusal("occupancies", "0 of every site", "sites that hold atoms", labels.line)
    return sites, notes


def sites_called(text: str, sites: list[Site], column: Column, row: int, block: Block) -> list[str]:
    """Labels of the sites that a label of another loop means; case and signs count only where they have to.

    Atoms that share a place and a label are all meant by it; a site that was left out is meant by its own.

    Parameters
    ----------
    text : str
    sites : list of Site
    column : Column
        Of the other loop.
    row : int
        There.
    block : Block

    Raises
    ------
    StructureError
        It means none, or several in different places.
    """
    found: list[str] = []
    for spelling in (str, str.lower, _letters):
        found = found or [site.label for site in sites if spelling(site.label) == spelling(text)]
    written = block.column("_atom_site_label")
    rows = [] if written is None else [number for number, label in enumerate(written.values) if label == text]
    shared = [site for site in sites if site.row in rows]
    if not found and len(shared) > 1 and all(_together(site, shared[0]) for site in shared):
        return [site.label for site in shared]
    if len(found) != 1 and len(rows) != 1:  # of one row, it is a site of occupancy 0
        advice = f"labels of sites: {', '.join(site.label for site in sites[:20])}"
        raise block.refusal(f"aniso labels match no site, {column.tag}", text, advice, block.row_line(column, row))
    return found or [text]


def _together(one: Site, other: Site) -> bool:
    return bool(np.all(np.abs(one.fractional - other.fractional) <= POSITION_ROUNDING))


def _letters(label: str) -> str:
    """Letters and digits of a label in lower case: O-h1 and Oh1 are one."""
    return re.sub(r"[^a-z0-9]", "", label.lower())


def _numbered(block: Block, symbols: Column | None, base: Column) -> Column:
    """Labels for a file without any: type symbol and number of the row."""
    if symbols is None:
        raise block.refusal("_atom_site_label", "no such tag", f"labels such as Fe1, or {ADVICE}", base.line)
    values = [f"{symbol}_{row + 1}" for row, symbol in enumerate(symbols.values)]
    return Column("_atom_site_label", values, base.item, base.line)


def _told_apart(block: Block, labels: Column) -> tuple[Column, list[str]]:
    """Labels with the number of the row where several sites share one, as programs that write elements do."""
    for row, label in enumerate(labels.values):
        if is_missing(label):
            raise block.refusal(labels.tag, label, "a label for every site, such as Fe1", block.site_line(row))
    counts = Counter(labels.values)
    shared = [label for label, count in counts.items() if count > 1]
    if not shared:
        return labels, []
    values = [f"{label}_{row + 1}" if counts[label] > 1 else label for row, label in enumerate(labels.values)]
    if len(set(values)) < len(values):
        raise block.refusal(labels.tag, f"{shared[0]} in several rows", "a label of its own for every site")
    return labels._replace(values=values), [f"sites with one label, {', '.join(shared)}, are told apart by their rows"]


def _check_alternatives(block: Block, base: Column, labels: Column, occupancies: Column | None) -> None:
    """Refuse groups of a disorder, of which one at most is there, that are all there by their occupancies."""
    groups, assemblies = site_column(block, "disorder_group", base), site_column(block, "disorder_assembly", base)
    if groups is None:
        return
    least: dict[str, dict[str, float]] = {}
    for row, group in enumerate(groups.values):
        if is_missing(group) or group == "0" or group.startswith("-"):  # below 0: by symmetry, not beside another
            continue
        present = least.setdefault("." if assemblies is None else assemblies.values[row], {})
        present[group] = min(present.get(group, 1.0), _occupancy(block, occupancies, row, labels.values[row]))
    for assembly, present in least.items():
        if sum(present.values()) > 1 + DISORDER_ROUNDING:
            shown = ", ".join(f"group {group} {occupancy:g}" for group, occupancy in present.items())
            what = f"occupancies of disorder assembly {assembly}, of which one group at most is there"
            raise block.refusal(what, shown, "occupancies of the groups up to 1 in all", groups.line)


def _attached_hydrogen(block: Block, base: Column, labels: Column) -> list[str]:
    """A note on hydrogen that a file counts, but gives no position."""
    column = site_column(block, "attached_hydrogens", base)
    counts = [] if column is None else list(map(number, column.values))
    holders = [label for label, count in zip(labels.values, counts, strict=False) if count is not None and count.value]
    return [f"hydrogen attached to {', '.join(holders)} has no position and is left out"] if holders else []


def _other_element(label: str, element: str) -> list[str]:
    """A note on a label that names another element than its type symbol."""
    match = PLAIN_LABEL.fullmatch(label)
    if match is None or match[1].lower() not in NAMES or NAMES[match[1].lower()] == element:
        return []
    return [f"site {label} is {element} by its type symbol"]


def _element(block: Block, symbols: Column | None, row: int, label: str) -> str:
    symbol = "?" if symbols is None else symbols.values[row]
    try:
        return element_of_label(label) if is_missing(symbol) else element_of_symbol(symbol)
    except UnknownElementError as error:
        got = label if is_missing(symbol) else symbol
        raise block.refusal(f"element of {label}", got, str(error), block.site_line(row)) from None


def _coordinate(block: Block, column: Column, row: int, label: str) -> Number:
    found = number(column.values[row])
    if found is None or abs(found.value) > FARTHEST:
        advice = f"a number; fractions such as 1/3 as 0.333333, up to {FARTHEST:g}"
        raise block.refusal(f"position of {label}, {column.tag}", column.values[row], advice, block.site_line(row))
    return found


def _occupancy(block: Block, column: Column | None, row: int, label: str) -> float:
    """Occupancy of one site; '?' and '.' mean 1, as the dictionary has it."""
    text = "." if column is None else column.values[row]
    if is_missing(text):
        return 1.0
    found = number(text)
    if found is not None and 1 < found.value <= 1 + FULL_ROUNDING:
        return 1.0
    if found is None or not 0 <= found.value <= 1:
        full = "; write 1 for a full site" if found is not None and found.value > 1 else ""
        advice = f"a number from 0 to at most 1{full}"
        raise block.refusal(f"occupancy of {label}", text, advice, block.site_line(row))
    return found.value
