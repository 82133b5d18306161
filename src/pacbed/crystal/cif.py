"""Crystal structures as published: CIF files with occupancies and displacement tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.cell import Cell
from ase.io.cif import CIFBlock, parse_cif
from ase.spacegroup.spacegroup import parse_sitesym

from pacbed.crystal.cell import SAME_SITE_A, Crystal
from pacbed.crystal.site_checks import check_atoms, check_cell, check_site, number
from pacbed.errors import StructureError

SYMMETRY_NAMES = (
    *("_space_group_it_number", "_symmetry_int_tables_number", "_space_group_name_h-m_alt"),
    *("_symmetry_space_group_name_h-m", "_space_group.it_number", "_space_group.patterson_name_h-m"),
)


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
    sites = _sites(block, path)
    operations = _operations(block, path)
    symbols, fractional, occupancy, tensors = [], [], [], []
    for symbol, position, site_occupancy, star in sites:
        images = _expand_site(position, star, operations, cell)
        for image, image_star in images:
            symbols.append(symbol)
            fractional.append(image)
            occupancy.append(site_occupancy)
            tensors.append(cell.T @ image_star @ cell)
    crystal = Crystal(
        cell=cell,
        symbols=symbols,
        positions=np.array(fractional) @ cell,
        occupancy=np.array(occupancy),
        displacement=np.array(tensors),
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


def _sites(block: CIFBlock, path: Path) -> list[tuple[str, np.ndarray, float, np.ndarray]]:
    """Symbol, fractional position, occupancy and U* = M^-T U M^-1 (M the cell, rows as vectors) of each site."""
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
        where = f"{label} in {path}"
        occupancy = number(occupancies[index], f"occupancy of {where}")
        isotropic = 0.0
        if label not in aniso and (u_iso or b_iso):
            value = number((u_iso or b_iso or [])[index], f"displacement of {where}")
            isotropic = value if u_iso else value / (8 * np.pi**2)
        check_site(symbols[index], occupancy, isotropic, where)
        star = aniso.get(label, isotropic * inverse.T @ inverse)
        position = np.array([number(column[index], f"position of {where}") for column in columns if column])
        sites.append((symbols[index], position, occupancy, star))
    return sites


def _anisotropic(block: CIFBlock, inverse: np.ndarray) -> dict[str, np.ndarray]:
    labels = _column(block, "_atom_site_aniso_label")
    if labels is None:
        return {}
    lengths = np.linalg.norm(inverse, axis=0)  # a*, b*, c* [1/Å]
    tensors = {}
    components = {
        name: [number(value, f"U_{name}") for value in _column(block, f"_atom_site_aniso_u_{name}") or []]
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


def _operations(block: CIFBlock, path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
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
    return list(zip(rotations, translations, strict=True))


def _expand_site(
    position: np.ndarray, star: np.ndarray, operations: list[tuple[np.ndarray, np.ndarray]], cell: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    images: list[tuple[np.ndarray, list[np.ndarray]]] = []
    for rotation, translation in operations:
        image = (rotation @ position + translation) % 1.0
        image[image > 1 - 1e-6] = 0.0
        turned = rotation @ star @ rotation.T
        for known, stars in images:
            difference = image - known
            if np.linalg.norm((difference - np.round(difference)) @ cell) < SAME_SITE_A:
                stars.append(turned)
                break
        else:
            images.append((image, [turned]))
    # The mean over the stabiliser restores the site symmetry that rounding in the file may have broken.
    return [(image, np.mean(stars, axis=0)) for image, stars in images]
