"""Rocking table against frozen phonons: figures, warnings, and the thickness bias of a wrong crystal model."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.simulation.checks.referee_phonons import PhononRefereeSettings, find_warnings, referee_phonons

SETTINGS = PhononRefereeSettings(
    cells=2, configurations=2, pool=12, seed=1, convergence_mrad=[14.0, 12.0, 13.0], thickness_max_nm=10.0,
    tau_max_mrad=3.0, max_angle_mrad=18.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def report(tiny_table_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("referee_b")
    structure = tiny_table_dir.parent / "structure"
    referee_phonons(structure, tiny_table_dir, SETTINGS, folder / "b.json", folder / "b.png")
    return json.loads((folder / "b.json").read_text()), folder


def test_an_absorptive_table_agrees_with_frozen_phonons(report) -> None:
    """Measured at 9.4 nm: elastic parts within 5e-3, where exchanged axes are 1.3e-2 apart; bias 0.08 nm."""
    figures, folder = report
    depths = [one["thickness_nm"] for one in figures["patterns"]]
    np.testing.assert_allclose(np.array(depths) / 0.39053, [4, 12, 24], rtol=1e-3)
    assert figures["convergence_mrad"] == 13.0
    for one in figures["patterns"]:
        assert one["elastic_l2"] < 7e-3
        assert one["total_l2"] < 0.01
        assert abs(one["bias_nm"]) < 0.2
        assert one["noise_l2"] < 2e-3
        shares = one["fraction_in_field"]
        assert shares["elastic"] < shares["total"] < 1.02
    assert figures["warnings"] == []
    assert (folder / "b.png").stat().st_size > 10_000


def test_a_single_configuration_has_no_noise_to_tell(tiny_table_dir, tmp_path):
    """And a system without mistilt is compared on its zone axis."""
    structure = tiny_table_dir.parent / "structure"
    settings = replace(SETTINGS, configurations=1, tau_max_mrad=0.0, thickness_max_nm=1.0, convergence_mrad=[12.0])
    referee_phonons(structure, tiny_table_dir, settings, tmp_path / "b.json", tmp_path / "b.png")
    found = json.loads((tmp_path / "b.json").read_text())
    assert found["mistilt_mrad"] == [0.0, 0.0]
    assert [one["thickness_nm"] for one in found["patterns"]] == pytest.approx([0.39, 0.78], abs=0.01)
    assert all(one["noise_l2"] is None and one["bias_std_nm"] is None for one in found["patterns"])


def test_a_table_of_another_system_is_refused(tiny_table_dir, srtio3_slices, tmp_path):
    replace(srtio3_slices, energy_ev=300e3).save(tmp_path)
    with pytest.raises(FormatError, match="table: got SrTiO3"):
        referee_phonons(tmp_path, tiny_table_dir, SETTINGS, tmp_path / "b.json", tmp_path / "b.png")
    assert not (tmp_path / "b.json").exists()


def test_large_deviations_are_named() -> None:
    fine = {"thickness_nm": 50.0, "bias_nm": 0.1, "elastic_l2": 0.004}
    assert find_warnings(fine) == []
    assert find_warnings({**fine, "bias_nm": -0.41}) == ["50.0 nm: thickness bias -0.41 nm, above 0.3 nm"]
    assert find_warnings({**fine, "elastic_l2": 0.0312}) == ["50.0 nm: elastic parts differ by 3.1 %, above 1 %"]
