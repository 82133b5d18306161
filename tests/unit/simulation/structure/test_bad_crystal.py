"""Crystals and grids that the first stage cannot use: a clear error, and nothing left behind."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.potentials import SlicePotentials, of_structure
from pacbed.errors import PacbedError, SimulationError, StructureError
from pacbed.simulation.structure.orient_structure import orient_structure
from pacbed.simulation.structure.settings import StructureSettings
from pacbed.simulation.structure.slicing import Slicing
from pacbed.systems import System

CIF = """data_test
_cell_length_a {a}
_cell_length_b 4.0
_cell_length_c 4.0
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
ASKED = {
    "zone_axis": [0, 0, 1],
    "energy_kev": 200.0,
    "thermal_model": "debye_waller_absorptive",
    "parametrization": "lobato",
    "grid_px": [32, 32],
    "slice_depth_nm": 0.2,
    "thickness_max_nm": 10.0,
    "cone_mrad": 20.0,
    "field_mrad": 35.0,
    "propagator": "exact",
    "direction_pitch_mrad": 1.0,
    "plane_spacing_nm": 1.0,
    "alpha_max_mrad": 12.0,
    "tau_max_mrad": 3.0,
    "max_angle_mrad": 18.0,
    "tolerance": 2e-3,
}


def cif(a="4.0", alpha="90", symmetry="_space_group_IT_number 1", sites=GOOD_SITES):
    return CIF.format(a=a, alpha=alpha, symmetry=symmetry, sites=sites).encode()


def refusal(tmp_path, content, **changes):
    """Error of the first stage; whatever it is, nothing may be left behind."""
    file = tmp_path / "crystal.cif"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PacbedError) as caught:
        orient_structure(file, StructureSettings(**{**ASKED, **changes}), out_dir=tmp_path / "out" / "structure")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    return caught.value


def test_the_crystal_that_the_bad_ones_are_made_from_is_good(tmp_path):
    (tmp_path / "crystal.cif").write_bytes(cif())
    orient_structure(tmp_path / "crystal.cif", StructureSettings(**ASKED), out_dir=tmp_path / "structure")
    assert of_structure(tmp_path / "structure") == System("SrTi", (0, 0, 1), 200.0)


@pytest.mark.parametrize("content", [None, b"not a CIF", cif(sites="C1 C 0 0 0 1.5 0.01")])
def test_a_bad_crystal_is_refused(tmp_path, content):
    assert isinstance(refusal(tmp_path, content), StructureError)


def test_a_crystal_without_displacements_cannot_absorb(tmp_path):
    still = cif(sites=GOOD_SITES.replace("0.008", "0").replace("0.006", "0"))
    error = refusal(tmp_path, still)
    assert "thermal_model: got 'debye_waller_absorptive'" in str(error)
    assert "accepted: 'none'" in str(error)


@pytest.mark.parametrize("axis", [[0, 0, 0], [0, 1], [0, 0, 0.5]])
def test_a_bad_zone_axis_is_refused(tmp_path, axis):
    assert "zone_axis: got" in str(refusal(tmp_path, cif(), zone_axis=axis))


@pytest.mark.parametrize("angle", ["cone_mrad", "field_mrad"])
def test_a_grid_by_hand_that_cannot_hold_the_angles_is_refused(tmp_path, angle):
    error = refusal(tmp_path, cif(), **{angle: 120.0})
    assert isinstance(error, SimulationError)
    assert "grid_px: got [32, 32], which carries 95.3 mrad, accepted: auto, or a grid that holds" in str(error)


def test_no_grid_holds_an_absurd_field(tmp_path, monkeypatch):
    monkeypatch.setattr("pacbed.simulation.structure.grid_search.GRID_SIZES", [16, 32])
    assert "grid_px: got [32, 32], which carries" in str(refusal(tmp_path, cif(), grid_px="auto", field_mrad=500.0))


def test_what_a_file_leaves_open_is_settled_by_the_settings(tmp_path):
    """Two blocks without displacement parameters and with a wrong volume; whoever reads the file again does as well."""
    text = cif(sites="Sr1 Sr 0 0 0 1 ?\nTi1 Ti 0.5 0.5 0.5 1 ?\n").decode()
    path = tmp_path / "crystal.cif"
    path.write_text(text + text.replace("data_test", "data_cold\n_cell_volume 70").replace("4.0", "3.9"))
    choices = {
        "block": "cold",
        "accept_contradictions": ["volume"],
        "displacements": {"Sr": 8e-5, "Ti1": 6e-5},
    }
    orient_structure(path, StructureSettings(**ASKED, **choices), out_dir=tmp_path / "structure")
    slices = SlicePotentials.load(tmp_path / "structure")
    again = Slicing.behind(slices).oriented
    assert again.cell[0, 0] == pytest.approx(3.9)
    assert again.volume_a3 == pytest.approx(3.9**3)
    np.testing.assert_allclose(again.displacement[:, 0, 0], [0.008, 0.006])
