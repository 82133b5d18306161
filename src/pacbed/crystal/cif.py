"""Crystal structures as published: CIF files with occupancies and displacement tensors.

What a file says is read by the modules of `reading`, each for one kind of trouble; here it becomes a crystal.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pacbed.crystal.cell import Crystal
from pacbed.crystal.reading import ReadingChoices
from pacbed.crystal.reading.assembly import Expanded, cell_formula, expand, symbol_of
from pacbed.crystal.reading.blocks import choose_block
from pacbed.crystal.reading.cell import read_cell
from pacbed.crystal.reading.contradictions import check_names, settle
from pacbed.crystal.reading.expansion import Orbit
from pacbed.crystal.reading.sites import Site, read_sites
from pacbed.crystal.reading.text import read_text

log = logging.getLogger(__name__)


class ReadSite(NamedTuple):
    """A site as read.

    Attributes
    ----------
    label : str
    element : str
        Chemical symbol.
    occupancy : float
    multiplicity : int
        Atoms of the cell.
    fractional : tuple of three float
        Position in units of the lattice vectors, put back onto a special position.
    u_iso_nm2 : float
        A third of the trace of its displacement tensor [nm^2]; 0 without displacement parameters.
    """

    label: str
    element: str
    occupancy: float
    multiplicity: int
    fractional: tuple[float, float, float]
    u_iso_nm2: float


@dataclass(frozen=True)
class ReadStructure:
    """A crystal and how it was read.

    Attributes
    ----------
    crystal : Crystal
        All atoms of one unit cell.
    space_group : str
        As the file names it, or as its cell and sites decide.
    density_g_cm3 : float
        Density of the sites, deuterium with its own mass [g/cm^3].
    sites : tuple of ReadSite
    notes : tuple of str
        What was put right or is worth a warning, one line each.
    """

    crystal: Crystal
    space_group: str
    density_g_cm3: float
    sites: tuple[ReadSite, ...]
    notes: tuple[str, ...]


def read_cif(
    path: str | Path,
    *,
    block: str | None = None,
    accept_contradictions: Collection[str] = (),
    displacements: Mapping[str, float] | None = None,
) -> Crystal:
    """Read the structure of a CIF file and expand its symmetry.

    Displacement tensors are turned with every symmetry operation; U is taken from the anisotropic loop,
    else from ``_atom_site_U_iso_or_equiv``, else from ``_atom_site_B_iso_or_equiv``. A file without any gives tensors
    of zeros.

    Parameters
    ----------
    path : str or Path
        A CIF file.
    block, accept_contradictions, displacements : optional
        As in `ReadingChoices`.

    Returns
    -------
    Crystal
        All atoms of one unit cell.

    Raises
    ------
    StructureError
        The file is missing, is not a CIF with one structure, leaves open which crystal it means, contradicts itself, or
        describes an impossible one.
    """
    return read_structure(path, ReadingChoices(block, accept_contradictions, displacements or {})).crystal


def read_structure(path: str | Path, choices: ReadingChoices | None = None) -> ReadStructure:
    """Read a CIF file as `read_cif` does, and tell how it was understood; notes go into the log as well.

    They are no warnings there: many jobs of a run read the file, and planning has told them.

    Parameters
    ----------
    path : str or Path
        A CIF file.
    choices : ReadingChoices, optional
        What the configuration says.

    Raises
    ------
    StructureError
        See `read_cif`.
    """
    choices = choices or ReadingChoices()
    check_names(choices.accept_contradictions, str(path))
    block = choose_block(read_text(Path(path)), choices.block)
    cell, notes = read_cell(block)
    sites, more = read_sites(block)
    notes += more
    expanded = expand(block, cell, sites, choices)
    notes += expanded.notes + settle(block, expanded.found, choices.accept_contradictions)
    for note in notes:
        log.info("%s: %s", path, note)
    crystal = _crystal(str(path), sites, expanded)
    return ReadStructure(
        crystal=crystal,
        space_group=expanded.operations.name,
        density_g_cm3=expanded.content.density_g_cm3,
        sites=_read_sites(sites, expanded.orbits),
        notes=tuple(notes),
    )


def _crystal(path: str, sites: list[Site], expanded: Expanded) -> Crystal:
    content = expanded.content
    return Crystal(
        cell=content.lattice,
        symbols=[symbol_of(name) for name in content.elements],
        positions=content.fractional @ content.lattice,
        occupancy=content.occupancy,
        displacement=np.concatenate([orbit.displacement for orbit in expanded.orbits]),
        formula=cell_formula(content, expanded.pairs, expanded.orbits),
        source=path,
    )


def _read_sites(sites: list[Site], orbits: list[Orbit]) -> tuple[ReadSite, ...]:
    return tuple(
        ReadSite(
            label=site.label,
            element=symbol_of(site.element),
            occupancy=site.occupancy,
            multiplicity=len(orbit.fractional),
            fractional=(float(orbit.fractional[0, 0]), float(orbit.fractional[0, 1]), float(orbit.fractional[0, 2])),
            u_iso_nm2=float(np.trace(orbit.displacement[0]) / 300),
        )
        for site, orbit in zip(sites, orbits, strict=True)
    )
