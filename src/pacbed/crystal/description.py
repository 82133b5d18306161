"""What a CIF file holds as it is read, and the slab that a zone axis makes of it: what will be simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import ReadSite, ReadStructure
from pacbed.crystal.identity import nearest_offsets

COLUMNS = ("label", "element", "occupancy", "multiplicity", "x", "y", "z", "U [Å^2]")
NO_DISPLACEMENTS = (
    "no displacement parameters: atoms at rest. For a simulation with thermal motion write, with your values of u_iso "
    "[nm^2] by label or element, into the configuration: crystal.displacements: {{{lines}}}"
)


class CellParameters(NamedTuple):
    """Lengths [nm] and angles [deg] of a unit cell."""

    a_nm: float
    b_nm: float
    c_nm: float
    alpha_deg: float
    beta_deg: float
    gamma_deg: float


@dataclass(frozen=True)
class Slab:
    """The period of a crystal along a zone axis that the simulation repeats.

    Attributes
    ----------
    zone_axis : tuple of int
        Shortest indices [uvw] of the published cell.
    atoms : int
        Of the smallest cell with a vector along the beam.
    volume_nm3, period_nm : float
        Of that cell [nm^3], and its repeat along the beam [nm].
    beam_group : int
        Operations that keep the beam direction, screws and glides along it included; the simulation starts from these
        and measures which of them the slab has.
    without_lift : int
        Those of them without a part along the beam, which every slab has.
    """

    zone_axis: tuple[int, int, int]
    atoms: int
    volume_nm3: float
    period_nm: float
    beam_group: int
    without_lift: int

    def as_json(self) -> dict[str, Any]:
        """Plain values, ``zone_axis`` as a list."""
        return {
            "zone_axis": list(self.zone_axis),
            "atoms": self.atoms,
            "volume_nm3": self.volume_nm3,
            "period_nm": self.period_nm,
            "beam_group": self.beam_group,
            "beam_group_without_lift": self.without_lift,
        }

    def lines(self) -> list[str]:
        """The same in two lines."""
        uvw = " ".join(str(index) for index in self.zone_axis)
        return [
            f"slab along [{uvw}]: {self.atoms} atoms, {self.volume_nm3:.6g} nm^3, period along the beam "
            f"{self.period_nm:.6g} nm",
            f"beam group: {self.beam_group} operations, {self.without_lift} of them without a shift along the beam",
        ]


def describe_slab(oriented: Crystal, zone_axis: tuple[int, int, int]) -> Slab:
    """Describe a crystal along a zone axis.

    Parameters
    ----------
    oriented : Crystal
        Output of `orient`.
    zone_axis : tuple of int
        [uvw] of the published cell.
    """
    from pacbed.crystal.beam_group import beam_group, upright_operations  # spglib: not with a prediction alone

    return Slab(
        zone_axis=zone_axis,
        atoms=len(oriented.symbols),
        volume_nm3=oriented.volume_a3 / 1e3,
        period_nm=float(oriented.cell[2, 2]) / 10,
        beam_group=len(upright_operations(oriented).matrices),
        without_lift=len(beam_group(oriented)),
    )


def settling_note(crystal: Crystal) -> str | None:
    """Whether atoms that only decimals keep off their special positions are moved in the slab, and by how much.

    Parameters
    ----------
    crystal : Crystal
        As read.
    """
    from pacbed.crystal.beam_group import symmetrised, symmetry_operations

    settled = symmetrised(crystal, symmetry_operations(crystal))
    shift = np.linalg.norm(nearest_offsets(settled.fractional - crystal.fractional, crystal.cell), axis=1).max()
    return f"in the slab, atoms are put onto their special positions, by at most {shift:.1e} Å" if shift > 0 else None


def cell_parameters(crystal: Crystal) -> CellParameters:
    """Lengths and angles of the cell of a crystal."""
    cell = crystal.cell
    lengths = np.linalg.norm(cell, axis=1)
    cosines = (cell @ cell.T) / np.outer(lengths, lengths)
    angles = np.rad2deg(np.arccos(np.clip(cosines[[1, 0, 0], [2, 2, 1]], -1, 1)))
    return CellParameters(*(lengths / 10).tolist(), *angles.tolist())


def structure_json(read: ReadStructure) -> dict[str, Any]:
    """What a file holds as plain values.

    Parameters
    ----------
    read : ReadStructure

    Returns
    -------
    dict
        ``formula``, ``atoms`` (of the cell), ``cell`` (lengths [nm], angles [deg]), ``cell_volume_nm3``,
        ``density_g_cm3``, ``space_group``, ``sites`` and ``warnings``. ``u_iso_nm2`` of a site is None where the file
        has no displacement parameters, or only zeros.
    """
    return {
        "formula": read.crystal.formula,
        "atoms": len(read.crystal.symbols),
        "cell": cell_parameters(read.crystal)._asdict(),
        "cell_volume_nm3": read.crystal.volume_a3 / 1e3,
        "density_g_cm3": read.density_g_cm3,
        "space_group": read.space_group,
        "sites": [_site_json(site) for site in read.sites],
        "warnings": list(read.notes),
    }


def structure_lines(read: ReadStructure) -> list[str]:
    """The same for reading: a line each for cell and density, a table of the sites, and what was put right.

    Parameters
    ----------
    read : ReadStructure
    """
    cell = cell_parameters(read.crystal)
    lengths, angles = (", ".join(f"{value:.6g}" for value in part) for part in (cell[:3], cell[3:]))
    lines = [
        f"{read.crystal.formula}, space group {read.space_group}: {len(read.crystal.symbols)} atoms in the cell",
        f"cell {lengths} nm, {angles}°; {read.crystal.volume_a3 / 1e3:.6g} nm^3, {read.density_g_cm3:.4g} g/cm^3",
        *_table([COLUMNS, *(_row(site) for site in read.sites)]),
    ]
    if not np.any(read.crystal.displacement):
        symbols = dict.fromkeys(site.element for site in read.sites)
        lines.append(NO_DISPLACEMENTS.format(lines=", ".join(f"{symbol}: ..." for symbol in symbols)))
    lines += [f"put right or worth a look: {note}" for note in read.notes]
    return lines


def _site_json(site: ReadSite) -> dict[str, Any]:
    return {
        "label": site.label,
        "element": site.element,
        "occupancy": site.occupancy,
        "multiplicity": site.multiplicity,
        "fract": list(site.fractional),
        "u_iso_nm2": site.u_iso_nm2 or None,
    }


def _row(site: ReadSite) -> tuple[str, ...]:
    position = (f"{value:.6f}" for value in site.fractional)
    u_iso = f"{100 * site.u_iso_nm2:.5f}" if site.u_iso_nm2 else "none"
    return (site.label, site.element, f"{site.occupancy:g}", str(site.multiplicity), *position, u_iso)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they must be, texts to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.ljust(width) if index < 2 else text.rjust(width)
            for index, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
