"""Space groups by name: the setting that is meant, or a refusal."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif, read_structure
from pacbed.crystal.reading.settings import split_choice
from pacbed.errors import StructureError

DIAMOND = "3.5667 3.5667 3.5667 90 90 90"
ORIGIN_1, ORIGIN_2 = ("C1 C 0 0 0 1 0.0018",), ("C1 C .125 .125 .125 1 0.0018",)
HEXAGONAL, RHOMBOHEDRAL = "4.546 4.546 11.862 90 90 120", "4.746 4.746 4.746 57.24 57.24 57.24"
BI_H, BI_R = ("Bi1 Bi 0 0 0.2339 1 0.01",), ("Bi1 Bi .2339 .2339 .2339 1 0.01",)
DYSCO3 = "5.4431 5.717 7.9013 90 90 90"
DYSCO3_ROWS = (
    "Dy1 Dy 0.98298 0.06073 0.25 1 0.006",
    "Sc1 Sc 0.5 0 0 1 0.005",
    "O1 O 0.11712 0.44573 0.25 1 0.008",
    "O2 O 0.69263 0.30391 0.06143 1 0.008",
)
ZIRCONIA = "5.1505 5.2116 6.7835 90 50.688 90"
ZIRCONIA_ROWS = (
    "Zr1 Zr 0.0671 0.0395 0.2083 1 0.004",
    "O1 O -0.2747 0.3317 0.3447 1 0.006",
    "O2 O -0.0296 0.7569 0.4792 1 0.006",
)


def _shortest(crystal) -> float:
    distances = crystal.to_atoms().get_all_distances(mic=True)
    return distances[np.triu_indices(len(distances), 1)].min()


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("F d -3 m", ("F d -3 m", "")),
        ("F d -3 m :1", ("F d -3 m", "1")),
        ("Fd-3m:2", ("Fd-3m", "2")),
        ("F d -3 m S", ("F d -3 m", "1")),
        ("Fd-3mZ", ("Fd-3m", "2")),
        ("F d -3 m O2", ("F d -3 m", "2")),
        ("R -3 m :h", ("R -3 m", "H")),
        ("R-3mR", ("R-3m", "R")),
        ("P 2(1)/c", ("P 21/c", "")),
        ("P 6_3/m m c", ("P 63/m m c", "")),
        ("P 21/ c", ("P 21/c", "")),
        ("P 1 2 / m 1", ("P 1 2/m 1", "")),
        ("P 1 2 1", ("P 1 2 1", "")),
        ("R 3 2", ("R 3 2", "")),
        ("F d -3 m (origin choice 2)", ("F d -3 m", "2")),
        ("Fd-3m (origin 1)", ("Fd-3m", "1")),
        ("F d -3 m, origin at 2", ("F d -3 m", "2")),
        ("R -3 m (hexagonal axes)", ("R -3 m", "H")),
        ("R -3 m hex", ("R -3 m", "H")),
        ("P 2~1~/c", ("P 21/c", "")),
        ("P4$_{2}$/mnm", ("P42/mnm", "")),
        (r"P 4\_2/m n m", ("P 42/m n m", "")),
        ("<i>P</i>2<sub>1</sub>/<i>c</i>", ("P21/c", "")),
        (r"F m $\bar{3}$ m", ("F m -3 m", "")),
        (r"Fm\=3m", ("Fm-3m", "")),
        ("F m -3 m (225)", ("F m -3 m", "")),
        ("Fm-3m (No. 225)", ("Fm-3m", "")),
        ("F m -3 m, #225", ("F m -3 m", "")),
        ("P 21 21 2(1)", ("P 21 21 21", "")),
        ("P 6(3)", ("P 63", "")),
    ],
)
def test_marks_of_origin_and_axes(symbol, expected):
    assert split_choice(symbol) == expected


@pytest.mark.parametrize(
    ("symbol", "rows"),
    [
        ("F d -3 m :1", ORIGIN_1),
        ("F d -3 m :2", ORIGIN_2),
        ("Fd-3mS", ORIGIN_1),
        ("F d -3 m Z", ORIGIN_2),
        ("F 41/d -3 2/m :2", ORIGIN_2),
        ("F d -3 m", ORIGIN_1),
        ("F d -3 m", ORIGIN_2),
        ("F d 3 m", ORIGIN_1),
        ("FD-3M", ORIGIN_2),
    ],
)
def test_origins_of_diamond(made, symbol, rows):
    structure = read_structure(made(cell=DIAMOND, symbol=symbol, rows=rows))
    assert len(structure.crystal.symbols) == 8
    assert _shortest(structure.crystal) == pytest.approx(3.5667 * np.sqrt(3) / 4)
    assert structure.space_group == ("F d -3 m:1" if rows is ORIGIN_1 else "F d -3 m:2")
    chosen = "1" not in symbol and "2" not in symbol and symbol[-1] not in "SZ"
    assert bool(structure.notes) == chosen  # what was worked out is told


def test_an_origin_that_was_named_is_not_changed(made):
    with pytest.raises(StructureError, match=r"16 atoms other than H"):
        read_cif(made(cell=DIAMOND, symbol="F d -3 m :1", rows=ORIGIN_2))


def test_an_origin_that_nothing_decides(made):
    """Cuprite and its counterpart with the elements exchanged: either origin makes a crystal."""
    parts = {"cell": "4.27 4.27 4.27 90 90 90", "rows": ("O1 O 0 0 0 1 0.02", "Cu1 Cu .25 .25 .25 1 0.02")}
    with pytest.raises(StructureError, match=r"origin .* is open: got .*P n -3 m:1, P n -3 m:2; all make a possible"):
        read_cif(made(symbol="P n -3 m", **parts))
    decided = read_cif(made(symbol="P n -3 m", more="_chemical_formula_sum 'Cu2 O'", **parts))
    assert Counter(decided.symbols) == {"Cu": 4, "O": 2}
    with pytest.raises(StructureError, match="none makes a possible crystal: P n -3 m:1: "):
        read_cif(made(symbol="P n -3 m", more="_chemical_formula_sum 'Cu3 O'", **parts))


@pytest.mark.parametrize(
    ("symbol", "cell", "rows", "number"),
    [
        ("R -3 m", HEXAGONAL, BI_H, 6),
        ("R -3 m", RHOMBOHEDRAL, BI_R, 2),
        ("R-3mH", HEXAGONAL, BI_H, 6),
        ("R -3 m :R", RHOMBOHEDRAL, BI_R, 2),
        ("R -3 2/m", HEXAGONAL, BI_H, 6),
        ("H -3 m", HEXAGONAL, BI_H, 6),
    ],
)
def test_axes_of_rhombohedral_groups(made, symbol, cell, rows, number):
    assert len(read_cif(made(symbol=symbol, cell=cell, rows=rows)).symbols) == number


def test_axes_that_the_cell_contradicts(made):
    with pytest.raises(StructureError, match=r"metric: .*57\.24.*R -3 m:H"):
        read_cif(made(symbol="R -3 m :H", cell=RHOMBOHEDRAL, rows=BI_R))


@pytest.mark.parametrize("symbol", ["Pbnm", "P b n m", "PBNM", "P 21/b 21/n 21/m"])
def test_settings_of_an_orthorhombic_group(made, symbol):
    crystal = read_cif(made(symbol=symbol, cell=DYSCO3, rows=DYSCO3_ROWS))
    assert crystal.formula == "DyScO3"
    assert _shortest(crystal) > 2.0
    with pytest.raises(StructureError, match="distance: atoms"):
        read_cif(made(symbol="P n m a", cell=DYSCO3, rows=DYSCO3_ROWS))


@pytest.mark.parametrize("symbol", ["P 1 21/n 1", "P21/n", "P 2(1)/n", "P 2_1/n", "p 21/n"])
def test_settings_of_a_monoclinic_group(made, symbol):
    crystal = read_cif(made(symbol=symbol, cell=ZIRCONIA, rows=ZIRCONIA_ROWS))
    assert len(crystal.symbols) == 12
    assert _shortest(crystal) > 1.9


def test_a_short_symbol_means_the_unique_axis_of_the_cell(made):
    """The same crystal with b and c exchanged."""
    rows = []
    for row in ZIRCONIA_ROWS:
        words = row.split()
        words[3], words[4] = words[4], words[3]
        rows.append(" ".join(words))
    crystal = read_cif(made(symbol="P 21/n", cell="5.1505 6.7835 5.2116 90 90 50.688", rows=rows))
    assert len(crystal.symbols) == 12
    assert _shortest(crystal) > 1.9


def _by_tags(made, text, tags, **parts):
    return made(text(operations=(), more=tags, **parts))


def test_hall_symbols(made, text):
    parts = {"cell": DYSCO3, "rows": DYSCO3_ROWS}
    hall = "_space_group_name_Hall '-P 2c 2ab'"
    assert len(read_cif(_by_tags(made, text, hall, **parts)).symbols) == 20
    both = f"{hall}\n_space_group_name_H-M_alt 'P b n m'\n_space_group_IT_number 62"
    assert len(read_cif(_by_tags(made, text, both, **parts)).symbols) == 20
    for more, words in [
        ("_space_group_name_H-M_alt 'P n m a'", "Hall symbol beside P n m a: got '-P 2c 2ab'"),
        ("_space_group_IT_number 63", r"\(number 62\) and number 63"),
    ]:
        with pytest.raises(StructureError, match=words):
            read_cif(_by_tags(made, text, f"{hall}\n{more}", **parts))
    with pytest.raises(StructureError, match="Hall symbol: got 'rubbish'"):
        read_cif(_by_tags(made, text, "_space_group_name_Hall rubbish", **parts))


@pytest.mark.parametrize(
    ("number", "cell", "rows", "expected"),
    [
        (227, DIAMOND, ORIGIN_1, 8),
        (227, DIAMOND, ORIGIN_2, 8),
        (166, HEXAGONAL, BI_H, 6),
        (166, RHOMBOHEDRAL, BI_R, 2),
        (225, "4.21 4.21 4.21 90 90 90", ("Mg1 Mg 0 0 0 1 0.01", "O1 O .5 .5 .5 1 0.01"), 8),
        (19, "6 7 8 90 90 90", ("Fe1 Fe .11 .17 .23 1 0.01",), 4),
        (62, DYSCO3, DYSCO3_ROWS, None),
        (14, ZIRCONIA, ZIRCONIA_ROWS, None),
        (0, DIAMOND, ORIGIN_1, None),
        (231, DIAMOND, ORIGIN_1, None),
    ],
)
def test_numbers_alone(made, text, number, cell, rows, expected):
    path = _by_tags(made, text, f"_space_group_IT_number {number}", cell=cell, rows=rows)
    if expected is None:
        with pytest.raises(StructureError, match=f"number of the space group.*got '{number}', accepted: .*H-M_alt"):
            read_cif(path)
    else:
        assert len(read_cif(path).symbols) == expected


def test_symbol_and_number_of_two_groups(made):
    with pytest.raises(StructureError, match=r"'Pbnm' \(number 62\) and number 63"):
        read_cif(made(symbol="Pbnm", cell=DYSCO3, rows=DYSCO3_ROWS, more="_symmetry_Int_Tables_number 63"))


@pytest.mark.parametrize("symbol", ["F m -3 m (221)", "F d -3 m (No. 225) ", "P 6 (3)", "Fm-3m, 221"])
def test_symbol_and_a_number_behind_it_of_two_groups(made, symbol):
    with pytest.raises(StructureError, match="symbol and number of the space group"):
        read_cif(made(symbol=symbol))


@pytest.mark.parametrize("symbol", ["Fm\u00af3m", "P 4\u2082/m n m", "P 3\u0304 m 1"])
def test_signs_that_would_change_the_group_are_not_left_out(made, symbol):
    with pytest.raises(StructureError, match="symmetry is not understood"):
        read_cif(made(symbol=symbol))


@pytest.mark.parametrize("symbol", ["rubbish", "227", "F d -3 m :H", "X 1"])
def test_symbols_of_nothing(made, symbol):
    with pytest.raises(StructureError, match=f"space group.*: got '{symbol}'"):
        read_cif(made(symbol=symbol))


def test_operations_come_before_the_name(made):
    structure = read_structure(made(more="_space_group_name_H-M_alt 'P m -3 m'\n_space_group_IT_number 221"))
    assert structure.space_group == "P 1"
    assert "names space group P m -3 m, its operations are those of P 1" in structure.notes[0]


def test_operations_without_the_centring_of_the_name(made):
    """Half of the atoms would be missing."""
    parts = {"cell": "5.64 5.64 5.64 90 90 90", "rows": ("Na1 Na 0 0 0 1 0.02",)}
    plain = ("x,y,z", "-x,-y,z", "-x,y,-z", "x,-y,-z")
    full = [",".join(f"{a}{b}" for a, b in zip(one.split(","), shift, strict=True)) for one in plain
            for shift in (("", "", ""), ("", "+1/2", "+1/2"), ("+1/2", "", "+1/2"), ("+1/2", "+1/2", ""))]  # fmt: skip
    name = "_space_group_name_H-M_alt 'F 2 2 2'"
    with pytest.raises(StructureError, match=r"4 operations of P 2 2 2.*with the centring F"):
        read_structure(made(**parts, operations=plain, more=name))
    assert len(read_structure(made(**parts, operations=full, more=name)).crystal.symbols) == 4


ASYMMETRIC = ("Na1 Na 0 0 0 1 0.02", "Cl1 Cl 0.5 0.5 0.5 1 0.02")
WHOLE = tuple(
    f"{element}{number} {element} {x + shift} {y + shift} {z + shift} 1 0.02"
    for element, shift in (("Na", 0.0), ("Cl", 0.5))
    for number, (x, y, z) in enumerate(((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0.003)), 1)
)


def test_the_identity_alone_beside_a_name(made):
    """Programs list it beside all atoms of a cell, which may be relaxed; beside fewer, most atoms would be missing."""
    parts = {"cell": "5.64 5.64 5.64 90 90 90", "operations": ("x,y,z",)}
    name = "_space_group_name_H-M_alt 'F m -3 m'"
    whole = read_structure(made(**parts, rows=WHOLE, more=name))
    assert len(whole.crystal.symbols) == 8
    assert "the operations are used" in whole.notes[0]
    with pytest.raises(StructureError, match=r"operations.*the operation x,y,z alone.*F m -3 m', accepted: .*'P 1'"):
        read_structure(made(**parts, rows=ASYMMETRIC, more=name))
    for other in ("_space_group_name_H-M_alt 'P 1'", "_space_group_name_H-M_alt rubbish", ""):
        assert len(read_structure(made(**parts, rows=ASYMMETRIC, more=other)).crystal.symbols) == 2
