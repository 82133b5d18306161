"""What is said of a crystal: numbers of known materials, and of slabs along their axes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pacbed.crystal.cell import zone_axis_indices
from pacbed.crystal.cif import read_structure
from pacbed.crystal.description import cell_parameters, describe_slab, settling_note, structure_json, structure_lines
from pacbed.crystal.orientation import orient

DATA = Path(__file__).parent / "data"
CASES = Path(__file__).parent / "reading" / "data"
STRUCTURES = Path(__file__).parents[3] / "structures"


def slab(name, axis):
    crystal = read_structure(DATA / f"{name}.cif" if (DATA / f"{name}.cif").exists() else CASES / f"{name}.cif").crystal
    indices = zone_axis_indices(axis, crystal.cell)
    return describe_slab(orient(crystal, indices), indices)


@pytest.mark.parametrize(("path", "density", "lengths"), [  # X-ray densities of handbooks [g/cm^3], cells [nm]
    (DATA / "material_si.cif", 2.329, (0.54307,) * 3), (DATA / "material_linbo3.cif", 4.64, None),
    (DATA / "material_bi_rhombohedral.cif", 9.80, None), (DATA / "material_hfo2.cif", 10.1, None),
    (STRUCTURES / "beryl.cif", 2.64, None), (STRUCTURES / "srtio3.cif", 5.116, (0.390528,) * 3),
])  # fmt: skip
def test_density_and_cell_of_known_materials(path, density, lengths):
    read = read_structure(path)
    facts = structure_json(read)
    assert facts["density_g_cm3"] == pytest.approx(density, rel=5e-3)
    assert facts["cell_volume_nm3"] == pytest.approx(read.crystal.volume_a3 * 1e-3)
    if lengths:
        assert cell_parameters(read.crystal)[:3] == pytest.approx(lengths)
    assert sum(site["multiplicity"] for site in facts["sites"]) == facts["atoms"] == len(read.crystal.symbols)
    json.dumps(facts, allow_nan=False)


def test_angles_are_those_of_the_file():
    assert cell_parameters(read_structure(DATA / "material_gan.cif").crystal)[3:] == pytest.approx((90, 90, 120))


def test_heavy_water_weighs_what_deuterium_weighs(tmp_path):
    """One D and one O in a cell: 18.01 Da, not the 17.01 of H."""
    text = (CASES / "d4_D.cif").read_text(encoding="utf-8")
    heavy = read_structure(CASES / "d4_D.cif")
    (tmp_path / "light.cif").write_text(text.replace("A1 D ", "A1 H "), encoding="utf-8")
    light = read_structure(tmp_path / "light.cif")
    assert heavy.crystal.formula == light.crystal.formula == "HO"
    assert heavy.density_g_cm3 / light.density_g_cm3 == pytest.approx(18.013 / 17.007, rel=1e-3)


def test_sites_without_displacements_have_none_and_what_to_write_is_said():
    for name in ("b6_none", "b7_zero"):
        read = read_structure(CASES / f"{name}.cif")
        assert [site["u_iso_nm2"] for site in structure_json(read)["sites"]] == [None, None]
        text = "\n".join(structure_lines(read))
        assert "none" in text and "crystal.displacements: {Cs: ..., Cl: ...}" in text
    text = "\n".join(structure_lines(read_structure(STRUCTURES / "srtio3.cif")))
    assert "crystal.displacements" not in text and "0.00787" in text and "U [Å^2]" in text


def test_what_was_put_right_is_said():
    read = read_structure(CASES / "k2_mos2_0.3333.cif")
    assert read.notes
    assert structure_json(read)["warnings"] == list(read.notes)
    assert structure_lines(read)[-1] == f"put right or worth a look: {read.notes[-1]}"


@pytest.mark.parametrize(("name", "axis", "atoms"), [
    ("g3_gan_6dec", (1, 1, 0), 8), ("g3_gan_6dec", (1, 0, 0), 8), ("g3_gan_6dec", (2, 1, 0), 8),
    ("g3b_gan_5dec", (1, 1, -2, 0), 8), ("g3c_gan_8dec", (1, 0, -1, 0), 8), ("g3_gan_6dec", (0, 0, 1), 4),
    ("k4_lsmo_0.3333ops", (1, 1, 0), 24),
])  # fmt: skip
def test_atoms_of_slabs(name, axis, atoms):
    assert slab(name, axis).atoms == atoms


@pytest.mark.parametrize("name", ["g1_anatase_6dec", "material_anatase"])
def test_a_slab_of_a_centred_cell_is_as_dense_as_the_cell(name):
    found = slab(name, (0, 0, 1))
    crystal = read_structure(DATA / f"{name}.cif").crystal
    assert found.atoms / found.volume_nm3 == pytest.approx(12e3 / crystal.volume_a3)


@pytest.mark.parametrize(("name", "order", "without"), [
    ("k2_mos2_0.3333", 12, 6),  # P6_3/mmc along its screw axis: 6mm, of it 3m without the screw
    ("e5_third_3", 12, 6), ("e5b_third_4", 12, 6), ("material_gan", 12, 6),  # P6_3mc
    ("l1_utie", 8, 8), ("material_quartz_left", 3, 1), ("material_linbo3", 6, 3), ("material_dysco3", 4, 2),
])  # fmt: skip
def test_beam_groups_along_c_are_those_of_the_space_groups(name, order, without):
    found = slab(name, (0, 0, 1))
    assert (found.beam_group, found.without_lift) == (order, without)
    assert found.as_json()["beam_group"] == order
    assert f"beam group: {order} operations, {without} of them" in found.lines()[1]


def test_a_slab_of_strontium_titanate():
    found = slab("l1_utie", (1, 1, 0))
    assert found.zone_axis == (1, 1, 0)
    assert found.period_nm == pytest.approx(0.390528 * 2**0.5)
    assert found.volume_nm3 == pytest.approx(2 * 0.390528**3)
    assert (found.atoms, found.beam_group) == (10, 4)


@pytest.mark.parametrize(("third", "told"), [("0.3333", True), ("0.33333333", False)])
def test_atoms_that_move_in_the_slab_are_told(tmp_path, third, told):
    """Wurtzite listed in P 1: the reader takes positions as they are, the slab has the symmetry they nearly have."""
    rest = str(round(1 - float(third), len(third) - 2))
    sites = [("Ga1", "Ga", third, rest, "0"), ("Ga2", "Ga", rest, third, "0.5"),
             ("N1", "N", third, rest, "0.377"), ("N2", "N", rest, third, "0.877")]  # fmt: skip
    u = {"Ga": 0.004, "N": 0.005}
    rows = [f"{label} {symbol} {x} {y} {z} {u[symbol]}" for label, symbol, x, y, z in sites]
    tags = ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv"]
    cell = [("length_a", 3.189), ("length_b", 3.189), ("length_c", 5.1855),
            ("angle_alpha", 90), ("angle_beta", 90), ("angle_gamma", 120)]  # fmt: skip
    lines = ["data_gan", *(f"_cell_{name} {value}" for name, value in cell)]
    lines += ["_symmetry_space_group_name_H-M 'P 1'", "loop_", *(f"_atom_site_{tag}" for tag in tags), *rows]
    (tmp_path / "gan.cif").write_text("\n".join(lines) + "\n", encoding="utf-8")
    read = read_structure(tmp_path / "gan.cif")
    assert read.notes == ()
    note = settling_note(read.crystal)
    assert (note is not None) is told
    if note:
        assert 1e-5 < float(note.split()[-2]) < 3e-4
