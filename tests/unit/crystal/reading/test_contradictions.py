"""What a file says of itself, and distances."""

from __future__ import annotations

import pytest

from pacbed.crystal.cif import read_cif, read_structure
from pacbed.crystal.reading import ReadingChoices
from pacbed.errors import StructureError

CASES = {
    "formula": ("_chemical_formula_sum 'Cs Br'", "'Cs Br' and Cs1 Cl1 in the cell"),
    "z": ("_chemical_formula_sum 'Cs Cl'\n_cell_formula_units_Z 2", "2 and 1 units of 'Cs Cl'"),
    "volume": ("_cell_volume 72.1", r"72\.1 and 69\.9345 Å\^3"),
    "density": ("_exptl_crystal_density_diffrn 3.2", r"3\.2 and 3\.998 g/cm\^3"),
}


@pytest.mark.parametrize("kind", CASES)
def test_both_numbers_or_accepted(made, kind):
    more, words = CASES[kind]
    path = made(more=more)
    advice = rf"crystal\.accept_contradictions: \[{kind}\]"
    with pytest.raises(StructureError, match=rf"made\.cif: {kind}: .*{words}.*{advice}"):
        read_cif(path)
    with pytest.raises(StructureError, match=words):
        read_cif(path, accept_contradictions=["metric"])
    found = read_structure(path, ReadingChoices(accept_contradictions=[kind, "metric"]))
    assert found.crystal.symbols == ["Cs", "Cl"]
    assert f"accepted contradiction of {kind}" in found.notes[0]


@pytest.mark.parametrize(
    "more",
    [
        "_chemical_formula_sum 'Cs Cl'\n_cell_formula_units_Z 1",
        "_chemical_formula_sum 'Cl1.01 Cs1.00'",
        "_chemical_formula_sum '(Cs,Rb) Cl'",
        "_chemical_formula_sum ?\n_cell_volume ?\n_cell_formula_units_Z ?\n_exptl_crystal_density_diffrn ?",
        "_cell_volume 69.93(2)",
        "_cell_volume 70",
        "_exptl_crystal_density_diffrn 4.0",
        "_exptl_crystal_density_diffrn 0",
    ],
)
def test_no_contradiction(made, more):
    assert read_cif(made(more=more)).symbols == ["Cs", "Cl"]


def test_the_sum_of_the_whole_cell_beside_z(made):
    """Some programs write the atoms of the cell as formula, and Z of the reduced one."""
    parts = {"cell": "4.21 4.21 4.21 90 90 90", "symbol": "F m -3 m"}
    rows = ("Mg1 Mg 0 0 0 1 0.01", "O1 O .5 .5 .5 1 0.01")
    for total, z in (("Mg4 O4", 4), ("Mg O", 4), ("Mg4 O4", 1)):
        more = f"_chemical_formula_sum '{total}'\n_cell_formula_units_Z {z}"
        assert len(read_cif(made(more=more, rows=rows, **parts)).symbols) == 8
    half = made(more="_chemical_formula_sum 'Mg O'\n_cell_formula_units_Z 2", rows=rows, **parts)
    with pytest.raises(StructureError, match="z: _cell_formula_units_Z: got \"2 and 4 units of 'Mg O'"):
        read_cif(half)


def test_hydrogen_and_deuterium_are_one_element_with_two_weights(made):
    rows = ("O1 O 0 0 0 1 0.02", "D1 D 0.5 0.5 0.5 1 0.02", "D2 D 0.5 0 0 1 0.02")
    more = "_chemical_formula_sum 'D2 O'\n_exptl_crystal_density_diffrn 0.475"  # 20.027 u in 69.93 Å^3
    crystal = read_cif(made(rows=rows, more=more))
    assert crystal.symbols == ["O", "H", "H"]
    assert crystal.formula == "H2O"


