"""Crystal structures as published: CIF files with occupancies and displacement tensors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.cell import Cell
from ase.io.cif import CIFBlock, parse_cif
from ase.spacegroup.spacegroup import parse_sitesym

from pacbed.errors import StructureError

SAME_SITE_A = 0.05  # images of one site that lie closer than this are one atom


@dataclass(frozen=True)
class Crystal:
    """One unit cell of a crystal.

    Attributes
    ----------
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    symbols : list of str
        Chemical symbols, one per atom.
    positions : ndarray, shape (atom, 3)
        Cartesian positions [Å].
    occupancy : ndarray, shape (atom,)
        Site occupancy, 0 to 1.
    displacement : ndarray, shape (atom, 3, 3)
        Cartesian mean-square displacement tensors U [Å^2].
    formula : str
        Formula of the cell content.
    source : str
        File the structure was read from.
    """

    cell: np.ndarray
    symbols: list[str]
    positions: np.ndarray
    occupancy: np.ndarray
    displacement: np.ndarray
    formula: str
    source: str

    @property
    def fractional(self) -> np.ndarray:
        """Fractional positions, shape (atom, 3)."""
        return self.positions @ np.linalg.inv(self.cell)

    @property
    def volume_a3(self) -> float:
        """Volume of the cell [Å^3]."""
        return float(abs(np.linalg.det(self.cell)))

    def to_atoms(self) -> Atoms:
        """The structure as ASE atoms (occupancy and displacements stay behind)."""
        return Atoms(self.symbols, positions=self.positions, cell=self.cell, pbc=True)

    def site_types(self) -> np.ndarray:
        """Integers, shape (atom,), equal for atoms of one element, occupancy and set of principal displacements."""
        keys = [
            (symbol, round(float(occupancy), 4), *np.round(np.linalg.eigvalsh(tensor), 5))
            for symbol, occupancy, tensor in zip(self.symbols, self.occupancy, self.displacement, strict=True)
        ]
        order = {key: index for index, key in enumerate(dict.fromkeys(keys))}
        return np.array([order[key] for key in keys])


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
    _refuse_overlaps(crystal)
    return crystal


def _first_structure(path: Path) -> CIFBlock:
    if not path.is_file():
        raise StructureError(f"cif: got {str(path)!r}, accepted: the path of an existing CIF file")
    try:
        with path.open("rb") as stream:
            blocks = list(parse_cif(stream))
    except Exception as error:  # whatever the third-party parser trips over means: not a CIF
        raise StructureError(f"cif: {path} cannot be read as a CIF file ({error})") from error
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


def _number(value: object) -> float:
    """A CIF number, its standard uncertainty in brackets dropped."""
    return float(re.sub(r"\(.*\)", "", str(value)))


def _sites(block: CIFBlock, path: Path) -> list[tuple[str, np.ndarray, float, np.ndarray]]:
    """Symbol, fractional position, occupancy and U* = M^-T U M^-1 (M the cell, rows as vectors) of each site."""
    labels = _column(block, "_atom_site_label", "_atom_site_type_symbol")
    symbols = block.get_symbols()
    columns = [_column(block, f"_atom_site_fract_{axis}") for axis in "xyz"]
    if labels is None or any(column is None for column in columns):
        raise StructureError(f"cif: {path} lists no fractional atom positions")
    occupancies = _column(block, "_atom_site_occupancy") or [1.0] * len(labels)
    u_iso = _column(block, "_atom_site_u_iso_or_equiv")
    b_iso = _column(block, "_atom_site_b_iso_or_equiv")
    inverse = np.linalg.inv(np.array(Cell.fromcellpar(block.get_cellpar())))
    aniso = _anisotropic(block, inverse)
    sites = []
    for index, label in enumerate(labels):
        occupancy = _number(occupancies[index])
        if not 0 < occupancy <= 1:
            raise StructureError(f"occupancy of {label} in {path}: got {occupancy:g}, accepted: above 0, at most 1")
        isotropic = _number(u_iso[index]) if u_iso else (_number(b_iso[index]) / (8 * np.pi**2) if b_iso else 0.0)
        star = aniso.get(label, isotropic * inverse.T @ inverse)
        position = np.array([_number(column[index]) for column in columns if column is not None])
        sites.append((symbols[index], position, occupancy, star))
    return sites


def _anisotropic(block: CIFBlock, inverse: np.ndarray) -> dict[str, np.ndarray]:
    labels = _column(block, "_atom_site_aniso_label")
    if labels is None:
        return {}
    lengths = np.linalg.norm(inverse, axis=0)  # a*, b*, c* [1/Å]
    tensors = {}
    components = {
        name: [_number(value) for value in _column(block, f"_atom_site_aniso_u_{name}") or []]
        for name in ("11", "22", "33", "12", "13", "23")
    }
    for index, label in enumerate(labels):
        u = {name: values[index] for name, values in components.items()}
        matrix = np.array(
            [[u["11"], u["12"], u["13"]], [u["12"], u["22"], u["23"]], [u["13"], u["23"], u["33"]]], dtype=float
        )
        tensors[label] = matrix * np.outer(lengths, lengths)
    return tensors


def _operations(block: CIFBlock, path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    listed = _column(block, "_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
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


def _refuse_overlaps(crystal: Crystal) -> None:
    distances = crystal.to_atoms().get_all_distances(mic=True)
    close = np.argwhere(np.triu(distances < 0.5, k=1))
    for first, second in close:
        shared = distances[first, second] < SAME_SITE_A
        if not (shared and crystal.occupancy[first] + crystal.occupancy[second] <= 1 + 1e-6):
            raise StructureError(
                f"{crystal.source}: atoms {crystal.symbols[first]} {first} and {crystal.symbols[second]} {second} are "
                f"{distances[first, second]:.2f} Å apart, accepted: 0.5 Å or more, "
                "or one site shared by occupancies up to 1"
            )
