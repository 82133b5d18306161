"""Fixtures shared by all tests: a small, real rocking table."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def srtio3_slices():
    """Slice potentials of SrTiO3 [001] at 200 kV on a small grid."""
    from pacbed.crystal.orientation import orient
    from pacbed.crystal.slicing import slice_potentials
    from pacbed.crystal.structure import read_cif

    oriented = orient(read_cif(ROOT / "structures" / "srtio3.cif"), (0, 0, 1))
    return slice_potentials(oriented, zone_axis=(0, 0, 1), energy_ev=200e3, grid=(32, 32), slices=2)


@pytest.fixture(scope="session")
def tiny_table_dir(srtio3_slices, tmp_path_factory):
    """Folder of a rocking table: SrTiO3 [001], 200 kV, up to 10 nm, 15 mrad convergence, 3 mrad mistilt."""
    from pacbed.simulation.gather import gather_rocking_table
    from pacbed.simulation.rocking_block import simulate_rocking_block

    folder = tmp_path_factory.mktemp("tiny_table")
    (folder / "structure").mkdir()
    srtio3_slices.save(folder / "structure")
    simulate_rocking_block(
        folder / "structure",
        block=0,
        blocks=1,
        thickness_max_nm=10.0,
        cone_mrad=20.0,
        field_mrad=35.0,
        direction_pitch_mrad=0.6,
        propagator="exact",
        batch=64,
        out_dir=folder / "block",
    )
    gather_rocking_table([folder / "block"], folder / "rocking")
    return folder / "rocking"


@pytest.fixture(scope="session")
def tiny_table(tiny_table_dir):
    """The table of `tiny_table_dir`, loaded."""
    from pacbed.simulation.rocking_table import RockingTable

    return RockingTable.load(tiny_table_dir)
