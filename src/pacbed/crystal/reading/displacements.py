"""Displacement parameters of a CIF: U, B and beta, isotropic or not, and what a configuration gives instead.

exp(-2 pi^2 h^T U* h) is the Debye-Waller factor of an atom for indices h; U*_ij = U_ij a*_i a*_j, B = 8 pi^2 U,
beta = 2 pi^2 U* (Trueblood et al., Acta Cryst. A52, 770, 1996).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from pacbed.crystal.reading.blocks import Block, Column
from pacbed.crystal.reading.sites import Site, site_column, sites_called
from pacbed.crystal.reading.text import is_missing, number

B_OVER_U = 8 * np.pi**2
LARGEST_U_A2 = 0.2  # amplitudes of 0.45 Å; what is larger is B, or wrong
SMALLEST_U_A2 = 5e-4  # zero-point motion of heavy atoms in stiff crystals; what is smaller may be in nm^2
# Two statements on one site: ratio from which one is taken for another quantity (B is 79 U), ratio that is told of,
# and difference [Å^2] that rounding leaves.
CONFLICTING, DIFFERING, ROUNDING_A2 = 5.0, 1.5, 3e-3
NEGATIVE_U_A2 = -1e-4  # refined tensors of nearly flat ellipsoids round to this
ISOTROPIC = {  # U of one unit of a column; geometric means of the axes of an ellipsoid are near the others
    "U_iso_or_equiv": 1.0,
    "B_iso_or_equiv": 1 / B_OVER_U,
    "U_equiv_geom_mean": 1.0,
    "B_equiv_geom_mean": 1 / B_OVER_U,
}
ALIKE = re.compile(r"_atom_site_[ub]_?(iso|eq|ani)[^.]*$")  # what looks like one of them, and is not in the dictionary
COMPONENTS = ("11", "22", "33", "12", "13", "23")
INDICES = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
WRITE = (
    "_atom_site_U_iso_or_equiv [Å^2] in the row of every site, or crystal.displacements in the configuration, such as "
    "{label}: 0.00006 (u_iso in nm^2, by label or by element)"
)


def read_displacements(
    block: Block, sites: list[Site], lattice: np.ndarray, given: Mapping[str, float]
) -> tuple[np.ndarray, list[str]]:
    """Read U* of every site: of the anisotropic loop, else U_iso, else B_iso, else what is given.

    Parameters
    ----------
    block : Block
    sites : list of Site
    lattice : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    given : mapping of str to float
        u_iso [nm^2] by label or element, for sites without parameters in the file.

    Returns
    -------
    stars : ndarray, shape (site, 3, 3)
        U* in fractional coordinates, M^-T U M^-1; zero for all sites of a file without any parameters.
    notes : list of str

    Raises
    ------
    StructureError
        Some sites have parameters and others none or 0, sizes are impossible, or labels fit no site.
    """
    inverse = np.linalg.inv(lattice)
    anisotropic = _anisotropic(block, sites, inverse)
    isotropic = [_isotropic(block, site) for site in sites]
    stars: list[np.ndarray | None] = []
    for site, stated in zip(sites, isotropic, strict=True):
        star = anisotropic.get(site.label)
        u_iso = next(iter(stated.values()), None) if star is None else None
        stars.append(star if u_iso is None else u_iso * inverse.T @ inverse)
    _check_type(block, sites)
    _check_tags(block)
    notes = _fill(block, sites, stars, given, inverse)
    _check_complete(block, sites, stars)
    found = [np.zeros((3, 3)) if star is None else star for star in stars]
    for site, star, stated in zip(sites, found, isotropic, strict=True):
        _check_size(block, site, lattice.T @ star @ lattice)
        loop = {"the anisotropic loop": _mean(star, lattice)} if site.label in anisotropic else {}
        notes += _agreement(block, site, loop | stated)
    return np.array(found), notes + _smallest(sites, found, lattice)


def _isotropic(block: Block, site: Site) -> dict[str, float]:
    """U [Å^2] of one site by tag, from U and from B; empty where both are missing."""
    base = block.column("_atom_site_fract_x")
    assert base is not None  # sites have positions
    stated: dict[str, float] = {}
    for name, factor in ISOTROPIC.items():
        column = site_column(block, name, base)
        if column is None or is_missing(column.values[site.row]):
            continue
        found = number(column.values[site.row])
        if found is None or found.value < 0:
            what = f"displacement of {site.label}, {column.tag}"
            raise block.refusal(what, column.values[site.row], "a number, 0 or more [Å^2]", block.site_line(site.row))
        stated[column.tag] = found.value * factor
    return stated


def _agreement(block: Block, site: Site, stated: dict[str, float]) -> list[str]:
    """A note on statements on one site that differ, U [Å^2] by where it stands; 0 says nothing.

    Raises
    ------
    StructureError
        They differ so much that one must be wrong.
    """
    values = {where: u for where, u in stated.items() if u > 0}
    least, largest = min(values.values(), default=0.0), max(values.values(), default=0.0)
    if largest <= DIFFERING * least or largest - least <= ROUNDING_A2:
        return []
    shown = ", ".join(f"U = {u:.3g} Å^2 of {where}" for where, u in values.items())
    if largest > CONFLICTING * least:
        advice = "one U for a site; is one a B, or beta, under the tag of U? Delete the wrong one"
        raise block.refusal(f"displacement of {site.label}", shown, advice, block.site_line(site.row))
    return [f"site {site.label} has {shown}; the first is used"]


def _check_type(block: Block, sites: list[Site]) -> None:
    """Refuse values under a tag of U that their type says to be B."""
    types = block.column("_atom_site_adp_type", "_atom_site_thermal_displace_type")
    tags = ("_atom_site_B_iso_or_equiv", "_atom_site_aniso_B_11", "_atom_site_aniso_beta_11")
    if types is None or any(tag.lower() in block.tags() for tag in tags):
        return
    for site in sites:
        kind = types.values[site.row] if site.row < len(types.values) else "?"
        if kind.lower() in ("biso", "bani") and "_atom_site_u_iso_or_equiv" in block.tags():
            advice = "Uiso or Uani, or B under a tag of B (_atom_site_B_iso_or_equiv, _atom_site_aniso_B_11)"
            raise block.refusal(f"{types.tag} of {site.label} beside U", kind, advice, block.site_line(site.row))


def _check_tags(block: Block) -> None:
    """Refuse a file whose only displacement parameters may be under a tag that is not read as such."""
    tags = block.tags()
    unread = [tag for tag in tags if ALIKE.match(tag)]
    known = {f"_atom_site_{name.lower()}" for name in ISOTROPIC}
    if unread and known.isdisjoint(tags) and not any("_aniso_" in tag for tag in tags):
        advice = "_atom_site_U_iso_or_equiv or _atom_site_B_iso_or_equiv [Å^2]"
        raise block.refusal("tag of displacement parameters", unread[0], advice, block.line(unread[0]))


def _mean(star: np.ndarray, lattice: np.ndarray) -> float:
    """A third of the trace of U [Å^2]."""
    return float(np.trace(lattice.T @ star @ lattice)) / 3


def _smallest(sites: list[Site], stars: list[np.ndarray], lattice: np.ndarray) -> list[str]:
    """A note on sites that would vibrate less than any atom does."""
    names = [site.label for site, star in zip(sites, stars, strict=True) if 0 < _mean(star, lattice) < SMALLEST_U_A2]
    note = f"U of {', '.join(names)} is below {SMALLEST_U_A2:g} Å^2, less than zero-point motion: is it in nm^2?"
    return [note] if names else []


def _anisotropic(block: Block, sites: list[Site], inverse: np.ndarray) -> dict[str, np.ndarray]:
    """U* by label of a site, of the rows of the anisotropic loop that are not all missing; of U before B and beta."""
    lengths = np.linalg.norm(inverse, axis=0)  # a*, b*, c* [1/Å]
    of_u = np.outer(lengths, lengths)
    tensors: dict[str, np.ndarray] = {}
    for kind, scale in (("U", of_u), ("B", of_u / B_OVER_U), ("beta", np.full((3, 3), 1 / (2 * np.pi**2)))):
        for label, matrix in _loop(block, sites, kind).items():
            tensors.setdefault(label, matrix * scale)
    return tensors


def _loop(block: Block, sites: list[Site], kind: str) -> dict[str, np.ndarray]:
    """Matrices of one kind by label of a site, shape (3, 3) each; as written."""
    tags = [f"_atom_site_aniso_{kind}_{component}" for component in COMPONENTS]
    columns = [column for column in map(block.column, tags) if column is not None]
    if not columns:
        return {}
    labels = block.column("_atom_site_aniso_label", "_atom_site_label")  # or beside the positions
    if labels is None or any(column.item != labels.item for column in columns) or len(columns) < len(tags):
        advice = f"a loop of _atom_site_aniso_label, {', '.join(tags)}"
        raise block.refusal("anisotropic loop", f"{len(columns)} of 6 components", advice, columns[0].line)
    matrices: dict[str, np.ndarray] = {}
    for row, text in enumerate(labels.values):
        matrix = _matrix(block, columns, row, text)
        if matrix is None:
            continue
        for label in sites_called(text, sites, labels, row, block):
            if label in matrices:
                got = f"{text} in two rows"
                raise block.refusal(labels.tag, got, "one row for a site", block.row_line(labels, row))
            matrices[label] = matrix
    return matrices


def _matrix(block: Block, columns: list[Column], row: int, label: str) -> np.ndarray | None:
    texts = [column.values[row] for column in columns]
    if all(map(is_missing, texts)):
        return None
    matrix = np.zeros((3, 3))
    for column, text, (i, j) in zip(columns, texts, INDICES, strict=True):
        found = number(text)
        if found is None:
            what = f"displacement of {label}, {column.tag}"
            raise block.refusal(what, text, "a number [Å^2]", block.row_line(column, row))
        matrix[i, j] = matrix[j, i] = found.value
    return matrix


def _fill(
    block: Block, sites: list[Site], stars: list[np.ndarray | None], given: Mapping[str, float], inverse: np.ndarray
) -> list[str]:
    """Put given values where the file has none, or 0; what was filled in, as notes."""
    known = {site.label for site in sites} | {site.element for site in sites}
    for key, u_nm2 in given.items():
        what = f"crystal.displacements of {key}"
        if key not in known:
            raise block.refusal(what, u_nm2, f"labels or elements of sites: {', '.join(sorted(known))}")
        if not 0 < u_nm2 * 100 <= LARGEST_U_A2:
            raise block.refusal(what, u_nm2, f"u_iso above 0, at most {LARGEST_U_A2 / 100:g} nm^2")
    filled: dict[str, list[str]] = {}
    for index, site in enumerate(sites):
        key = site.label if site.label in given else site.element
        if key in given and not np.any(stars[index] if stars[index] is not None else 0):
            stars[index] = given[key] * 100 * inverse.T @ inverse
            filled.setdefault(key, []).append(site.label)
    notes = [
        f"u_iso = {given[key]:g} nm^2 of the configuration for {', '.join(labels)}" for key, labels in filled.items()
    ]
    return notes + [f"crystal.displacements of {key} is not used: the file has values" for key in given.keys() - filled]


def _check_complete(block: Block, sites: list[Site], stars: list[np.ndarray | None]) -> None:
    missing = [site for site, star in zip(sites, stars, strict=True) if star is None]
    zero = [site for site, star in zip(sites, stars, strict=True) if star is not None and not np.any(star)]
    if len(missing) + len(zero) in (0, len(sites)):
        return
    site = (missing or zero)[0]
    names = ", ".join(other.label for other in (missing or zero))
    got = f"U of {names} missing" if missing else f"{names} has U = 0"
    what = f"displacement of {site.label}: it has no displacement parameters"
    raise block.refusal(what, got, WRITE.format(label=site.label), block.site_line(site.row))


def _check_size(block: Block, site: Site, tensor: np.ndarray) -> None:
    principal = np.linalg.eigvalsh(tensor)
    if principal.max() > LARGEST_U_A2:
        got = f"U of {principal.max():.3g} Å^2"
        advice = (
            f"at most {LARGEST_U_A2:g} Å^2 (it is no U; if it is B, name it _atom_site_B_iso_or_equiv or _aniso_B_)"
        )
        raise block.refusal(f"displacement of {site.label}", got, advice, block.site_line(site.row))
    if principal.min() < NEGATIVE_U_A2:
        got = f"a negative principal value, {principal.min():.3g} Å^2"
        raise block.refusal(f"displacement tensor of {site.label}", got, "0 Å^2 or more", block.site_line(site.row))
