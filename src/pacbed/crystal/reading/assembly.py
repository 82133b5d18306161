"""One crystal out of what a CIF says: the setting of its space group, the atoms of a cell, what contradicts them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pacbed.crystal.identity import SAME_SITE_A, Pairs, same_position
from pacbed.crystal.reading import ReadingChoices
from pacbed.crystal.reading.blocks import Block
from pacbed.crystal.reading.cell import UnitCell
from pacbed.crystal.reading.contradictions import (
    SPLIT_A,
    Content,
    Contradiction,
    contradictions,
    metric_contradictions,
    settle,
)
from pacbed.crystal.reading.displacements import read_displacements
from pacbed.crystal.reading.elements import formula
from pacbed.crystal.reading.expansion import OCCUPANCY_ROUNDING, Orbit, UnsettledError, expand_site
from pacbed.crystal.reading.operations import LISTS, Operations, listed_operations
from pacbed.crystal.reading.settings import disagreement, named_settings, space_group_name
from pacbed.crystal.reading.sites import Site
from pacbed.crystal.reading.unlikely import emptiness, overall_displacement
from pacbed.errors import StructureError


@dataclass(frozen=True)
class Expanded:
    """The sites of a file under the operations of its space group.

    Attributes
    ----------
    cell : UnitCell
        With the symmetry of the operations.
    operations : Operations
    orbits : list of Orbit
        Atoms of each site.
    content : Content
        All atoms.
    pairs : Pairs
        Their neighbours.
    found : list of Contradiction
        What the file says of itself and the atoms do not bear out.
    notes : list of str
        What was put right.
    """

    cell: UnitCell
    operations: Operations
    orbits: list[Orbit]
    content: Content
    pairs: Pairs
    found: list[Contradiction]
    notes: list[str]


def expand(block: Block, cell: UnitCell, sites: list[Site], choices: ReadingChoices) -> Expanded:
    """Expand sites by the operations that the file lists, else by those of the space group that it names.

    Raises
    ------
    StructureError
        The symmetry is not understood, leaves several crystals open, or makes an impossible one.
    """
    listed, notes = listed_operations(block)
    if listed is not None:
        notes += disagreement(block, listed)
        _check_lone_identity(block, cell, sites, listed)
        expanded = _under(block, cell, sites, listed, choices)
    else:
        expanded = _choose(block, cell, sites, choices)
    return replace(expanded, notes=notes + expanded.notes)


def _check_lone_identity(block: Block, cell: UnitCell, sites: list[Site], listed: Operations) -> None:
    """Refuse a list of the identity alone beside the name of a group that would make more atoms of the sites.

    Programs write such lists beside all atoms of a cell, and beside its asymmetric unit.
    """
    if len(listed) > 1:
        return
    try:
        settings = named_settings(block, cell)
    except StructureError:  # no name, or none that says anything
        return
    fitting = [one for one in settings if cell.misfit(one.rotations).max() <= 1]
    if not fitting or any(_holds_all(sites, one, cell.lattice) for one in fitting):
        return
    got = f"the operation x,y,z alone, and sites that are not all atoms of {space_group_name(block)}"
    advice = "the operations of the group; or the name 'P 1', if the sites are all atoms of the cell"
    raise block.refusal("operations beside the space group", got, advice, block.line(LISTS[0]) or block.line(LISTS[1]))


def _holds_all(sites: list[Site], operations: Operations, lattice: np.ndarray) -> bool:
    """Whether operations carry every site onto one of its element, as near as a relaxed cell leaves them."""
    for element in {site.element for site in sites}:
        places = np.array([site.fractional for site in sites if site.element == element])
        for rotation, translation in zip(operations.rotations, operations.translations, strict=True):
            moved = places @ rotation.T + translation
            if not same_position(moved[:, None], places[None], lattice, SPLIT_A).any(axis=1).all():
                return False
    return True


def _choose(block: Block, cell: UnitCell, sites: list[Site], choices: ReadingChoices) -> Expanded:
    """The one setting of a space group that makes a crystal of the sites, of those that its name leaves open."""
    settings = named_settings(block, cell)
    if len(settings) == 1:
        return _under(block, cell, sites, settings[0], choices)
    good, reasons = [], []
    for operations in settings:
        try:
            expanded = _under(block, cell, sites, operations, choices)
            settle(block, expanded.found, ())
            good.append(expanded)
        except StructureError as error:
            reasons.append(f"{operations.name}: {str(error).partition(', accepted')[0].partition(': ')[2]}")
    if len(good) != 1:
        names = ", ".join(operations.name for operations in settings)
        state = "all make a possible crystal" if good else "none makes a possible crystal: " + "; ".join(reasons)
        advice = "_space_group_symop_operation_xyz, or a symbol with its origin, such as ':1' or ':2' at its end"
        raise block.refusal("origin of the space group is open", f"{names}; {state}", advice)
    note = f"space group {space_group_name(block)} is taken as {good[0].operations.name}: only so the sites make sense"
    return replace(good[0], notes=[*good[0].notes, note])


def _under(
    block: Block, cell: UnitCell, sites: list[Site], operations: Operations, choices: ReadingChoices
) -> Expanded:
    found = metric_contradictions(block, cell, operations)
    notes = settle(block, found, choices.accept_contradictions)
    if not found and cell.misfit(operations.rotations).max() > 1:
        notes.append(
            f"the operations of {operations.name} do not fit the cell; it is taken as strained, and they make the atoms"
        )
    elif not found:
        exact = cell.symmetrised(operations.rotations)
        if exact is not cell:
            shown = ", ".join(f"{value:.6g}" for value in exact.parameters)
            notes.append(f"the cell is given the symmetry of its operations: {shown}")
        cell = exact
    lattice = cell.lattice
    stars, more = read_displacements(block, sites, lattice, choices.displacements)
    notes += more + overall_displacement(sites, stars, lattice, choices.displacements)
    orbits = []
    for site, star in zip(sites, stars, strict=True):
        try:
            orbit, more = expand_site(site, star, operations, lattice)
        except UnsettledError as error:
            what = f"position of {site.label} under {operations.name}"
            raise block.refusal(what, error.got, error.accepted, block.site_line(site.row)) from None
        orbits.append(orbit)
        notes += more
    content = _content(sites, orbits, lattice)
    pairs = content.neighbours()
    found = contradictions(block, content, pairs) + emptiness(content, pairs)
    return Expanded(cell, operations, orbits, content, pairs, found, notes)


def _content(sites: list[Site], orbits: list[Orbit], lattice: np.ndarray) -> Content:
    atoms = [site for site, orbit in zip(sites, orbits, strict=True) for _ in orbit.fractional]
    return Content(
        [site.element for site in atoms],
        np.array([site.occupancy for site in atoms]),
        np.concatenate([orbit.fractional for orbit in orbits]),
        lattice,
        [site.label for site in atoms],
    )


def cell_formula(content: Content, pairs: Pairs, orbits: list[Orbit]) -> str:
    """Formula of one formula unit, occupancies counted: 'La0.7Sr0.3MnO3'."""
    return formula(content.counts(), _sharing(content, pairs), [len(orbit.fractional) for orbit in orbits])


def symbol_of(element: str) -> str:
    """Chemical symbol of an element; deuterium scatters electrons as hydrogen."""
    return "H" if element == "D" else element


def _sharing(content: Content, pairs: Pairs) -> dict[str, str]:
    """For elements that do not fill all of their sites, the first in the alphabet of those on the same sites."""
    together = pairs.distance < SAME_SITE_A
    symbols = [symbol_of(name) for name in content.elements]
    sharing: dict[str, str] = {}
    for atom in content.first_of_sites():
        others = [int(i) for i in pairs.second[together & (pairs.first == atom)]]
        same = sum(content.occupancy[i] for i in others if symbols[i] == symbols[atom])
        if content.occupancy[atom] + same < 1 - OCCUPANCY_ROUNDING:
            names = {symbols[i] for i in [atom, *others]}
            first = min(sharing.get(name, name) for name in names)
            sharing |= dict.fromkeys(names, first)
    return sharing