@pytest.mark.parametrize(
    ("cell", "accepted"),
    [
        ("4.12 4.12 4.12 90 90 90", True),
        ("4.1205 4.1195 4.12 90.02 90 90", True),
        ("4.12 4.12 4.16 90 90 90", True),
        ("4.12(9) 4.3(1) 4.2 90 90 90", True),
        ("4.12 4.12 4.30 90 90 90", False),
        ("4.12 4.12 4.12 92 90 90", False),
    ],
)
def test_operations_and_the_cell(made, cell, accepted):
    path = made(cell=cell, symbol="P m -3 m")
    if accepted:
        assert len(read_cif(path).symbols) == 2
        return
    with pytest.raises(StructureError, match=r"metric: cell of test: got 'cell 4\.12.*and the operation"):
        read_cif(path)
    assert len(read_cif(path, accept_contradictions=["metric"]).symbols) == 2


def test_a_strained_cell_keeps_its_lengths_and_round_tensors(made):
    """A film on a substrate: cubic operations, one axis longer."""
    rows = ("Sr1 Sr 0 0 0 1 .008", "Ti1 Ti .5 .5 .5 1 .006", "O1 O .5 .5 0 1 .009")
    found = read_structure(made(cell="3.905 3.905 3.95 90 90 90", symbol="P m -3 m", rows=rows))
    assert found.crystal.cell[2, 2] == 3.95
    assert found.crystal.formula == "SrTiO3"
    assert found.crystal.displacement[4] == pytest.approx(0.009 * found.crystal.cell / found.crystal.cell.clip(1e-9))
    assert "taken as strained" in found.notes[0]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("412 412 412 90 90 90", "distance: atoms too far apart: .*is this cell in pm"),
        ("0.412 0.412 0.412 90 90 90", r"distance: atoms too close: got '0\.035 Å\^3 for an atom.*not nm"),
        ("2.1 2.1 2.1 90 90 90", r"4\.63 Å\^3 for an atom"),
        ("1.5 6 6 90 90 90", r"distance: atoms Cs1 \(Cs\) and Cs1 \(Cs\) too close: got '1\.50 Å apart'"),
    ],
)
def test_space_for_atoms(made, cell, words):
    with pytest.raises(StructureError, match=words):
        read_cif(made(cell=cell))


def test_hydrogen_takes_no_space(made):
    rows = [f"H{i} H {i / 4} {j / 4} 0.5 1 0.02" for i in range(4) for j in (1, 3)]
    rows = [row.replace("H", f"H{number}_", 1) for number, row in enumerate(rows)]
    assert len(read_cif(made(cell="4.2 4.2 4.2 90 90 90", rows=("O1 O 0 0 0 1 .02", *rows))).symbols) == 9


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("Na0 Na 0 0 0 1 .02", "Na1 Na 0 .5 .5 1 .02"), r"one site holds Na 1 \(Na0\), Na 1 \(Na1\).*listed twice"),
        (("A1 Sr 0 0 0 .6 .02", "A2 La 0 0 0 .6 .02"), r"one site holds Sr 0\.6 \(A1\), La 0\.6 \(A2\).*'1\.2 in all'"),
        (("A1 Ti 0 0 0 .6 .02", "A2 Ti 0 0 .03 .5 .02"), "distance: atoms A1 .* 0.17 Å apart|too close"),
    ],
)
def test_sites_that_are_more_than_full(made, rows, words):
    faces = ("x,y,z", "x,y+1/2,z+1/2", "x+1/2,y,z+1/2", "x+1/2,y+1/2,z")
    with pytest.raises(StructureError, match=words):
        read_cif(made(cell="5.64 5.64 5.64 90 90 90", operations=faces, rows=rows))


def test_mixed_sites(made):
    rows = ("A1 Fe2+ 0 0 0 .5 .008", "A2 Fe3+ 0 0 0 .5 .008", "O1 O2- .5 .5 .5 1 .01")
    crystal = read_cif(made(rows=rows))
    assert crystal.symbols == ["Fe", "Fe", "O"]
    assert crystal.formula == "FeO"
    rounded = [f"{name}1 {name} 0 0 0 0.334 0.01" for name in ("Fe", "Co", "Ni")]
    assert read_cif(made(rows=rounded)).formula == "Co0.334Fe0.334Ni0.334"


def test_names_of_contradictions(made):
    with pytest.raises(StructureError, match=r"accept_contradictions: got 'vol' for .*accepted: formula, z, volume"):
        read_cif(made(), accept_contradictions=["vol"])
