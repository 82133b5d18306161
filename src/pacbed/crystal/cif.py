"""Crystal structures as published: CIF files with occupancies and displacement tensors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.cell import Cell
from ase.io.cif import CIFBlock, parse_cif
from ase.spacegroup.spacegroup import parse_sitesym

from pacbed.crystal.cell import SAME_SITE_A, Crystal, SymmetryOperation, check_atoms, check_cell, check_site
from pacbed.errors import StructureError

SYMMETRY_NAMES = (
    *("_space_group_it_number", "_symmetry_int_tables_number", "_space_group_name_h-m_alt"),
    *("_symmetry_space_group_name_h-m", "_space_group.it_number", "_space_group.patterson_name_h-m"),
)


class Site(NamedTuple):
    """One line of the atom sites of a CIF file.

    Attributes
    ----------
    symbol : str
        Chemical symbol.
    fractional : ndarray, shape (3,)
        Position in units of the lattice vectors.
    occupancy : float
    star : ndarray, shape (3, 3)
        U* = M^-T U M^-1, M the cell with its vectors as rows: the displacement tensor in fractional coordinates.
    """

    symbol: str
    fractional: np.ndarray
    occupancy: float
    star: np.ndarray


class Image(NamedTuple):
    """A symmetry-equivalent atom of a site: fractional position, shape (3,), and U*, shape (3, 3), as in `Site`."""

    fractional: np.ndarray
    star: np.ndarray


def read_cif(path: str | Path) -> Crystal:
    """Read the first structure of a CIF file and expand its symmetry.

    Displacement tensors are turned with every symmetry operation; U is taken from the anisotropic loop,
    else from ``_atom_site_U_iso_or_equiv``, else from ``_atom_site_B_iso_or_equiv``.

    Parameters
    ----------
    path : str or Path
        A CIF file.

    Returns
    -------
    Crystal
        All atoms of one unit cell.

    Raises
    ------
    StructureError
        The file is missing, is not a CIF with a structure, or describes an impossible one.
    """
    path = Path(path)
    block = _first_structure(path)
    check_cell(block.get_cellpar() or [], str(path))
    cell = np.array(Cell.fromcellpar(block.get_cellpar()))
    operations = _operations(block, path)
    atoms = [(site, image) for site in _sites(block, path) for image in _expand_site(site, operations, cell)]
    symbols = [site.symbol for site, _ in atoms]
    crystal = Crystal(
        cell=cell,
        symbols=symbols,
        positions=np.array([image.fractional for _, image in atoms]) @ cell,
        occupancy=np.array([site.occupancy for site, _ in atoms]),
        displacement=np.array([cell.T @ image.star @ cell for _, image in atoms]),
        formula=Atoms(symbols).get_chemical_formula(mode="metal", empirical=True),
        source=str(path),
    )
    check_atoms(crystal)
    return crystal


def _first_structure(path: Path) -> CIFBlock:
    if not path.is_file():
        raise StructureError(f"cif: got {str(path)!r}, accepted: the path of an existing CIF file")
    try:
        with path.open("rb") as stream:
            blocks = list(parse_cif(stream))
    except Exception as error:  # whatever the third-party parser trips over means: not a CIF
        raise StructureError(
            f"cif: {path} cannot be read as a CIF file ({type(error).__name__} {error}), accepted: a CIF with one "
            "crystal structure"
        ) from error
    for block in blocks:
        if block.has_structure() and block.get_cellpar() is not None:
            return block
    raise StructureError(f"cif: {path} holds no cell with atom sites, accepted: a CIF with one crystal structure")


def _column(block: CIFBlock, *names: str) -> list | None:
    for name in names:
        if block.get(name) is not None:
            values = block[name]
            return list(values) if isinstance(values, list) else [values]
    return None


def _number(value: object, what: str) -> float:
    """A CIF number, its standard uncertainty in brackets dropped."""
    try:
        return float(re.sub(r"\(.*\)", "", str(value)))
    except ValueError:
        raise StructureError(f"{what}: got {value!s}, accepted: a number") from None


def _sites(block: CIFBlock, path: Path) -> list[Site]:
    labels = _column(block, "_atom_site_label", "_atom_site_type_symbol")
    columns = [_column(block, f"_atom_site_fract_{axis}") for axis in "xyz"]
    if not labels or any(column is None or len(column) != len(labels) for column in columns):
        raise StructureError(f"cif: {path} lists no complete fractional atom positions")
    symbols = block.get_symbols()
    occupancies = _column(block, "_atom_site_occupancy") or [1.0] * len(labels)
    u_iso = _column(block, "_atom_site_u_iso_or_equiv")
    b_iso = _column(block, "_atom_site_b_iso_or_equiv")
    inverse = np.linalg.inv(np.array(Cell.fromcellpar(block.get_cellpar())))
    aniso = _anisotropic(block, inverse)
    sites = []
    for index, label in enumerate(labels):
        name = f"{label} in {path}"
        occupancy = _number(occupancies[index], f"occupancy of {name}")
        isotropic = 0.0
        if label not in aniso and (u_iso or b_iso):
            value = _number((u_iso or b_iso or [])[index], f"displacement of {name}")
            isotropic = value if u_iso else value / (8 * np.pi**2)
        check_site(symbols[index], occupancy, isotropic, name)
        star = aniso.get(label, isotropic * inverse.T @ inverse)
        fractional = np.array([_number(column[index], f"position of {name}") for column in columns if column])
        sites.append(Site(symbols[index], fractional, occupancy, star))
    return sites


def _anisotropic(block: CIFBlock, inverse: np.ndarray) -> dict[str, np.ndarray]:
    """U* of each label of the anisotropic loop; `inverse` is that of the cell, shape (3, 3) [1/Å]."""
    labels = _column(block, "_atom_site_aniso_label")
    if labels is None:
        return {}
    lengths = np.linalg.norm(inverse, axis=0)  # a*, b*, c* [1/Å]
    tensors = {}
    components = {
        name: [_number(value, f"U_{name}") for value in _column(block, f"_atom_site_aniso_u_{name}") or []]
        for name in ("11", "22", "33", "12", "13", "23")
    }
    for index, label in enumerate(labels):
        if any(len(values) != len(labels) for values in components.values()):
            raise StructureError("cif: _atom_site_aniso_U lacks components, accepted: U_11 to U_23 of every label")
        u = {name: values[index] for name, values in components.items()}
        matrix = np.array(
            [[u["11"], u["12"], u["13"]], [u["12"], u["22"], u["23"]], [u["13"], u["23"], u["33"]]], dtype=float
        )
        tensors[label] = matrix * np.outer(lengths, lengths)
    return tensors


def _operations(block: CIFBlock, path: Path) -> list[SymmetryOperation]:
    listed = _column(block, "_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
    if not listed and all(block.get(name) is None for name in SYMMETRY_NAMES):
        raise StructureError(
            f"cif: {path} says nothing of symmetry, accepted: a list of operations, or a space group ('P 1' if the "
            "file lists every atom of the cell)"
        )
    try:
        if listed:  # what the file lists outranks the name of a space group
            rotations, translations = parse_sitesym(listed)
        else:
            rotations, translations = block.get_spacegroup(subtrans_included=True).get_op()
    except Exception as error:  # ASE raises many kinds here
        raise StructureError(f"cif: the symmetry of {path} is not understood ({error})") from error
    return [SymmetryOperation(*pair) for pair in zip(rotations, translations, strict=True)]


def _expand_site(site: Site, operations: list[SymmetryOperation], cell: np.ndarray) -> list[Image]:
    positions: list[np.ndarray] = []
    stars: list[list[np.ndarray]] = []
    for rotation, translation in operations:
        position = (rotation @ site.fractional + translation) % 1.0
        position[position > 1 - 1e-6] = 0.0
        turned = rotation @ site.star @ rotation.T
        for known, tensors in zip(positions, stars, strict=True):
            difference = position - known
            if np.linalg.norm((difference - np.round(difference)) @ cell) < SAME_SITE_A:
                tensors.append(turned)
                break
        else:
            positions.append(position)
            stars.append([turned])
    # The mean over the stabiliser restores the site symmetry that rounding in the file may have broken.
    return [Image(position, np.mean(tensors, axis=0)) for position, tensors in zip(positions, stars, strict=True)]
