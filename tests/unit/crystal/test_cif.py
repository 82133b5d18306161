"""Reading CIF files: symmetry, displacement tensors, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.errors import StructureError

HEADER = """data_test
_cell_length_a 4.0
_cell_length_b {b}
_cell_length_c 6.0
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma {gamma}
loop_
_space_group_symop_operation_xyz
{operations}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_U_iso_or_equiv
{sites}
{aniso}
"""
ANISO = "loop_\n_atom_site_aniso_label\n" + "".join(
    f"_atom_site_aniso_U_{component}\n" for component in ("11", "22", "33", "12", "13", "23")
)


def _write(tmp_path, *, b=4.0, gamma=90, operations=("x,y,z",), sites=("C1 C 0.1 0.2 0.3 1 0.01",), aniso=()):
    text = HEADER.format(
        b=b,
        gamma=gamma,
        operations="\n".join(f"'{operation}'" for operation in operations),
        sites="\n".join(sites),
        aniso=ANISO + "\n".join(aniso) if aniso else "",
    )
    path = tmp_path / "test.cif"
    path.write_text(text)
    return path


def test_tensor_turns_with_the_operation(tmp_path):
    operations = ("x,y,z", "-y,x,z", "-x,-y,z", "y,-x,z")
    path = _write(tmp_path, operations=operations, aniso=("C1 0.01 0.02 0.03 0.004 0.001 0.002",))
    crystal = read_cif(path)
    assert len(crystal.symbols) == 4
    np.testing.assert_allclose(crystal.fractional[1], [0.8, 0.1, 0.3], atol=1e-9)
    quarter = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(crystal.displacement[1], quarter @ crystal.displacement[0] @ quarter.T, atol=1e-12)
    assert crystal.displacement[0][0, 1] == pytest.approx(0.004)


def test_isotropic_tensor_in_an_oblique_cell_is_round(tmp_path):
    crystal = read_cif(_write(tmp_path, gamma=120))
    np.testing.assert_allclose(crystal.displacement[0], 0.01 * np.eye(3), atol=1e-12)


def test_equivalent_isotropic_value_of_an_oblique_tensor(tmp_path):
    # U12 = U11 / 2 makes an ellipsoid of revolution about c of a hexagonal cell (Trueblood et al. 1996).
    crystal = read_cif(_write(tmp_path, gamma=120, aniso=("C1 0.01 0.01 0.03 0.005 0 0",)))
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
def test_impossible_sites_are_refused(tmp_path, sites, words):
    with pytest.raises(StructureError) as caught:
        read_cif(_write(tmp_path, sites=sites))
    assert all(word in str(caught.value) for word in words)


def test_shared_site_is_accepted(tmp_path):
    crystal = read_cif(_write(tmp_path, sites=("A1 Mg 0 0 0 0.3 0.01", "A2 Fe 0 0 0 0.7 0.01")))
    assert crystal.symbols == ["Mg", "Fe"]


# Files that describe no crystal

TEMPLATE = """data_test
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
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


def cif(a="4.0", alpha="90", symmetry="_space_group_name_H-M_alt 'P 1'", sites=GOOD_SITES):
    return TEMPLATE.format(a=a, alpha=alpha, symmetry=symmetry, sites=sites).encode()


