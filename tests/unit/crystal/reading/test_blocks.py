"""The block with the structure, and values by tag."""

from __future__ import annotations

import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.reading.blocks import choose_block
from pacbed.crystal.reading.text import read_text
from pacbed.errors import StructureError


def test_several_structures_are_refused_and_one_is_chosen(made, text):
    path = made(text(name="warm") + text(name="cold", cell="4.08 4.08 4.08 90 90 90"))
    with pytest.raises(StructureError, match=r"got 'two structures'.*crystal\.block.*these blocks: warm, cold"):
        read_cif(path)
    assert read_cif(path, block="cold").cell[0, 0] == 4.08
    assert read_cif(path, block="data_Warm").cell[0, 0] == 4.12
    with pytest.raises(StructureError, match=r"crystal\.block: got 'hot', accepted: .*warm, cold"):
        read_cif(path, block="hot")


def test_blocks_without_a_structure_do_not_count(made, text):
    path = made("data_global\n_audit_creation_method 'by hand'\n" + text() + "data_powder\n_pd_meas_number 7\n")
    assert choose_block(read_text(path)).name == "test"


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("loop_\n_space_group_symop_magn_operation.id\n_space_group_symop_magn_operation.xyz\n1 x,y,z,+1", "magnetic"),
        ("_space_group_magn.number_BNS 62.441", "magnetic"),
        ("loop_\n_atom_site_moment.label\n_atom_site_moment.crystalaxis_x\nCs1 1.0", "magnetic"),
        ("_cell_modulation_dimension 1", "modulated"),
        ("loop_\n_atom_site_Fourier_wave_vector_seq_id\n_atom_site_Fourier_wave_vector_x\n1 0.3", "modulated"),
        ("loop_\n_atom_site_displace_Fourier_id\n_atom_site_displace_Fourier_axis\n1 x", "modulated"),
        ("loop_\n_atom_site_occ_special_func_crenel_c\n0.5", "modulated"),
        ("loop_\n_space_group_symop_ssg_operation_algebraic\nx1,x2,x3,x4", "modulated"),
        ("loop_\n_space_group_ssg_symop_operation_algebraic\nx1,x2,x3,x4", "modulated"),
    ],
)
def test_magnetic_and_modulated_structures(made, tag, kind):
    with pytest.raises(StructureError, match=rf"{kind} structure in block test: got .*, accepted: .*in P 1"):
        read_cif(made(more=tag))


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        ("data_a\n_cell_length_a 4\n", "holds no cell with atom sites"),
        (
            "data_a\n_cell_length_a 4\ndata_b\nloop_\n_atom_site_label\n_atom_site_fract_x\nFe1 0\n",
            "block b lists atom sites but no cell",
        ),
        ("data_a\n_cell_length_a 4\nloop_\n_atom_site_Cartn_x\n0\n", "line 3: positions: got 'only _atom_site_Cartn_x"),
    ],
)
def test_no_structure(made, whole, words):
    with pytest.raises(StructureError, match=words):
        read_cif(made(whole))


def test_tags_that_say_nothing_of_modulations_or_moments(made):
    more = "_cell_modulation_dimension 0\n_space_group_ssg_name ?\n_space_group_magn.number_BNS ."
    assert len(read_cif(made(more=more)).symbols) == 2


def test_dotted_tags(made, text):
    whole = text()
    for start in ("_cell_", "_atom_site_", "_space_group_symop_"):
        whole = whole.replace(start, f"{start[:-1]}.")
    assert read_cif(made(whole)).symbols == ["Cs", "Cl"]


def test_a_tag_given_twice(made):
    assert len(read_cif(made(more="_cell_length_a 4.12")).symbols) == 2
    with pytest.raises(StructureError, match=r"line 8: _cell_length_a: got .*4\.2.*the tag once in a block"):
        read_cif(made(more="_cell_length_a 4.2"))


def test_a_tag_given_again_without_a_value(made):
    """As the American Mineralogist database writes formulas."""
    more = "_chemical_formula_sum 'Cs Cl'\n_chemical_formula_sum ''"
    assert len(read_cif(made(more=more)).symbols) == 2


def test_values_and_columns(block):
    found = block(more="_a ?\n_b '7 8'\nloop_\n_c\n_d\n1 .\n2 x")
    assert found.value("_a", "_b") == "7 8"
    assert found.value("_a") is None
    assert found.value("_nothing") is None
    assert found.column("_D").values == [".", "x"]
    assert found.line("_b") == 9
    with pytest.raises(StructureError, match="_c: got '2 values', accepted: one"):
        found.value("_c")


def test_rows_are_found_by_their_first_values(made):
    rows = ["Cs Cs1 0 0 0 1", "Cl 'Cl1' 0.5 0.5 0.5 1.2"]
    with pytest.raises(StructureError, match="line 20: occupancy of Cl1"):
        read_cif(made(rows=rows, columns="type_symbol label fract_x fract_y fract_z occupancy"))
    one_line = ["Cs Cs1 0 0 0 1 Cl Cl1 0.5 0.5 0.5 1.2"]
    with pytest.raises(StructureError, match="line 12: occupancy of Cl1"):  # the line of the loop
        read_cif(made(rows=one_line, columns="type_symbol label fract_x fract_y fract_z occupancy"))
