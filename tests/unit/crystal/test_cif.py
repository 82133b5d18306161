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
loop_
_atom_site_aniso_label
_atom_site_aniso_U_11
_atom_site_aniso_U_22
_atom_site_aniso_U_33
_atom_site_aniso_U_12
_atom_site_aniso_U_13
_atom_site_aniso_U_23
{aniso}
"""


def _write(tmp_path, *, b=4.0, gamma=90, operations=("x,y,z",), sites=("C1 C 0.1 0.2 0.3 1 0.01",), aniso=()):
    text = HEADER.format(
        b=b,
        gamma=gamma,
        operations="\n".join(f"'{operation}'" for operation in operations),
        sites="\n".join(sites),
        aniso="\n".join(aniso or ("Xx1 0 0 0 0 0 0",)),
    )
    path = tmp_path / "test.cif"
    path.write_text(text)
    return path


def test_tensor_turns_with_the_operation(tmp_path):
    path = _write(tmp_path, operations=("x,y,z", "-y,x,z"), aniso=("C1 0.01 0.02 0.03 0.004 0.001 0.002",))
    crystal = read_cif(path)
    assert len(crystal.symbols) == 2
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
        (("C1 C 0.1 0.2 0.3 1 0.01", "C2 C 0.11 0.2 0.3 1 0.01"), ["0.04 Å apart"]),
    ],
)
def test_impossible_sites_are_refused(tmp_path, sites, words):
    with pytest.raises(StructureError) as caught:
        read_cif(_write(tmp_path, sites=sites))
    assert all(word in str(caught.value) for word in words)


def test_shared_site_is_accepted(tmp_path):
    crystal = read_cif(_write(tmp_path, sites=("A1 Mg 0 0 0 0.3 0.01", "A2 Fe 0 0 0 0.7 0.01")))
    assert crystal.symbols == ["Mg", "Fe"]


@pytest.mark.parametrize("content", [None, "", "not a cif at all", "data_x\n_cell_length_a 4\n"])
def test_files_without_a_structure_are_refused(tmp_path, content):
    path = tmp_path / "bad.cif"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StructureError, match="cif: "):
        read_cif(path)
