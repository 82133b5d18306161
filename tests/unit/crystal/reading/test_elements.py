"""Elements of symbols and labels, and formulas."""

from __future__ import annotations

import pytest

from pacbed.crystal.reading.elements import (
    UnknownElementError,
    element_of_label,
    element_of_symbol,
    formula,
    parse_formula,
)


@pytest.mark.parametrize(
    ("symbol", "element"),
    [
        *[("IN", "In"), ("in", "In"), ("SI", "Si"), ("CS", "Cs"), ("CO", "Co"), ("I", "I"), ("Lr", "Lr")],
        *[("Ti4+", "Ti"), ("O2-", "O"), ("Fe+3", "Fe"), ("O-2", "O"), ("Au0+", "Au"), ("Cl-", "Cl"), ("SN4+", "Sn")],
        *[("Fe2.667+", "Fe"), ("Fe3", "Fe"), ("W6+", "W"), ("N3-", "N"), ("I1-", "I")],
        *[("D", "D"), ("D1+", "D"), ("H1+", "H"), ("OH", "O"), ("OW", "O"), ("OH-", "O"), ("Cval", "C")],
    ],
)
def test_type_symbols(symbol, element):
    assert element_of_symbol(symbol) == element


@pytest.mark.parametrize(
    "symbol",
    [
        *("Sr0.7La0.3", "Sr/La", "(Sr,La)", "SrLa", "Sr0.7", "H2O", "NH4", "NH4+", "SO4", "CO3", "PO4", "Wat"),
        *("X", "M", "Q", "T", "Va", "Og", "?", "0", "", "Pb(II)", "NO", "PO", "PA", "NO-"),
    ],
)
def test_symbols_of_no_element(symbol):
    with pytest.raises(UnknownElementError, match="element"):
        element_of_symbol(symbol)


def test_a_mixed_site_is_written_as_two():
    with pytest.raises(UnknownElementError, match=r"Sr1 Sr x y z 0\.7 and La1 La x y z 0\.3"):
        element_of_symbol("Sr0.7La0.3")


@pytest.mark.parametrize(
    ("label", "element"),
    [
        *[("Fe1", "Fe"), ("IN1", "In"), ("SI2", "Si"), ("CA1", "Ca"), ("OS1", "Os"), ("I1", "I"), ("O1A", "O")],
        *[("O1'", "O"), ("Fe3+", "Fe"), ("Fe2+_1", "Fe"), ("D1", "D"), ("Na", "Na")],
        *[("OW1", "O"), ("OH2", "O"), ("Ow", "O"), ("Obr", "O"), ("OA1", "O"), ("SiT1", "Si"), ("AlM2", "Al")],
        *[("TiO1", "Ti"), ("FeB", "Fe"), ("SiA", "Si"), ("Pa1", "Pa"), ("No1", "No"), ("CO3", "Co"), ("TE1", "Te")],
    ],
)
def test_labels(label, element):
    assert element_of_label(label) == element


@pytest.mark.parametrize(
    "label",
    [
        *("Wat1", "WAT", "H2O1", "h2o", "NH41", "SO41", "Vac1", "Va", "Du1", "M1", "X1", "Q1", "T1", "Me1"),
        *("Cg1", "Oct1", "Tet1", "Cat1", "DA1", "1", "?", ""),
        *("MnFe", "Al1Si", "NO3", "PO4", "PA", "RN1", "CM"),
    ],
)
def test_labels_of_no_element(label):
    with pytest.raises(UnknownElementError, match="_atom_site_type_symbol"):
        element_of_label(label)


@pytest.mark.parametrize("label", ["Si/Al", "Mn1/Fe1", "Si,Al"])
def test_labels_of_several_elements(label):
    with pytest.raises(UnknownElementError, match="for a mixed symbol write one row for each"):
        element_of_label(label)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("O3 Sr Ti", {"O": 3, "Sr": 1, "Ti": 1}),
        ("CsCl", {"Cs": 1, "Cl": 1}),
        ("Cs1Cl1", {"Cs": 1, "Cl": 1}),
        ("La0.7 Sr.3 Mn O3", {"La": 0.7, "Sr": 0.3, "Mn": 1, "O": 3}),
        ("Fe0.95(2) O", {"Fe": 0.95, "O": 1}),
        ("C2 H5 O H", {"C": 2, "H": 6, "O": 1}),
    ],
)
def test_sums(text, counts):
    found = parse_formula(text)
    assert {name: count for name, (count, _) in found.items()} == pytest.approx(counts)


def test_what_the_digits_of_a_sum_leave_open():
    assert parse_formula("Fe0.95 O2")["Fe"][1] == pytest.approx(0.005)
    assert parse_formula("Fe0.95 O2")["O"][1] == 0


@pytest.mark.parametrize("text", ["(Mg,Fe)2 Si O4", "Ti4+ O2-", "x", "Sr n", "", "H2O 5"])
def test_sums_of_another_kind(text):
    assert parse_formula(text) is None


@pytest.mark.parametrize(
    ("counts", "sharing", "multiplicities", "expected"),
    [
        ({"O": 3, "Ti": 1, "Sr": 1}, {}, [1, 1, 3], "SrTiO3"),
        ({"Al": 4, "Be": 6, "O": 36, "Si": 12}, {}, [4, 6, 12, 24, 12], "Al2Be3O18Si6"),
        ({"La": 4.2, "Sr": 1.8, "Mn": 6, "O": 18}, {"La": "La", "Sr": "La"}, [6, 6, 6, 18], "La0.7Sr0.3MnO3"),
        ({"La": 3, "Sr": 3, "Mn": 6, "O": 18}, {"La": "La", "Sr": "La"}, [6, 6, 6, 18], "La0.5Sr0.5MnO3"),
        ({"Si": 6.4, "Ge": 1.6}, {"Si": "Ge", "Ge": "Ge"}, [8, 8], "Ge0.2Si0.8"),
        ({"Fe": 3.8, "O": 4}, {"Fe": "Fe"}, [4, 4], "Fe0.95O"),
        ({"Fe": 3.8, "S": 3.9}, {"Fe": "Fe", "S": "S"}, [4, 4], "Fe0.95S0.975"),
        ({"Fe": 24, "O": 32}, {}, [8, 16, 16, 32], "Fe3O4"),
    ],
)
def test_formula_of_a_unit(counts, sharing, multiplicities, expected):
    assert formula(counts, sharing, multiplicities) == expected