def test_the_crystal_that_the_bad_ones_are_made_from_is_good(tmp_path):
    (tmp_path / "crystal.cif").write_bytes(cif())
    crystal = read_cif(tmp_path / "crystal.cif")
    assert crystal.formula == "SrTi"
    np.testing.assert_allclose(crystal.displacement[:, 0, 0], [0.008, 0.006])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["cif: got", "accepted: the path of an existing CIF file"]),
        (b"", ["is empty", "accepted: a CIF with one crystal structure"]),
        (b"PK\x03\x04 not a CIF", ["not a CIF", "accepted: a CIF file"]),
        (bytes(range(256)), ["is not a CIF"]),
        (cif()[:150], ["holds no cell with atom sites"]),
        (cif(sites=""), ["lists no complete fractional atom positions"]),
        (cif(symmetry=""), ["says nothing of symmetry", "accepted: a list of operations, or a space group"]),
        (cif(symmetry="_space_group_IT_number 999"), ["number of the space group: got '999'"]),
        (cif(sites="Qq1 Qq 0 0 0 1 0.01"), ["element of Qq1: got 'Qq'", "accepted: the symbol of a chemical element"]),
        (cif(sites="V1 X 0 0 0 1 0.01"), ["element of V1: got 'X'"]),
        (cif(sites="C1 C 0 0 0 1.5 0.01"), ["line 17: occupancy of C1: got '1.5'", "from 0 to at most 1; write 1"]),
        (cif(sites="C1 C 0 0 0 1 -0.01"), ["displacement of C1", "got '-0.01'", "accepted: a number, 0 or more"]),
        (cif(sites="C1 C 0 nowhere 0 1 0.01"), ["position of C1, _atom_site_fract_y: got 'nowhere'"]),
        (cif(sites="C1 C 0 0 0 0.6 0.01\nN1 N 0 0 0 0.6 0.01"), ["one site holds C 0.6 (C1), N 0.6 (N1)"]),
        (
            cif(sites="C1 C 0 0 0 0.4 0.01\nN1 N 0 0 0 0.4 0.01\nO1 O 0.01 0 0 0.4 0.01"),
            ["one site holds C 0.4 (C1), N 0.4 (N1), O 0.4 (O1)", "at most 0.04 Å apart", "up to 1 in all"],
        ),
        (cif(sites="C1 C 0 0 0 1 0.01\nC2 C 0.1 0 0 1 0.01"), ["C1 (C) and C2 (C) too close: got '0.40 Å"]),
        (cif(a="0"), ["cell of", "got '0, 0, 0", "accepted: three lengths above 0"]),
        (cif(alpha="200"), ["cell of", "200", "angles of a cell"]),
    ],
)
def test_a_bad_crystal_is_refused(tmp_path, content, words):
    file = tmp_path / "crystal.cif"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StructureError) as caught:
        read_cif(file)
    assert [word for word in words if word not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


def test_rounded_occupancies_make_a_full_site(tmp_path):
    sites = "".join(f"{symbol}1 {symbol} 0 0 0 0.334 0.01\n" for symbol in ("Fe", "Co", "Ni"))
    (tmp_path / "crystal.cif").write_bytes(cif(sites=sites))
    assert sorted(read_cif(tmp_path / "crystal.cif").symbols) == ["Co", "Fe", "Ni"]


def test_listed_operations_outrank_the_name_of_a_group(tmp_path):
    """The file says Pm-3m, and lists an inversion alone."""
    listed = "_space_group_IT_number 221\nloop_\n_space_group_symop_operation_xyz\n'x,y,z'\n'-x,-y,-z'"
    for symmetry, count in ((listed, 2), ("_space_group_IT_number 221", 24)):
        (tmp_path / "crystal.cif").write_bytes(cif(symmetry=symmetry, a="6.0", sites="O1 O 0.2 0.3 0 1 0.01"))
        assert len(read_cif(tmp_path / "crystal.cif").symbols) == count


def test_b_is_eight_pi_squared_u(tmp_path):
    text = cif().decode().replace("_atom_site_U_iso_or_equiv", "_atom_site_B_iso_or_equiv")
    (tmp_path / "crystal.cif").write_text(text)
    found = read_cif(tmp_path / "crystal.cif").displacement[0]
    np.testing.assert_allclose(found, 0.008 / (8 * np.pi**2) * np.eye(3))


def test_standard_uncertainties_are_dropped(tmp_path):
    (tmp_path / "crystal.cif").write_bytes(cif(a="4.01(2)", sites="Sr1 Sr 0.1234(5) 0 0 1 0.0080(12)"))
    crystal = read_cif(tmp_path / "crystal.cif")
    assert crystal.positions[0, 0] == pytest.approx(0.1234 * 4.01)
    assert crystal.displacement[0, 1, 1] == pytest.approx(0.008)
