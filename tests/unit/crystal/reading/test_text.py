"""Encoding, syntax and numbers of CIF files."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.reading.text import Number, is_cif, is_missing, number, read_text
from pacbed.errors import StructureError


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace(" ", "\t").encode(),
        lambda text: text.replace("\n", "\n  ").encode(),
        lambda text: text.replace("_cell", "_publ_author_name 'M\xfcller'\n_cell", 1).encode("latin-1"),
        lambda text: text.replace("_cell", "_publ_author_name M\xfcller\n_cell", 1).encode(),
        lambda text: text.replace("data_test", "data_Cs Cl at 295 K").encode(),
        lambda text: text.replace("'x,y,z'", "\u2018x,y,z\u2019").encode(),
        lambda text: text.replace("'x,y,z'", "\x91x,y,z\x92").encode("latin-1"),
        lambda text: text.replace("_cell", '_publ_section_title "a \u201cnew\u201d form"\n_cell', 1).encode(),
        lambda text: text.replace("_cell", "_publ_section_title \u201cnew forms\u201d\n_cell", 1).encode(),
        lambda text: (text + "\x1a").encode(),
        lambda text: text.strip().encode(),
        lambda text: text.replace("0.5 0.5 0.5 1", "\u22120.5 0.5 0.5 1").encode(),
        lambda text: text.replace(" Cs ", "\u2009Cs\u202f").replace("Cl1", "\u200bCl1").encode(),
        lambda text: text.replace("_cell", "_pd_phase_name Cs Cl supercell\n_cell", 1).encode(),
        lambda text: text.replace("data_", "DATA_").replace("_atom_site_f", "_ATOM_site_F").encode(),
        lambda text: text.replace("4.12\n", "4.12 # at 295 K\n", 1).replace("90\n", "'90'\n", 1).encode(),
    ],
    ids=[
        *("mark", "crlf", "cr", "tabs", "indent", "latin-1", "utf-8", "block name", "curled", "curled latin-1"),
        *("curled inside", "curled around", "end", "no end"),
        *("minus", "spaces", "phase name", "case", "comment"),
    ],
)
def test_the_text_of_one_crystal_in_many_forms(made, text, change):
    crystal = read_cif(made(change(text())))
    assert crystal.symbols == ["Cs", "Cl"]
    assert crystal.cell[0, 0] == 4.12
    assert crystal.fractional[1] == pytest.approx([0.5, 0.5, 0.5])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "accepted: the path of an existing CIF file"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        ("data_a\n".encode("utf-16"), "encoding: got 'UTF-16', accepted: UTF-8"),
        ("data_a\n".encode("utf-16-be"), "encoding: it holds zero bytes"),
        (b"<html><body>404</body></html>", "line 1: not a CIF: got '<html>"),
        (b"\n\nNaCl\n1.0\n5.6 0 0\n", "line 3: not a CIF: got 'NaCl'"),
        (b"_cell_length_a 4\n", "line 1: data_ missing, accepted: a line 'data_NAME'"),
        (b"hello\ndata_a\n_x 1\n", "line 1: not a CIF here: got 'hello'"),
        (b"data_a\n_x 1\n_title The crystal of\n", "line 3: not a CIF here: got '_title The crystal of'"),
        (b"#\\#CIF_2.0\ndata_a\n_x [1 2]\n", "lists, tables and triple quotes of CIF 2.0 are not read"),
        (b"data_a\n_x 'open\n_y 1\n", "line 2: not a CIF here"),
        (b"data_a\n_x 1\nloop_\n_a\n_b\n1 2 3\n", "line 3: loop: got 'wrong number of values in loop"),
    ],
)
def test_what_is_no_cif(made, tmp_path, content, words):
    path = tmp_path / "missing.cif" if content is None else made(content)
    with pytest.raises(StructureError) as caught:
        read_text(path)
    assert words in str(caught.value)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "loop",
    [
        "_symmetry_equiv_pos_as_xyz\nx, y, z\n-x, -y, -z\n",
        "_symmetry_equiv_pos_site_id\n_symmetry_equiv_pos_as_xyz\n1 x, y, z\n2 -x, -y, -z\n",
        "_space_group_symop.operation_xyz\n_space_group_symop.id\nx, y, z 1\n-x, -y, -z 2\n",
        "_space_group_symop_id\n_space_group_symop_operation_xyz\n1 x,y,z 2 -x,-y,-z\n",
    ],
)
def test_operations_without_quotes(made, text, loop):
    whole = text(operations=(), rows=["Fe1 Fe 0.2 0.3 0.4 1 0.01"], cell="5 5 5 90 90 90", more=f"loop_\n{loop}")
    assert read_cif(made(whole)).fractional == pytest.approx(np.array([[0.2, 0.3, 0.4], [0.8, 0.7, 0.6]]))


def test_names_without_quotes(made, text):
    more = "_symmetry_space_group_name_H-M P 21 3\n_chemical_formula_sum Fe Si"
    rows = ["Fe1 Fe 0.136 0.136 0.136 1 0.004", "Si1 Si 0.844 0.844 0.844 1 0.004"]
    crystal = read_cif(made(text(operations=(), rows=rows, cell="4.489 4.489 4.489 90 90 90", more=more)))
    assert len(crystal.symbols) == 8


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0.333", (0.333, 0.001, 0)),
        ("-.5(12)", (-0.5, 0.1, 1.2)),
        ("4.", (4, 1, 0)),
        ("+12", (12, 1, 0)),
        ("1.20e-2(3)", (0.012, 1e-4, 3e-4)),
    ],
)
def test_numbers(written, expected):
    assert number(written) == pytest.approx(Number(*expected))


@pytest.mark.parametrize("written", ["1/3", "4,12", "nan", "inf", "", "?", ".", "1.2.3", "0x10", "4.12A", "1 2", "--1"])
def test_what_is_no_number(written):
    assert number(written) is None


def test_missing_values():
    assert [is_missing(value) for value in ("?", ".", "", "0", "x")] == [True, True, True, False, False]


@pytest.mark.parametrize(("name", "content", "answer"), [
    ("a.cif", b"nonsense", True), ("A.CIF", b"", True), ("a.txt", b"# long\ndata_a\n_cell_length_a 4\n", True),
    ("a", b"DATA_a\r\n  _Cell.Length_a 4\r\n", True), ("a.txt", "data_a\n_cell_length_a 4\n".encode("utf-16"), True),
    ("a.txt", b"data_a\n", False), ("a.txt", b"the data_a of _cell_length_a", False),
    ("a.tif", b"II*\x00\ndata_a\n_cell_length_a 4\n", False), ("a.csv", b"1,2,3\n", False),
])  # fmt: skip
def test_a_cif_is_known_by_name_or_content(tmp_path, name, content, answer):
    (tmp_path / name).write_bytes(content)
    assert is_cif(tmp_path / name) is answer


def test_a_folder_is_no_cif(tmp_path):
    assert not is_cif(tmp_path)
