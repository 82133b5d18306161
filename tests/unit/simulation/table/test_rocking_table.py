"""Direction grids, blocks, and the table on disk."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pacbed.crystal.lattice import cone_nodes, representatives
from pacbed.errors import FormatError, SimulationError
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.table.codes import decode, encode
from pacbed.simulation.table.directions import direction_grid
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import SCHEMA_VERSION, RockingTable

SETTINGS = {
    "thickness_max_nm": 3.0,
    "cone_mrad": 12.0,
    "field_mrad": 20.0,
    "direction_pitch_mrad": 1.0,
    "propagator": "exact",
    "batch": 16,
}


def test_wedge_expands_to_the_whole_cone(srtio3_slices):
    grid = direction_grid(srtio3_slices, cone_mrad=15.0, pitch_mrad=0.8)
    every = {tuple(node) for node in cone_nodes(grid.pitch_mrad, grid.cone_mrad)}
    expanded = {tuple(node) for node in np.einsum("oij,nj->noi", grid.operations, grid.nodes).reshape(-1, 2)}
    assert expanded == every
    assert len(grid.nodes) < len(every) / 6
    assert np.linalg.norm(grid.pitch_mrad, axis=1).max() <= 0.8
    assert len(np.unique(representatives(grid.nodes, grid.operations)[0], axis=0)) == len(grid.nodes)


def test_symmetry_holds_for_the_intensities(srtio3_slices):
    """I(t; W G, W q) = I(t; G, q) for every operation of the beam group."""
    engine = PlaneWaveEngine(srtio3_slices)
    grid = direction_grid(srtio3_slices, cone_mrad=15.0, pitch_mrad=2.0)
    beams = cone_nodes(srtio3_slices.reciprocal, 1.2)
    node = np.array([5, 2])
    reference = engine.run(
        (node @ grid.pitch_mrad / (engine.wavelength * 1e3))[None], beams=beams, planes=1, periods_per_plane=20
    ).intensity[1, 0]
    for operation in grid.operations:
        q = (operation @ node) @ grid.pitch_mrad / (engine.wavelength * 1e3)
        turned = engine.run(q[None], beams=beams @ operation.T, planes=1, periods_per_plane=20).intensity[1, 0]
        np.testing.assert_allclose(turned, reference, atol=2e-5)


def test_table_does_not_depend_on_the_blocks(srtio3_slices, tmp_path):
    (tmp_path / "structure").mkdir()
    srtio3_slices.save(tmp_path / "structure")
    tables = []
    for blocks in (1, 3):
        folders = [tmp_path / f"{blocks}_{block}" for block in range(blocks)]
        for block, folder in enumerate(folders):
            simulate_rocking_block(tmp_path / "structure", block=block, blocks=blocks, out_dir=folder, **SETTINGS)
        gather_rocking_table(folders[::-1], tmp_path / f"table_{blocks}", threads=blocks)
        tables.append(RockingTable.load(tmp_path / f"table_{blocks}"))
    np.testing.assert_array_equal(tables[0].codes, tables[1].codes)
    np.testing.assert_array_equal(tables[0].rows, tables[1].rows)
    done = json.loads((tmp_path / "table_1" / "done.json").read_text())
    assert done == json.loads((tmp_path / "table_3" / "done.json").read_text())
    with pytest.raises(FormatError, match=r"missing|accepted: all"):
        gather_rocking_table([tmp_path / "3_0", tmp_path / "3_2"], tmp_path / "broken")
    with pytest.raises(FormatError, match="different tables"):
        gather_rocking_table([tmp_path / "3_0", _other(tmp_path)], tmp_path / "broken")
    assert not (tmp_path / "broken").exists()


def _other(tmp_path):
    folder = tmp_path / "other"
    simulate_rocking_block(
        tmp_path / "structure", block=1, blocks=3, out_dir=folder, **{**SETTINGS, "field_mrad": 18.0}
    )
    return folder


def test_grid_too_small_for_the_cone(srtio3_slices, tmp_path):
    srtio3_slices.save(tmp_path)
    with pytest.raises(SimulationError, match="grid_px: got"):
        simulate_rocking_block(tmp_path, block=0, blocks=1, out_dir=tmp_path / "x", **{**SETTINGS, "field_mrad": 400.0})
    assert not (tmp_path / "x").exists()


def test_code_round_trip():
    values = np.concatenate([[0.0, 1.0], np.geomspace(1e-9, 1, 500)])
    assert np.max(np.abs(np.sqrt(decode(encode(values))) - np.sqrt(values))) < 1.0 / 65535
    np.testing.assert_array_equal(decode(encode(np.array([0.0, 1.0]))), [0.0, 1.0])


def test_truncated_and_newer_tables_are_refused(tiny_table, tmp_path):
    tiny_table.save(tmp_path / "table")
    back = RockingTable.load(tmp_path / "table")
    np.testing.assert_array_equal(back.codes, tiny_table.codes)
    assert back.azimuth_range_deg == (0.0, 45.0)
    assert back.rotation_period_deg == 90.0
    metadata = tmp_path / "table" / "rocking.zarr" / "zarr.json"
    metadata.write_text(metadata.read_text().replace(f'"schema_version": {SCHEMA_VERSION}', '"schema_version": 9'))
    with pytest.raises(FormatError, match="schema_version 9,"):
        RockingTable.load(tmp_path / "table")
    (tmp_path / "table" / "done.json").unlink()
    with pytest.raises(FormatError, match=r"done\.json"):
        RockingTable.load(tmp_path / "table")
