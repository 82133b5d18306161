"""The catalogue: every CIF file is the crystal it names, every configuration fits its file, and the page tells both."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
import spglib
from ase.neighborlist import neighbor_list

from pacbed.config.system import SystemConfig, load_config
from pacbed.crystal.beam_group import beam_group
from pacbed.crystal.cell import Crystal, zone_axis_indices
from pacbed.crystal.cif import ReadStructure, read_structure
from pacbed.crystal.orientation import orient

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
CIFS = sorted((ROOT / "structures").glob("*.cif"))
CONFIGS = sorted((ROOT / "config" / "catalogue").glob("*.yaml"))

# Formula; density of handbooks [g/cm^3]; bonds: centre, ligand, their number, their mean length [Å] by tables or radii.
EXPECTED = {
    "silicon": ("Si", 2.33, [("Si", "Si", 4, 2.35)]),
    "germanium": ("Ge", 5.32, [("Ge", "Ge", 4, 2.45)]),
    "diamond": ("C", 3.51, [("C", "C", 4, 1.54)]),
    "gold": ("Au", 19.3, [("Au", "Au", 12, 2.88)]),
    "platinum": ("Pt", 21.45, [("Pt", "Pt", 12, 2.77)]),
    "copper": ("Cu", 8.94, [("Cu", "Cu", 12, 2.56)]),
    "aluminium": ("Al", 2.70, [("Al", "Al", 12, 2.86)]),
    "gaas": ("GaAs", 5.32, [("Ga", "As", 4, 2.45)]),
    "gan": ("GaN", 6.1, [("Ga", "N", 4, 1.95)]),
    "aln": ("AlN", 3.26, [("Al", "N", 4, 1.90)]),
    "zno": ("ZnO", 5.68, [("Zn", "O", 4, 1.98)]),
    "mgo": ("MgO", 3.58, [("Mg", "O", 6, 2.11)]),
    "ceo2": ("CeO2", 7.22, [("Ce", "O", 8, 2.34)]),
    "sapphire": ("Al2O3", 3.99, [("Al", "O", 6, 1.91)]),
    "quartz": ("O2Si", 2.65, [("Si", "O", 4, 1.61)]),
    "laalo3": ("AlLaO3", 6.52, [("Al", "O", 6, 1.90)]),
    "lsmo30": ("La0.7Sr0.3MnO3", 6.45, [("Mn", "O", 6, 1.95)]),
    "dysco3": ("DyScO3", 6.9, [("Sc", "O", 6, 2.09)]),
    "ndgao3": ("GaNdO3", 7.57, [("Ga", "O", 6, 1.98)]),
}
# Bond-valence parameters [Å]: I. D. Brown, D. Altermatt, Acta Cryst. B41, 244 (1985); N. E. Brese, M. O'Keeffe,
# Acta Cryst. B47, 192 (1991).
VALENCE = {
    ("laalo3", "Al"): (1.651, 3),
    ("laalo3", "La"): (2.172, 3),
    ("dysco3", "Sc"): (1.849, 3),
    ("dysco3", "Dy"): (2.036, 3),
    ("ndgao3", "Ga"): (1.730, 3),
    ("ndgao3", "Nd"): (2.117, 3),
    ("lsmo30", "Mn"): (1.757, 3.3),
}
PLANE_GROUPS = {(1, 0): "1", (2, 0): "2", (1, 1): "m", (2, 2): "2mm", (4, 4): "4mm"}  # rotations and mirrors


@pytest.fixture(scope="module", params=EXPECTED)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def read(name: str) -> ReadStructure:
    return read_structure(ROOT / "structures" / f"{name}.cif")


def text_of(cif: str) -> str:
    return (ROOT / "structures" / f"{cif}.cif").read_text(encoding="utf-8")


def without(crystal: Crystal, symbol: str) -> Crystal:
    """The crystal without one element, which shares its sites with another."""
    kept = np.array(crystal.symbols) != symbol
    return replace(
        crystal,
        symbols=[one for one in crystal.symbols if one != symbol],
        positions=crystal.positions[kept],
        occupancy=crystal.occupancy[kept],
        displacement=crystal.displacement[kept],
    )


# CIF files


@pytest.mark.parametrize("cif", CIFS, ids=lambda path: path.stem)
def test_every_file_is_read_without_a_remark(cif: Path) -> None:
    assert read_structure(cif).notes == ()


def test_formula_and_density(name: str, read: ReadStructure) -> None:
    formula, density, _ = EXPECTED[name]
    weights = np.array([gemmi.Element(symbol).weight for symbol in read.crystal.symbols])
    assert read.crystal.formula == formula
    assert weights @ read.crystal.occupancy / read.crystal.volume_a3 * 1.66054 == pytest.approx(density, rel=4e-3)


def test_bonds_have_the_length_of_radii(name: str, read: ReadStructure) -> None:
    crystal = without(read.crystal, "Sr")
    first, second, distance = neighbor_list("ijd", crystal.to_atoms(), 3.5)
    symbols = np.array(crystal.symbols)
    for centre, ligand, number, mean in EXPECTED[name][2]:
        for atom in np.flatnonzero(symbols == centre):
            found = np.sort(distance[(first == atom) & (symbols[second] == ligand)])
            assert found[:number].mean() == pytest.approx(mean, abs=0.012)
            assert np.count_nonzero(found < 1.15 * mean) == number  # the shell ends there


def test_atoms_have_the_symmetry_that_the_file_states(name: str, read: ReadStructure) -> None:
    crystal = without(read.crystal, "Sr")
    stated = re.search(r"_space_group_IT_number\s+(\d+)", text_of(name))
    found = spglib.get_spacegroup((crystal.cell, crystal.fractional, crystal.site_types()), symprec=1e-4)
    assert stated is not None
    assert found.split("(")[1].rstrip(")") == stated[1]


@pytest.mark.parametrize(("name", "symbol"), VALENCE)
def test_bond_valences_bear_out_positions_that_were_not_read(name: str, symbol: str) -> None:
    crystal = without(read_structure(ROOT / "structures" / f"{name}.cif").crystal, "Sr")
    parameter, valence = VALENCE[name, symbol]
    first, second, distance = neighbor_list("ijd", crystal.to_atoms(), 3.5)
    symbols = np.array(crystal.symbols)
    atom = symbols.tolist().index(symbol)
    bonds = distance[(first == atom) & (symbols[second] == "O")]
    assert np.exp((parameter - bonds) / 0.37).sum() == pytest.approx(valence, rel=0.1)


def test_displacements_are_those_of_room_temperature(read: ReadStructure) -> None:
    rms = np.sqrt(np.linalg.eigvalsh(read.crystal.displacement))
    assert rms.min() > 0.04  # [Å]
    assert rms.max() < 0.15


def test_isotropic_equivalents_match_the_tensors(name: str, read: ReadStructure) -> None:
    block = gemmi.cif.read(str(ROOT / "structures" / f"{name}.cif")).sole_block()
    stated = {row[0]: float(row[1]) for row in block.find("_atom_site_", ["label", "U_iso_or_equiv"])}
    assert {site.label: round(100 * site.u_iso_nm2, 4) for site in read.sites} == pytest.approx(stated, abs=6e-5)


def test_every_file_names_its_source(name: str) -> None:
    text = text_of(name)
    assert text.isascii()  # the CIF standard
    assert re.match(r"# .*\n#\n# Cell|# .*\n#\n# The ", text)
    assert "# Displacement parameter" in text or "displacement tensors" in text
    assert re.search(r"_citation_year\n", text)
    assert max(len(line) for line in text.splitlines() if line.startswith("#")) <= 120


@pytest.mark.parametrize("cif", ["gan", "aln", "zno"])
def test_the_polar_axis_leaves_the_metal_face(cif: str) -> None:
    crystal = read_structure(ROOT / "structures" / f"{cif}.cif").crystal
    metal = crystal.symbols[0]
    first, second, vectors = neighbor_list("ijD", crystal.to_atoms(), 2.2)
    symbols = np.array(crystal.symbols)
    bonds = vectors[(symbols[first] == metal) & (symbols[second] != metal)]
    along = bonds[np.linalg.norm(bonds[:, :2], axis=1) < 1e-6]
    assert len(along) == 2
    assert np.all(along[:, 2] > 1.8)  # from the metal to the other atom is +c


# Configurations


def system_of(config: Path) -> SystemConfig:
    ((name, system),) = load_config([config]).systems.items()
    assert name == config.stem
    return system


def oriented(system: SystemConfig) -> Crystal:
    crystal = read_structure(ROOT / system.crystal.cif).crystal
    return orient(crystal, zone_axis_indices(system.crystal.zone_axis, crystal.cell))


def rows(title: str) -> list[list[str]]:
    """Cells of the table below a heading of the page."""
    lines = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


SYSTEMS = {row[0].strip("`"): row[1:] for row in rows("Systems")}
STRUCTURES = {row[0].strip("`").removesuffix(".cif"): row[-1] for row in rows("Structures")}


def test_the_page_lists_every_configuration_and_every_file() -> None:
    assert set(SYSTEMS) == {config.stem for config in CONFIGS}
    assert set(STRUCTURES) == set(EXPECTED)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_the_page_has_the_ranges_of_a_configuration(config: Path) -> None:
    system = system_of(config)
    thickness = system.grid.thickness_nm.values()
    axis = " ".join(map(str, system.crystal.zone_axis))
    assert SYSTEMS[config.stem][:4] == [
        f"`{system.crystal.cif.name}` [{axis}]",
        f"{system.beam.energy_kev:g}",
        f"{thickness[0]:g} to {thickness[-1]:g}",
        ", ".join(f"{angle:g}" for angle in system.grid.convergence_mrad.values()),
    ]
    assert config.stem.endswith(f"_{system.beam.energy_kev:g}kv")
    assert max(system.grid.mistilt_mrad.values()) == 5


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_the_page_has_the_symmetry_of_the_slab(config: Path) -> None:
    group = np.linalg.det(beam_group(oriented(system_of(config))))
    counts = Counter(np.sign(np.round(group)).astype(int).tolist())
    assert SYSTEMS[config.stem][4] == PLANE_GROUPS[counts[1], counts[-1]]


@pytest.mark.parametrize("cif", EXPECTED)
def test_the_page_says_where_a_number_was_not_read(cif: str) -> None:
    assert ("estimate" in STRUCTURES[cif]) == ("ESTIMATE" in text_of(cif))
    assert ("unchecked" in STRUCTURES[cif]) == ("NOT CHECKED" in text_of(cif))
    assert (STRUCTURES[cif] == "read") == (not re.search("ESTIMATE|NOT CHECKED", text_of(cif)))


@pytest.mark.parametrize(("cif", "a_pc"), [("laalo3", 3.790), ("lsmo30", 3.880)])
def test_the_pseudo_cubic_axis_is_one(cif: str, a_pc: float) -> None:
    crystal = read_structure(ROOT / "structures" / f"{cif}.cif").crystal
    for axis in [(2, 4, 1), (2, -2, 1), (-4, -2, 1)]:
        cell = orient(crystal, axis).cell
        assert cell[2, 2] == pytest.approx(2 * a_pc, rel=2e-3)
        assert np.linalg.norm(cell[:2, :2], axis=1) == pytest.approx([a_pc, a_pc], rel=2e-3)
        assert abs(cell[0, :2] @ cell[1, :2]) < 0.01 * a_pc**2
    assert orient(crystal, (2, -4, 1)).cell[2, 2] > 4 * a_pc  # a neighbour that is none


@pytest.mark.parametrize("cif", ["dysco3", "ndgao3"])
def test_110_of_pbnm_is_pseudo_cubic(cif: str) -> None:
    cell = orient(read_structure(ROOT / "structures" / f"{cif}.cif").crystal, (1, 1, 0)).cell
    assert cell[2, 2] == pytest.approx(cell[1, 1], rel=5e-3)  # two pseudo-cubic cells along the beam, two across it
    assert 2 * cell[0, 0] == pytest.approx(cell[1, 1], rel=5e-3)
