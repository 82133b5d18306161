"""Crystals, blocks, tables and stacks that cannot be used: a clear error, and nothing left behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.potentials import of_structure
from pacbed.errors import FormatError, PacbedError, SimulationError, StructureError
from pacbed.simulation.stack.assemble import assemble_stack
from pacbed.simulation.stack.parameter_grid import ParameterGrid
from pacbed.simulation.stack.stored import of_stack, open_stack
from pacbed.simulation.structure.orient_structure import orient_structure
from pacbed.simulation.structure.settings import StructureSettings
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable, of_table
from pacbed.systems import System, check_same_system

CIF = """data_test
_cell_length_a {a}
_cell_length_b 4.0
_cell_length_c 4.0
_cell_angle_alpha {alpha}
_cell_angle_beta 90
_cell_angle_gamma 90
{symmetry}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_U_iso_or_equiv
{sites}
"""
GOOD_SITES = "Sr1 Sr 0 0 0 1 0.008\nTi1 Ti 0.5 0.5 0.5 1 0.006\n"
ASKED = {
    "zone_axis": [0, 0, 1],
    "energy_kev": 200.0,
    "thermal_model": "debye_waller_absorptive",
    "parametrization": "lobato",
    "grid_px": [32, 32],
    "slice_depth_nm": 0.2,
    "thickness_max_nm": 10.0,
    "cone_mrad": 20.0,
    "field_mrad": 35.0,
    "propagator": "exact",
    "direction_pitch_mrad": 1.0,
    "plane_spacing_nm": 1.0,
    "alpha_max_mrad": 12.0,
    "tau_max_mrad": 3.0,
    "max_angle_mrad": 18.0,
    "tolerance": 2e-3,
}


def cif(a="4.0", alpha="90", symmetry="_space_group_IT_number 1", sites=GOOD_SITES):
    return CIF.format(a=a, alpha=alpha, symmetry=symmetry, sites=sites).encode()


def refusal(tmp_path, content, **changes):
    """Error of the first stage; whatever it is, nothing may be left behind."""
    file = tmp_path / "crystal.cif"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PacbedError) as caught:
        orient_structure(file, StructureSettings(**{**ASKED, **changes}), out_dir=tmp_path / "out" / "structure")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    return caught.value


def test_the_crystal_that_the_bad_ones_are_made_from_is_good(tmp_path):
    (tmp_path / "crystal.cif").write_bytes(cif())
    orient_structure(tmp_path / "crystal.cif", StructureSettings(**ASKED), out_dir=tmp_path / "structure")
    assert of_structure(tmp_path / "structure") == System("SrTi", (0, 0, 1), 200.0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["cif: got", "accepted: the path of an existing CIF file"]),
        (b"", ["holds no cell with atom sites", "accepted: a CIF with one crystal structure"]),
        (b"PK\x03\x04 not a CIF", ["cannot be read as a CIF file", "accepted: a CIF"]),
        (bytes(range(256)), ["cannot be read as a CIF file", "accepted: a CIF"]),
        (cif()[:200], ["holds no cell with atom sites"]),
        (cif(sites=""), ["lists no complete fractional atom positions"]),
        (cif(symmetry=""), ["says nothing of symmetry", "accepted: a list of operations, or a space group"]),
        (cif(symmetry="_space_group_IT_number 999"), ["symmetry of", "is not understood"]),
        (
            cif(sites="Qq1 Qq 0 0 0 1 0.01"),
            ["element of Qq1", "got 'Qq'", "accepted: the symbol of a chemical element"],
        ),
        (cif(sites="V1 X 0 0 0 1 0.01"), ["element of V1", "got 'X'"]),
        (cif(sites="C1 C 0 0 0 1.5 0.01"), ["occupancy of C1", "got 1.5", "accepted: above 0, at most 1"]),
        (cif(sites="C1 C 0 0 0 ? 0.01"), ["occupancy of C1", "got ?", "accepted: a number"]),
        (cif(sites="C1 C 0 0 0 1 -0.01"), ["displacement of C1", "got U = -0.01", "accepted: 0 or more"]),
        (cif(sites="C1 C 0 nowhere 0 1 0.01"), ["position of C1", "got nowhere", "accepted: a number"]),
        (cif(sites="C1 C 0 0 0 0.6 0.01\nN1 N 0 0 0 0.6 0.01"), ["one site holds C 0.6, N 0.6", "up to 1 in all"]),
        (
            cif(sites="C1 C 0 0 0 0.4 0.01\nN1 N 0 0 0 0.4 0.01\nO1 O 0.01 0 0 0.4 0.01"),
            ["one site holds C 0.4, N 0.4, O 0.4", "at most 0.04 Å apart", "up to 1 in all"],
        ),
        (cif(sites="C1 C 0 0 0 1 0.01\nC2 C 0.1 0 0 1 0.01"), ["C 0 and C 1 are 0.40 Å apart", "accepted: 0.5 Å"]),
        (cif(a="0"), ["cell of", "got 0, 4, 4", "accepted: three lengths above 0"]),
        (cif(alpha="200"), ["cell of", "200", "angles of a cell"]),
        (cif(sites=GOOD_SITES.replace("0.008", "0").replace("0.006", "0")), ["thermal_model: got", "accepted: 'none'"]),
    ],
)
def test_a_bad_crystal_is_refused(tmp_path, content, words):
    error = refusal(tmp_path, content)
    assert isinstance(error, StructureError)
    assert [word for word in words if word not in str(error)] == []
    assert "\n" not in str(error)


def test_rounded_occupancies_make_a_full_site(tmp_path):
    sites = "".join(f"{symbol}1 {symbol} 0 0 0 0.334 0.01\n" for symbol in ("Fe", "Co", "Ni"))
    (tmp_path / "crystal.cif").write_bytes(cif(sites=sites))
    orient_structure(tmp_path / "crystal.cif", StructureSettings(**ASKED), out_dir=tmp_path / "structure")


@pytest.mark.parametrize("axis", [[0, 0, 0], [0, 1], [0, 0, 0.5]])
def test_a_bad_zone_axis_is_refused(tmp_path, axis):
    assert "zone_axis: got" in str(refusal(tmp_path, cif(), zone_axis=axis))


@pytest.mark.parametrize("angle", ["cone_mrad", "field_mrad"])
def test_a_grid_by_hand_that_cannot_hold_the_angles_is_refused(tmp_path, angle):
    error = refusal(tmp_path, cif(), **{angle: 120.0})
    assert isinstance(error, SimulationError)
    assert "grid_px: got [32, 32], which carries 95.3 mrad, accepted: auto, or a grid that holds" in str(error)


def test_no_grid_holds_an_absurd_field(tmp_path, monkeypatch):
    monkeypatch.setattr("pacbed.simulation.structure.grid_search.GRID_SIZES", [16, 32])
    assert "grid_px: got [32, 32], which carries" in str(refusal(tmp_path, cif(), grid_px="auto", field_mrad=500.0))


# Blocks

BLOCK = {
    "thickness_max_nm": 3.0,
    "cone_mrad": 8.0,
    "field_mrad": 15.0,
    "direction_pitch_mrad": 1.5,
    "propagator": "exact",
    "batch": 16,
    "blocks": 2,
}


@pytest.fixture(scope="module")
def two_blocks(srtio3_slices, tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocks")
    srtio3_slices.save(folder)
    for block in (0, 1):
        simulate_rocking_block(folder, block=block, out_dir=folder / str(block), **BLOCK)
    return [folder / "0", folder / "1"]


def without_array(name):
    def damage(folder):
        with np.load(folder / "block.npz") as arrays:
            kept = {key: arrays[key] for key in arrays if key != name}
        np.savez(folder / "block.npz", **kept)

    return damage


def shorter_array(name):
    def damage(folder):
        with np.load(folder / "block.npz") as arrays:
            kept = {key: arrays[key][:-1] if key == name else arrays[key] for key in arrays}
        np.savez(folder / "block.npz", **kept)

    return damage


def truncated(name, share=0.6):
    def damage(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(share * len(content))])

    return damage


def changed_facts(**changes):
    def damage(folder):
        facts = json.loads((folder / "grid.json").read_text())
        facts.update(changes)
        (folder / "grid.json").write_text(json.dumps({key: value for key, value in facts.items() if value is not None}))

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "block.npz").unlink(), "damaged or incomplete"),
        (lambda folder: (folder / "grid.json").unlink(), "damaged or incomplete"),
        (truncated("block.npz"), "damaged or incomplete"),
        (truncated("block.npz", 0.0), "damaged or incomplete"),
        (truncated("grid.json"), "damaged or incomplete"),
        (without_array("lost"), "damaged or incomplete"),
        (shorter_array("beam"), "damaged or incomplete"),
        (shorter_array("count"), "damaged or incomplete"),
        (shorter_array("intensity"), "damaged or incomplete"),
        (changed_facts(direction_range=None), "bad: direction_range"),
        (changed_facts(direction_range=[0, 10**6]), "damaged or incomplete"),
        (changed_facts(energy_ev=80e3), "blocks: got parts of different tables"),
        (changed_facts(formula="TiO2"), "blocks: got parts of different tables"),
    ],
)
def test_a_half_written_or_foreign_block_is_refused(two_blocks, tmp_path, damage, words):
    copies = [Path(shutil.copytree(block, tmp_path / block.name)) for block in two_blocks]
    damage(copies[1])
    with pytest.raises(FormatError, match=words):
        gather_rocking_table(copies, tmp_path / "table")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


def test_a_block_too_few_or_twice_is_refused(two_blocks, tmp_path):
    for blocks in ([two_blocks[0]], [two_blocks[1]], [two_blocks[0], two_blocks[0], two_blocks[1]]):
        with pytest.raises(FormatError, match="blocks: "):
            gather_rocking_table(blocks, tmp_path / "table")
    assert not list(tmp_path.iterdir())


# Tables and stacks

GRID = ParameterGrid(
    thickness_nm=[2.0, 4.0],
    convergence_mrad=[11.0],
    mistilt_mrad=[0.0, 2.0],
    azimuth_deg=[0.0],
    azimuth_step_deg=30.0,
    pixels=32,
    max_angle_mrad=20.0,
)
STACK = {"asked": GRID, "validation_fraction": 0.5, "seed": 1}


@pytest.fixture
def table_dir(tiny_table_dir, tmp_path):
    return Path(shutil.copytree(tiny_table_dir, tmp_path / "table"))


@pytest.fixture
def stack_dir(tiny_table_dir, tmp_path):
    assemble_stack(tiny_table_dir, **STACK, out_dir=tmp_path / "stack")
    return tmp_path / "stack"


def largest_file(folder):
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def cut_largest(folder):
    file = largest_file(folder)
    file.write_bytes(file.read_bytes()[:-5])


def set_version(version):
    def damage(folder):
        file = next(folder.glob("*.zarr")) / "zarr.json"
        content = json.loads(file.read_text())
        content["attributes"]["schema_version"] = version
        text = json.dumps(content)
        file.write_text(text)
        done = json.loads((folder / "done.json").read_text())
        done["files"][f"{file.parent.name}/zarr.json"] = len(text.encode())
        (folder / "done.json").write_text(json.dumps(done))

    return damage


DAMAGE = [
    (cut_largest, "missing or truncated files"),
    (lambda folder: largest_file(folder).unlink(), "missing or truncated files"),
    (lambda folder: (folder / "done.json").unlink(), r"got no done\.json"),
    (set_version(99), r"got schema_version 99, accepted: \d.*newer pacbed"),
    (set_version(0), r"got schema_version 0, accepted: \d.*make it again"),
    (set_version(None), r"got schema_version None, accepted: \d.*make it again"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGE)
def test_a_damaged_table_or_one_of_another_version_is_refused(table_dir, tmp_path, damage, words):
    damage(table_dir)
    with pytest.raises(FormatError, match=words):
        RockingTable.load(table_dir)
    with pytest.raises(FormatError, match=words):
        assemble_stack(table_dir, **STACK, out_dir=tmp_path / "stack")
    assert not list(tmp_path.glob("stack*"))


@pytest.mark.parametrize(("damage", "words"), DAMAGE)
def test_a_damaged_stack_or_one_of_another_version_is_refused(stack_dir, damage, words):
    damage(stack_dir)
    with pytest.raises(FormatError, match=words):
        open_stack(stack_dir)


def test_a_table_of_another_system_makes_no_stack(tiny_table_dir, tmp_path):
    structure = Path(shutil.copytree(tiny_table_dir.parent / "structure", tmp_path / "structure"))
    assemble_stack(tiny_table_dir, **STACK, structure_dir=structure, out_dir=tmp_path / "good")
    facts = json.loads((structure / "cell.json").read_text())
    (structure / "cell.json").write_text(json.dumps({**facts, "energy_ev": 80e3}))
    with pytest.raises(FormatError, match=r"table: got .*at 200 keV, accepted: that of the structure, .*at 80 keV"):
        assemble_stack(tiny_table_dir, **STACK, structure_dir=structure, out_dir=tmp_path / "stack")
    assert not list(tmp_path.glob("stack*"))


def test_structure_table_and_stack_tell_their_system(tiny_table_dir, stack_dir):
    expected = of_structure(tiny_table_dir.parent / "structure")
    assert expected.zone_axis == (0, 0, 1)
    assert expected.energy_kev == 200.0
    assert of_table(tiny_table_dir) == of_stack(stack_dir) == expected


@pytest.mark.parametrize(
    "other", [System("SrTiO3", (0, 0, 1), 300.0), System("SrTiO3", (0, 1, 1), 200.0), System("TiO2", (0, 0, 1), 200.0)]
)
def test_each_difference_is_found(other):
    first = System("SrTiO3", (0, 0, 1), 200.0)
    check_same_system(table=first, stack=first)
    with pytest.raises(FormatError, match=r"stack: got .*accepted: that of the table, SrTiO3 \[0 0 1\] at 200 keV"):
        check_same_system(table=first, stack=other)
