"""Displacement parameters: U, B and beta, and what a configuration gives."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif, read_structure
from pacbed.crystal.reading import ReadingChoices
from pacbed.errors import StructureError

NO_U = "label type_symbol fract_x fract_y fract_z"
NO_U_ROWS = ("Cs1 Cs 0 0 0", "Cl1 Cl 0.5 0.5 0.5")
OBLIQUE = "4.0 4.5 5.0 85 95 100"
B = 8 * np.pi**2


def _u_iso(crystal) -> np.ndarray:
    return np.trace(crystal.displacement, axis1=1, axis2=2) / 3


def test_u_and_b_of_single_sites(made):
    columns = f"{NO_U} U_iso_or_equiv B_iso_or_equiv"
    rows = ("Cs1 Cs 0 0 0 0.02 .", f"Cl1 Cl 0.5 0.5 0.5 ? {0.03 * B:.6f}")
    crystal = read_cif(made(columns=columns, rows=rows, cell=OBLIQUE))
    np.testing.assert_allclose(crystal.displacement, [0.02 * np.eye(3), 0.03 * np.eye(3)], atol=1e-8)


@pytest.mark.parametrize("kind", ["U", "B", "beta"])
def test_kinds_of_tensors_against_the_definition(made, kind):
    """2 pi^2 g.U.g for the Cartesian g of indices h is h.beta.h, with U_ij = beta_ij / (2 pi^2 a*_i a*_j)."""
    u = np.array([[0.02, 0.003, -0.002], [0.003, 0.03, 0.001], [-0.002, 0.001, 0.025]])
    cell = read_cif(made(cell=OBLIQUE)).cell
    lengths = np.linalg.norm(np.linalg.inv(cell), axis=0)
    beta = 2 * np.pi**2 * u * np.outer(lengths, lengths)
    tensor = {"U": u, "B": B * u, "beta": beta}[kind]
    numbers = " ".join(f"{tensor[i, j]:.9f}" for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)))
    crystal = read_cif(made(cell=OBLIQUE, aniso=(f"Cs1 {numbers}",), kind=kind))
    for h in np.array([[1, 0, 0], [0, 2, -1], [3, 1, 1]]):
        g = np.linalg.inv(cell) @ h
        assert 2 * np.pi**2 * g @ crystal.displacement[0] @ g == pytest.approx(h @ beta @ h, rel=1e-6)
    np.testing.assert_allclose(crystal.displacement[1], 0.03 * np.eye(3), atol=1e-12)  # U_iso of the other


def test_rows_that_say_nothing(made):
    crystal = read_cif(made(aniso=("Cs1 ? ? ? ? ? ?", "Cl1 . . . . . .")))
    assert _u_iso(crystal) == pytest.approx([0.02, 0.03])


def test_b_beside_missing_u(made, text):
    columns = "\n".join(f"_atom_site_aniso_{k}_{c}" for k in "UB" for c in ("11", "22", "33", "12", "13", "23"))
    rows = f"Cs1 ? ? ? ? ? ? {B * 0.02} {B * 0.02} {B * 0.02} 0 0 0\nCl1 .03 .03 .03 0 0 0 . . . . . ."
    whole = text(columns=NO_U, rows=NO_U_ROWS) + f"loop_\n_atom_site_aniso_label\n{columns}\n{rows}\n"
    assert _u_iso(read_cif(made(whole))) == pytest.approx([0.02, 0.03])


def test_labels_in_another_case(made):
    rows = ("CS1 0.02 0.02 0.02 0 0 0", "CL1 0.03 0.03 0.03 0 0 0")
    assert _u_iso(read_cif(made(columns=NO_U, rows=NO_U_ROWS, aniso=rows))) == pytest.approx([0.02, 0.03])


@pytest.mark.parametrize("row", ["Cs1 Cs 0 0 0 1 0.0", "Cs1 Cs 0 0 0 1 ?"])
def test_a_file_without_any(made, row):
    """As databases of computed crystals write them: read, with tensors of zeros."""
    rows = (row, row.replace("Cs1 Cs 0 0 0", "Cl1 Cl 0.5 0.5 0.5"))
    for crystal in (read_cif(made(rows=rows)), read_cif(made(columns=NO_U, rows=NO_U_ROWS))):
        assert not np.any(crystal.displacement)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"rows": ("Cs1 Cs 0 0 0 1 0.02", "Cl1 Cl .5 .5 .5 1 ?")}, "U of Cl1 missing.*crystal.displacements.*Cl1: "),
        ({"rows": ("Cs1 Cs 0 0 0 1 0.02", "Cl1 Cl .5 .5 .5 1 0")}, "Cl1 has U = 0"),
        ({"columns": NO_U, "rows": NO_U_ROWS, "aniso": ("Cs1 .02 .02 .02 0 0 0",)}, "U of Cl1 missing"),
        ({"rows": ("Cs1 Cs 0 0 0 1 1.55", "Cl1 Cl .5 .5 .5 1 .02")}, r"U of 1\.55 Å\^2', accepted: at most 0\.2"),
        ({"rows": ("Cs1 Cs 0 0 0 1 -0.01",)}, "displacement of Cs1, _atom_site_U_iso_or_equiv: got '-0.01'"),
        ({"rows": ("Cs1 Cs 0 0 0 1 1/50",)}, "got '1/50', accepted: a number"),
        ({"aniso": ("Cs1 .02 .02 .5 0 0 0",)}, r"displacement of Cs1: got 'U of 0\.5"),
        ({"aniso": ("Cs1 .02 .02 .02 .05 0 0",)}, "displacement tensor of Cs1: got 'a negative principal value"),
        ({"aniso": ("Cs1 .02 ? .02 0 0 0",)}, r"displacement of Cs1, _atom_site_aniso_U_22: got '\?'"),
        ({"aniso": ("Cs .02 .02 .02 0 0 0",)}, "aniso labels match no site.*got 'Cs', accepted: labels .*Cs1, Cl1"),
        ({"aniso": ("Cs1 .02 .02 .02 0 0 0",) * 2}, "got 'Cs1 in two rows'"),
    ],
)
def test_parameters_that_are_refused(made, parts, words):
    with pytest.raises(StructureError, match=words):
        read_cif(made(**parts))


def test_a_loop_without_all_components(made, text):
    whole = text(aniso=("Cs1 .02 .02 .02 0 0",)).replace("_atom_site_aniso_U_23\n", "")
    with pytest.raises(StructureError, match="anisotropic loop: got '5 of 6 components'"):
        read_cif(made(whole))


@pytest.mark.parametrize(
    ("displacements", "expected"),
    [({"Cs": 6e-5, "Cl": 8e-5}, [6e-3, 8e-3]), ({"Cs1": 7e-5, "Cs": 6e-5, "Cl": 8e-5}, [7e-3, 8e-3])],
)
def test_parameters_of_the_configuration(made, displacements, expected):
    path = made(columns=NO_U, rows=NO_U_ROWS, cell=OBLIQUE)
    crystal = read_cif(path, displacements=displacements)
    np.testing.assert_allclose(crystal.displacement, [u * np.eye(3) for u in expected], atol=1e-12)


def test_the_configuration_fills_gaps_alone(made):
    rows = ("Cs1 Cs 0 0 0 1 ?", "Cl1 Cl 0.5 0.5 0.5 1 0.03")
    found = read_structure(made(rows=rows), ReadingChoices(displacements={"Cs": 6e-5, "Cl": 8e-5}))
    assert [site.u_iso_nm2 for site in found.sites] == pytest.approx([6e-5, 3e-4])
    assert found.notes == (
        "u_iso = 6e-05 nm^2 of the configuration for Cs1",
        "crystal.displacements of Cl is not used: the file has values",
    )
    zero = made(rows=("Cs1 Cs 0 0 0 1 0", "Cl1 Cl 0.5 0.5 0.5 1 0.03"))
    assert _u_iso(read_cif(zero, displacements={"Cs1": 6e-5})) == pytest.approx([6e-3, 0.03])


@pytest.mark.parametrize(
    ("displacements", "words"),
    [
        ({"Cs": 6e-5}, "U of Cl1 missing"),
        ({"Cz": 6e-5}, "crystal.displacements of Cz: got 6e-05, accepted: labels or elements of sites: Cl, Cl1, Cs"),
        ({"Cs": 0.006}, r"crystal.displacements of Cs: got 0\.006, accepted: u_iso above 0, at most 0\.002 nm\^2"),
        ({"Cs": 0.0}, "accepted: u_iso above 0"),
    ],
)
def test_configurations_that_are_refused(made, displacements, words):
    with pytest.raises(StructureError, match=words):
        read_cif(made(columns=NO_U, rows=NO_U_ROWS), displacements=displacements)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"aniso": ("Cs1 .002 .002 .002 0 0 0",)}, r"U = 0\.002 Å\^2 of the anisotropic loop, U = 0\.02 Å\^2 of"),
        (
            {
                "columns": "label type_symbol fract_x fract_y fract_z U_iso_or_equiv B_iso_or_equiv",
                "rows": ("Cs1 Cs 0 0 0 0.02 0.1", "Cl1 Cl 0.5 0.5 0.5 0.03 2.4"),
            },
            r"U = 0\.02 Å\^2 of _atom_site_U_iso_or_equiv, U = 0\.00127 Å\^2 of _atom_site_B_iso_or_equiv",
        ),
        (
            {
                "columns": "label type_symbol fract_x fract_y fract_z U_iso_or_equiv adp_type",
                "rows": ("Cs1 Cs 0 0 0 0.16 Biso", "Cl1 Cl 0.5 0.5 0.5 0.19 Biso"),
            },
            "_atom_site_adp_type of Cs1 beside U: got 'Biso', accepted: Uiso or Uani, or B under a tag of B",
        ),
    ],
)
def test_two_statements_of_which_one_is_wrong(made, parts, words):
    with pytest.raises(StructureError, match=words):
        read_structure(made(**parts))


def test_two_statements_that_agree(made):
    columns = "label type_symbol fract_x fract_y fract_z U_iso_or_equiv B_iso_or_equiv adp_type"
    rows = ("Cs1 Cs 0 0 0 0.02 1.58 Bani", "Cl1 Cl 0.5 0.5 0.5 ? 2.37 Biso")
    found = read_structure(made(columns=columns, rows=rows, aniso=("Cs1 0.02 0.021 0.022 0 0 0",)))
    assert [round(100 * site.u_iso_nm2, 4) for site in found.sites] == [0.021, 0.03]


def test_two_statements_that_differ_are_told(made):
    found = read_structure(made(aniso=("Cs1 0.03 0.04 0.05 0 0 0",)))
    note = "site Cs1 has U = 0.04 Å^2 of the anisotropic loop, U = 0.02 Å^2 of _atom_site_U_iso_or_equiv"
    assert found.notes == (f"{note}; the first is used",)
    assert found.sites[0].u_iso_nm2 == pytest.approx(4e-4)


def test_less_than_zero_point_motion_is_told(made):
    found = read_structure(made(rows=("Cs1 Cs 0 0 0 1 0.0002", "Cl1 Cl 0.5 0.5 0.5 1 0.002")))
    assert found.notes == ("U of Cs1 is below 0.0005 Å^2, less than zero-point motion: is it in nm^2?",)


def test_labels_with_other_signs(made):
    columns = "label type_symbol fract_x fract_y fract_z"
    rows = ("O-h1 O 0 0 0", "O-h2 O 0.5 0.5 0.5")
    aniso = ("Oh1 0.01 0.01 0.01 0 0 0", "O(h2) 0.02 0.02 0.02 0 0 0")
    found = read_structure(made(columns=columns, rows=rows, aniso=aniso))
    assert [round(100 * site.u_iso_nm2, 6) for site in found.sites] == [0.01, 0.02]


def test_a_tensor_for_a_label_that_several_sites_have(made):
    rows = ("O O 0 0 0 1 0.01", "O O 0.5 0.5 0.5 1 0.01")
    with pytest.raises(StructureError, match=r"aniso labels match no site, .*got 'O'"):
        read_structure(made(rows=rows, aniso=("O 0.01 0.01 0.01 0 0 0",)))


def test_a_tensor_for_atoms_that_share_a_site_and_its_label(made):
    columns = f"{NO_U} occupancy"
    rows = ("M Fe 0 0 0 0.6", "M Mg 0 0 0 0.4", "O1 O 0.5 0.5 0.5 1")
    aniso = ("M 0.01 0.02 0.03 0 0 0", "O1 0.02 0.02 0.02 0 0 0")
    crystal = read_cif(made(columns=columns, rows=rows, aniso=aniso))
    np.testing.assert_allclose(crystal.displacement[:2], [np.diag([0.01, 0.02, 0.03])] * 2, atol=1e-9)


def test_tensors_for_one_site_in_two_rows_are_refused(made):
    rows = ("M Fe 0 0 0 0.6 0.01", "M Mg 0 0 0 0.4 0.01")
    with pytest.raises(StructureError, match="M in two rows"):
        read_structure(made(rows=rows, aniso=("M 0.01 0.01 0.01 0 0 0", "M 0.02 0.02 0.02 0 0 0")))


@pytest.mark.parametrize(("name", "factor"), [("U_equiv_geom_mean", 1.0), ("B_equiv_geom_mean", 8 * np.pi**2)])
def test_geometric_means_count(made, name, factor):
    rows = [f"{row} {u * factor:.6f}" for row, u in zip(NO_U_ROWS, (0.02, 0.03), strict=True)]
    assert _u_iso(read_cif(made(columns=f"{NO_U} {name}", rows=rows))) == pytest.approx([0.02, 0.03], rel=1e-4)


@pytest.mark.parametrize("name", ["U_iso", "Uiso", "B_iso", "Biso_or_equiv", "B_equiv", "Uani"])
def test_a_tag_that_may_mean_displacements_is_not_passed_over(made, name):
    rows = [f"{row} 0.02" for row in NO_U_ROWS]
    with pytest.raises(StructureError, match=f"tag of displacement parameters: got '_atom_site_{name.lower()}'"):
        read_cif(made(columns=f"{NO_U} {name}", rows=rows))
    read_cif(made(columns=f"{NO_U} {name} U_iso_or_equiv", rows=[f"{row} 0.02" for row in rows]))


def test_a_tensor_beside_the_position(made):
    components = " ".join(f"aniso_U_{component}" for component in ("11", "22", "33", "12", "13", "23"))
    rows = [f"{row} {u} {u} {2 * u} 0 0 0" for row, u in zip(NO_U_ROWS, (0.01, 0.02), strict=True)]
    crystal = read_cif(made(columns=f"{NO_U} {components}", rows=rows))
    np.testing.assert_allclose(crystal.displacement, [np.diag([u, u, 2 * u]) for u in (0.01, 0.02)], atol=1e-9)
