"""Reading CIF files: symmetry, displacement tensors, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.errors import StructureError

ONE = {"cell": "4 4 6 90 90 90", "rows": ("C1 C 0.1 0.2 0.3 1 0.01",)}
BY_NUMBER = {"symbol": None, "operations": ()}
OBLIQUE = {**ONE, "cell": "4 4 6 90 90 120"}
TWO = {
    "cell": "4 4 4 90 90 90", "symbol": "P 1", "rows": ("Sr1 Sr 0 0 0 1 0.008", "Ti1 Ti 0.5 0.5 0.5 1 0.006"),
}  # fmt: skip


def test_tensor_turns_with_the_operation(made):
    operations = ("x,y,z", "-y,x,z", "-x,-y,z", "y,-x,z")
    path = made(**ONE, operations=operations, aniso=("C1 0.01 0.02 0.03 0.004 0.001 0.002",))
    crystal = read_cif(path)
    assert len(crystal.symbols) == 4
    np.testing.assert_allclose(crystal.fractional[1], [0.8, 0.1, 0.3], atol=1e-9)
    quarter = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(crystal.displacement[1], quarter @ crystal.displacement[0] @ quarter.T, atol=1e-12)
    assert crystal.displacement[0][0, 1] == pytest.approx(0.004)


def test_isotropic_tensor_in_an_oblique_cell_is_round(made):
    crystal = read_cif(made(**OBLIQUE))
    np.testing.assert_allclose(crystal.displacement[0], 0.01 * np.eye(3), atol=1e-12)


def test_equivalent_isotropic_value_of_an_oblique_tensor(made):
    # U12 = U11 / 2 makes an ellipsoid of revolution about c of a hexagonal cell (Trueblood et al. 1996).
    crystal = read_cif(made(**OBLIQUE, aniso=("C1 0.01 0.01 0.03 0.005 0 0",)))
    np.testing.assert_allclose(crystal.displacement[0], np.diag([0.01, 0.01, 0.03]), atol=1e-12)


@pytest.mark.parametrize(
    ("sites", "words"),
    [
        (("C1 C 0.1 0.2 0.3 1.2 0.01",), ["occupancy of C1", "1.2"]),
        (
            ("C1 C 0.1 0.2 0.3 1 0.01", "C2 C 0.11 0.2 0.3 1 0.01"),
            ["one site holds C 1 (C1), C 1 (C2)", "0.04 Å apart"],
        ),
    ],
)
def test_impossible_sites_are_refused(made, sites, words):
    with pytest.raises(StructureError) as caught:
        read_cif(made(**{**ONE, "rows": sites}))
    assert all(word in str(caught.value) for word in words)


def test_shared_site_is_accepted(made):
    crystal = read_cif(made(**{**ONE, "rows": ("A1 Mg 0 0 0 0.3 0.01", "A2 Fe 0 0 0 0.7 0.01")}))
    assert crystal.symbols == ["Mg", "Fe"]


# Files that describe no crystal


def test_the_crystal_that_the_bad_ones_are_made_from_is_good(made):
    crystal = read_cif(made(**TWO))
    assert crystal.formula == "SrTi"
    np.testing.assert_allclose(crystal.displacement[:, 0, 0], [0.008, 0.006])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["cif: got", "accepted: the path of an existing CIF file"]),
        (b"", ["is empty", "accepted: a CIF with one crystal structure"]),
        (b"PK\x03\x04 not a CIF", ["not a CIF", "accepted: a CIF file"]),
        (bytes(range(256)), ["is not a CIF"]),
        ("data_test\n_cell_length_a 4.0\n", ["holds no cell with atom sites"]),
        ({"rows": ()}, ["lists no complete fractional atom positions"]),
        (
            {"symbol": None, "operations": ()},
            ["says nothing of symmetry", "accepted: a list of operations, or a space group"],
        ),
        ({**BY_NUMBER, "more": "_space_group_IT_number 999"}, ["number of the space group: got '999'"]),
        (
            {"rows": ("Qq1 Qq 0 0 0 1 0.01",)},
            ["element of Qq1: got 'Qq'", "accepted: the symbol of a chemical element"],
        ),
        ({"rows": ("V1 X 0 0 0 1 0.01",)}, ["element of V1: got 'X'"]),
        ({"rows": ("C1 C 0 0 0 1.5 0.01",)}, ["line 18: occupancy of C1: got '1.5'", "from 0 to at most 1; write 1"]),
        ({"rows": ("C1 C 0 0 0 1 -0.01",)}, ["displacement of C1", "got '-0.01'", "accepted: a number, 0 or more"]),
        ({"rows": ("C1 C 0 nowhere 0 1 0.01",)}, ["position of C1, _atom_site_fract_y: got 'nowhere'"]),
        (
            {
                "rows": (
                    "C1 C 0 0 0 0.6 0.01",
                    "N1 N 0 0 0 0.6 0.01",
                )
            },
            ["one site holds C 0.6 (C1), N 0.6 (N1)"],
        ),
        (
            {
                "rows": (
                    "C1 C 0 0 0 0.4 0.01",
                    "N1 N 0 0 0 0.4 0.01",
                    "O1 O 0.01 0 0 0.4 0.01",
                )
            },
            ["one site holds C 0.4 (C1), N 0.4 (N1), O 0.4 (O1)", "at most 0.04 Å apart", "up to 1 in all"],
        ),
        (
            {
                "rows": (
                    "C1 C 0 0 0 1 0.01",
                    "C2 C 0.1 0 0 1 0.01",
                )
            },
            ["C1 (C) and C2 (C) too close: got '0.40 Å"],
        ),
        ({"cell": "0 0 0 90 90 90"}, ["cell of", "got '0, 0, 0", "accepted: three lengths above 0"]),
        ({"cell": "4 4 4 200 90 90"}, ["cell of", "200", "angles of a cell"]),
    ],
)
def test_a_bad_crystal_is_refused(made, tmp_path, content, words):
    """`content` is a whole file, or what differs from the good one."""
    if content is None:
        file = tmp_path / "missing.cif"
    else:
        file = made(**{**TWO, **content}) if isinstance(content, dict) else made(content)
    with pytest.raises(StructureError) as caught:
        read_cif(file)
    assert [word for word in words if word not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


def test_rounded_occupancies_make_a_full_site(made):
    rows = [f"{symbol}1 {symbol} 0 0 0 0.334 0.01" for symbol in ("Fe", "Co", "Ni")]
    assert sorted(read_cif(made(**{**TWO, "rows": rows})).symbols) == ["Co", "Fe", "Ni"]


def test_listed_operations_outrank_the_name_of_a_group(made):
    """The file says Pm-3m, and lists an inversion alone."""
    parts = {"cell": "6 6 6 90 90 90", "rows": ("O1 O 0.2 0.3 0 1 0.01",), "more": "_space_group_IT_number 221"}
    for operations, count in ((("x,y,z", "-x,-y,-z"), 2), ((), 24)):
        assert len(read_cif(made(**parts, operations=operations)).symbols) == count


def test_b_is_eight_pi_squared_u(made, text):
    whole = text(**TWO).replace("_atom_site_U_iso_or_equiv", "_atom_site_B_iso_or_equiv")
    found = read_cif(made(whole)).displacement[0]
    np.testing.assert_allclose(found, 0.008 / (8 * np.pi**2) * np.eye(3))


def test_standard_uncertainties_are_dropped(made):
    cell = "4.01(2) 4.01(2) 4.01(2) 90 90 90"
    crystal = read_cif(made(cell=cell, rows=("Sr1 Sr 0.1234(5) 0 0 1 0.0080(12)",)))
    assert crystal.positions[0, 0] == pytest.approx(0.1234 * 4.01)
    assert crystal.displacement[0, 1, 1] == pytest.approx(0.008)
