"""Fixtures shared by all tests: a small, real rocking table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items):
    """Skip what needs a GPU where there is none, and say why."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    from pacbed.errors import SimulationError
    from pacbed.simulation.multislice.device import array_module

    try:
        array_module("gpu")
    except SimulationError as error:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=str(error)))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Tables of slim bundles go to a folder of the tests, and those of their child processes as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PACBED_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def srtio3_slices():
    """Slice potentials of SrTiO3 [001] at 200 kV on a small grid."""
    from pacbed.crystal.cif import read_cif
    from pacbed.crystal.orientation import orient
    from pacbed.crystal.slicing import slice_potentials

    oriented = orient(read_cif(ROOT / "structures" / "srtio3.cif"), (0, 0, 1))
    return slice_potentials(oriented, zone_axis=(0, 0, 1), energy_ev=200e3, grid=(32, 32), slices=2)


@pytest.fixture(scope="session")
def absorptive_slices(srtio3_slices):
    """The same with absorption to second order."""
    from pacbed.simulation.structure.slicing import Slicing

    slicing = replace(Slicing.behind(srtio3_slices), thermal_model="debye_waller_absorptive")
    return slicing.on_grid(srtio3_slices.grid)


@pytest.fixture(scope="session")
def tiny_table_dir(srtio3_slices, tmp_path_factory):
    """Folder of a rocking table: SrTiO3 [001], 200 kV, up to 10 nm, 15 mrad convergence, 3 mrad mistilt."""
    from pacbed.simulation.table.gather import gather_rocking_table
    from pacbed.simulation.table.rocking_block import simulate_rocking_block
    from pacbed.simulation.table.settings import TableSettings

    folder = tmp_path_factory.mktemp("tiny_table")
    (folder / "structure").mkdir()
    srtio3_slices.save(folder / "structure")
    settings = TableSettings(
        thickness_max_nm=10.0,
        cone_mrad=20.0,
        field_mrad=35.0,
        direction_pitch_mrad=0.6,
        propagator="exact",
        batch=64,
    )
    simulate_rocking_block(folder / "structure", settings, block=0, blocks=1, out_dir=folder / "block")
    gather_rocking_table([folder / "block"], folder / "rocking")
    return folder / "rocking"


@pytest.fixture
def at_another_voltage(tmp_path):
    """Copies a stack and says that it belongs to another voltage, in as many bytes."""
    import shutil

    def copy(stack_dir):
        folder = Path(shutil.copytree(stack_dir, tmp_path / "another_voltage"))
        file = folder / "stack.zarr" / "zarr.json"
        text = file.read_text()
        assert text.count('"energy_kev": 200.0') == 1
        file.write_text(text.replace('"energy_kev": 200.0', '"energy_kev": 300.0'))
        return folder

    return copy


@pytest.fixture(scope="session")
def tiny_table(tiny_table_dir):
    """The table of `tiny_table_dir`, loaded."""
    from pacbed.simulation.table.rocking_table import RockingTable

    return RockingTable.load(tiny_table_dir)
