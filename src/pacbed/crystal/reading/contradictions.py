"""What a CIF says of itself beside the atoms: formula, units, volume, density, metric; and sane distances."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import gemmi
import numpy as np

from pacbed.crystal.identity import SAME_SITE_A, Pairs, neighbours
from pacbed.crystal.reading.blocks import Block
from pacbed.crystal.reading.cell import UnitCell
from pacbed.crystal.reading.elements import parse_formula
from pacbed.crystal.reading.expansion import OCCUPANCY_ROUNDING
from pacbed.crystal.reading.operations import Operations
from pacbed.crystal.reading.text import number
from pacbed.errors import StructureError

NAMES = ("formula", "z", "volume", "density", "metric", "distance")
FORMULA_ERROR, Z_ERROR, VOLUME_ERROR, DENSITY_ERROR = 0.02, 0.02, 0.005, 0.02
SPLIT_A = 0.5  # no two atoms are that close (H-H has 0.74): positions of one atom, of which one at most is there
# ASSUME: no two atoms are closer than this share of their covalent radii (Cordero 2008); the shortest multiple bonds
# between metals and U=O have 0.67, O-H as X-rays see it 0.6 (estimate).
BOND_SHARE, BOND_SHARE_H = 0.6, 0.5
# ASSUME: 5 to 1000 Å^3 for an atom other than hydrogen; diamond has 5.67, open frameworks some 100 (estimate).
DENSEST_A3, EMPTIEST_A3 = 5.0, 1000.0
SMALLEST_A3 = 0.5  # for any atom: below, distances are not worth a look
DALTON_PER_A3 = 1.66053907  # in g/cm^3


class Content(NamedTuple):
    """Atoms of one cell.

    Attributes
    ----------
    elements : list of str
        One per atom; D for deuterium.
    occupancy : ndarray, shape (atom,)
    fractional : ndarray, shape (atom, 3)
    lattice : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    labels : list of str
        Label of the site of each atom.
    """

    elements: list[str]
    occupancy: np.ndarray
    fractional: np.ndarray
    lattice: np.ndarray
    labels: list[str]

    def counts(self) -> dict[str, float]:
        """Atoms by chemical symbol, occupancies counted and D as H."""
        found: dict[str, float] = {}
        for name, occupancy in zip(self.elements, self.occupancy, strict=True):
            symbol = "H" if name == "D" else name
            found[symbol] = found.get(symbol, 0.0) + float(occupancy)
        return found

    @property
    def volume_a3(self) -> float:
        """Volume of the cell [Å^3]."""
        return float(abs(np.linalg.det(self.lattice)))

    @property
    def density_g_cm3(self) -> float:
        """Density [g/cm^3]."""
        weights = np.array([gemmi.Element(name).weight for name in self.elements])
        return float(weights @ self.occupancy) * DALTON_PER_A3 / self.volume_a3

    def first_of_sites(self) -> np.ndarray:
        """Number of the first atom of each site, shape (site,)."""
        return np.flatnonzero([at == 0 or self.labels[at - 1] != label for at, label in enumerate(self.labels)])

    def neighbours(self) -> Pairs:
        """Pairs closer than any two atoms may be, of the first atom of each site with all others.

        There are none in a cell too small for its atoms, which `contradictions` refuses.
        """
        if self.volume_a3 < len(self.elements) * SMALLEST_A3:
            return Pairs(np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0))
        first = self.first_of_sites()
        largest = max(gemmi.Element(name).covalent_r for name in set(self.elements))
        return neighbours(first, self.fractional, self.lattice, max(2 * BOND_SHARE * largest, SPLIT_A))


class Contradiction(NamedTuple):
    """Two statements that exclude each other: name of the kind, what it is about, what was got and what is accepted."""

    kind: str
    what: str
    got: str
    accepted: str


def check_names(names: Collection[str], path: str) -> None:
    """Refuse names of contradictions that there are not."""
    for name in names:
        if name not in NAMES:
            raise StructureError(
                f"crystal.accept_contradictions: got {name!r} for {path}, accepted: {', '.join(NAMES)}"
            )


def settle(block: Block, found: list[Contradiction], accepted: Collection[str]) -> list[str]:
    """Refuse the first contradiction that is not accepted; notes for the others.

    Raises
    ------
    StructureError
        With both values, and how to accept it.
    """
    for one in found:
        if one.kind not in accepted:
            advice = f"{one.accepted}; or crystal.accept_contradictions: [{one.kind}] if the sites are right"
            raise block.refusal(f"{one.kind}: {one.what}", one.got, advice)
    return [f"accepted contradiction of {one.kind}: {one.what}: {one.got}" for one in found]


def metric_contradictions(block: Block, cell: UnitCell, operations: Operations) -> list[Contradiction]:
    """Operations that change lengths or angles of the cell by more than its digits and a strain leave open."""
    misfit = cell.misfit(operations.rotations)
    if misfit.max() <= 1 or cell.is_strained(operations.rotations):
        return []
    shown = ", ".join(f"{value:g}" for value in cell.parameters)
    worst = int(misfit.argmax())
    op = gemmi.Op("x,y,z")
    op.rot = (operations.rotations[worst] * gemmi.Op.DEN).tolist()
    got = f"cell {shown} and the operation {op.triplet()} of {operations.name}"
    return [Contradiction("metric", f"cell of {block.name}", got, "a cell that its operations leave as it is")]


def contradictions(block: Block, content: Content, pairs: Pairs) -> list[Contradiction]:
    """All of a block against its content but the metric; `pairs` are the neighbours of the content.

    Raises
    ------
    StructureError
        One site holds more than one atom: no contradiction that could be accepted.
    """
    found = _crowding(content)
    if not found:
        _check_shared(block, content, pairs)
        found += _distances(content, pairs)
    return found + _formula(block, content) + _volume(block, content) + _density(block, content)


def _crowding(content: Content) -> list[Contradiction]:
    heavy = sum(count for name, count in content.counts().items() if name != "H")
    if heavy == 0:
        return []
    each = content.volume_a3 / heavy
    got = f"{each:.3g} Å^3 for an atom ({heavy:g} atoms other than H in {content.volume_a3:.4g} Å^3)"
    if each < DENSEST_A3:
        advice = f"{DENSEST_A3:g} Å^3 or more (diamond has 5.67); lengths are in Å, not nm; is the setting right?"
        return [Contradiction("distance", "atoms too close", got, advice)]
    if each > EMPTIEST_A3:
        advice = f"at most {EMPTIEST_A3:g} Å^3; lengths are in Å: is this cell in pm?"
        return [Contradiction("distance", "atoms too far apart", got, advice)]
    return []


def _check_shared(block: Block, content: Content, pairs: Pairs) -> None:
    """Refuse positions that are more than full, and atoms that are listed twice."""
    together = pairs.distance < SAME_SITE_A
    for atom in np.unique(pairs.first[together]):
        mine = (pairs.first == atom) & together
        others = pairs.second[mine]
        if content.occupancy[atom] + content.occupancy[others].sum() <= 1 + OCCUPANCY_ROUNDING:
            continue
        members = [atom, *others]
        present = ", ".join(f"{content.elements[i]} {content.occupancy[i]:g} ({content.labels[i]})" for i in members)
        advice = "occupancies of one site up to 1 in all"
        if len({content.elements[i] for i in members}) == 1:
            advice += "; if an atom is listed twice, because the operations make it of another, delete its row"
        what = f"one site holds {present}, at most {pairs.distance[mine].max():.2f} Å apart"
        total = float(content.occupancy[members].sum())
        raise block.refusal(what, f"{total:g} in all", advice)


def _distances(content: Content, pairs: Pairs) -> list[Contradiction]:
    radii = np.array([gemmi.Element(name).covalent_r for name in content.elements])
    hydrogen = np.array([name in ("H", "D") for name in content.elements])
    first, second, distance = pairs
    share = np.where(hydrogen[first] | hydrogen[second], BOND_SHARE_H, BOND_SHARE)
    least = np.maximum(share * (radii[first] + radii[second]), SPLIT_A)
    apart = content.occupancy[first] + content.occupancy[second] <= 1 + OCCUPANCY_ROUNDING  # never both are there
    crowded = np.zeros(len(content.occupancy))
    split = distance < SPLIT_A
    np.add.at(crowded, first[split], content.occupancy[second[split]])
    overfull = split & (crowded[first] + content.occupancy[first] > 1 + OCCUPANCY_ROUNDING)
    wrong = (distance >= SAME_SITE_A) & (distance < least) & (~apart | overfull)
    if not np.any(wrong):
        return []
    worst = np.flatnonzero(wrong)[np.argmin((distance / least)[wrong])]
    names = [f"{content.labels[i]} ({content.elements[i]})" for i in (first[worst], second[worst])]
    got = f"{distance[worst]:.2f} Å apart"
    advice = f"{least[worst]:.2f} Å or more, or split positions with occupancies up to 1 in all; is the setting right?"
    return [Contradiction("distance", f"atoms {names[0]} and {names[1]} too close", got, advice)]


def _formula(block: Block, content: Content) -> list[Contradiction]:
    text = block.value("_chemical_formula_sum")
    parsed = None if text is None else parse_formula(text)
    if parsed is None:
        return []
    stated: dict[str, tuple[float, float]] = {}
    for name, (count, error) in parsed.items():
        symbol = "H" if name == "D" else name
        known = stated.get(symbol, (0.0, 0.0))
        stated[symbol] = (known[0] + count, known[1] + error)
    counts = content.counts()
    scale = sum(counts.values()) / sum(count for count, _ in stated.values())
    for name in [*counts, *stated]:
        count, error = stated.get(name, (0.0, 0.0))
        if abs(counts.get(name, 0.0) - scale * count) > FORMULA_ERROR * scale * count + scale * error + 1e-6:
            there = " ".join(f"{name}{value:g}" for name, value in counts.items())
            got = f"{text!r} and {there} in the cell of the sites"
            return [Contradiction("formula", "_chemical_formula_sum", got, "the same ratios, to 2 % of each element")]
    stated_z = number(block.value("_cell_formula_units_z") or "")
    if stated_z is None or abs(scale - stated_z.value) <= Z_ERROR * stated_z.value:
        return []
    if abs(scale - 1) <= Z_ERROR and _is_multiple([count for count, _ in stated.values()], stated_z.value):
        return []  # some programs write the sum of the whole cell beside Z
    got = f"{stated_z.value:g} and {scale:.4g} units of {text!r} in the cell of the sites"
    return [Contradiction("z", "_cell_formula_units_Z", got, "the same number; is the setting right?")]


def _is_multiple(counts: list[float], units: float) -> bool:
    """Whether all whole numbers of a formula are multiples of Z."""
    return all(count % units == 0 for count in counts if units > 0 and count == round(count))


def _volume(block: Block, content: Content) -> list[Contradiction]:
    stated = number(block.value("_cell_volume") or "")
    if stated is None or abs(stated.value - content.volume_a3) <= max(VOLUME_ERROR * content.volume_a3, stated.unit):
        return []
    got = f"{stated.value:g} and {content.volume_a3:.6g} Å^3 of lengths and angles"
    return [Contradiction("volume", "_cell_volume", got, "the same volume, to 0.5 %")]


def _density(block: Block, content: Content) -> list[Contradiction]:
    stated = number(block.value("_exptl_crystal_density_diffrn") or "")
    density = content.density_g_cm3
    if stated is None or stated.value == 0 or abs(stated.value - density) <= max(DENSITY_ERROR * density, stated.unit):
        return []
    got = f"{stated.value:g} and {density:.4g} g/cm^3 of the sites"
    return [Contradiction("density", "_exptl_crystal_density_diffrn", got, "the same density, to 2 %")]
