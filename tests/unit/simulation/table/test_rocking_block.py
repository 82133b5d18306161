"""Blocks of directions: what they hold, however many there are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.errors import FormatError, SimulationError
from pacbed.simulation.multislice.phonon_pool import PhononSettings
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.table.block_file import read_block
from pacbed.simulation.table.block_record import BlockRecord, kept_pairs
from pacbed.simulation.table.codes import decode
from pacbed.simulation.table.directions import direction_grid
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import block_directions, simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

SETTINGS = TableSettings(
    thickness_max_nm=3.0, cone_mrad=8.0, field_mrad=14.0, direction_pitch_mrad=1.0, propagator="exact", batch=16
)


@pytest.fixture(scope="module")
def structure(srtio3_slices, tmp_path_factory):
    folder = tmp_path_factory.mktemp("structure")
    srtio3_slices.save(folder)
    return folder


def _block(structure, folder, settings=SETTINGS, *, block=0, blocks=1):
    simulate_rocking_block(structure, settings, block=block, blocks=blocks, out_dir=folder)
    read = read_block(folder)
    return read, np.concatenate([*read.intensities["intensity"]])


@pytest.mark.parametrize(("directions", "blocks", "batch"), [(100, 7, 16), (5, 3, 64), (64, 4, 16), (1, 1, 1)])
def test_blocks_share_all_directions_in_whole_batches(directions, blocks, batch):
    parts = [block_directions(directions, block=block, blocks=blocks, batch=batch) for block in range(blocks)]
    assert [number for part in parts for number in part] == list(range(directions))
    assert all(part.start % batch == 0 for part in parts if len(part))


@pytest.mark.parametrize("block", [-1, 3])
def test_a_block_that_is_none_is_refused(block):
    with pytest.raises(SimulationError, match=f"block: got {block}, accepted: 0 to 2"):
        block_directions(100, block=block, blocks=3, batch=16)


def test_intensities_are_those_of_plane_waves(structure, srtio3_slices, tmp_path):
    """Pair by pair in the order that `beam` and `count` give, at every plane."""
    block, codes = _block(structure, tmp_path / "block")
    facts, arrays = block.facts, block.arrays
    pitch = np.array(facts["reciprocal_mrad"]) / np.array(facts["steps"])[:, None]
    direction = np.repeat(np.arange(len(arrays["count"])), arrays["count"])
    periods = round(facts["plane_spacing_a"] / srtio3_slices.period_a)
    for number in (0, 3, len(arrays["nodes"]) - 1):
        q = arrays["nodes"][number] @ pitch / mrad_per_inverse_a(srtio3_slices.energy_ev)
        pairs = np.flatnonzero(direction == number)
        run = PlaneWaveEngine(srtio3_slices).run(
            q[None], beams=arrays["beams"][arrays["beam"][pairs]], planes=len(codes) - 1, periods_per_plane=periods
        )
        np.testing.assert_allclose(np.sqrt(decode(codes[:, pairs])), np.sqrt(run.intensity[:, 0]), atol=2e-5)
        np.testing.assert_allclose(arrays["absorbed"][:, number], run.absorbed[:, 0], atol=1e-6)
        np.testing.assert_allclose(arrays["lost"][:, number], run.lost[:, 0], atol=1e-5)
        out = (arrays["nodes"][number] @ pitch) + arrays["beams"] @ np.array(facts["reciprocal_mrad"])
        assert set(np.flatnonzero(np.linalg.norm(out, axis=1) <= 14.0)) <= set(arrays["beam"][pairs].tolist())


def test_planes_reach_the_thickness_with_one_to_spare(structure, srtio3_slices, tmp_path):
    block, codes = _block(structure, tmp_path / "block", replace(SETTINGS, plane_spacing_nm=0.8))
    assert block.facts["plane_spacing_a"] == pytest.approx(2 * srtio3_slices.period_a)
    spacing_nm = block.facts["plane_spacing_a"] / 10
    assert (len(codes) - 2) * spacing_nm >= 3.0 > (len(codes) - 3) * spacing_nm


def test_batches_change_nothing(structure, tmp_path):
    one, codes = _block(structure, tmp_path / "one")
    other, again = _block(structure, tmp_path / "other", replace(SETTINGS, batch=5))
    np.testing.assert_array_equal(codes, again)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(other.arrays[name], array)


def test_empty_blocks_are_whole_blocks(structure, tmp_path):
    """More blocks than batches: some have no direction and must not stop the table."""
    settings, folders = replace(SETTINGS, batch=10_000), [tmp_path / "0", tmp_path / "1"]
    for block, folder in enumerate(folders):
        simulate_rocking_block(structure, settings, block=block, blocks=2, out_dir=folder)
    empty = read_block(folders[0])
    assert empty.facts["direction_range"] == [0, 0]
    assert empty.intensities["intensity"].shape[1] == 0
    assert not [*empty.intensities["intensity"]]
    gather_rocking_table(folders, tmp_path / "table")
    assert len(RockingTable.load(tmp_path / "table").nodes) == read_block(folders[1]).facts["directions"]


def test_automatic_distances_are_those_of_the_structure(srtio3_slices, tmp_path):
    srtio3_slices.save(tmp_path)
    auto = replace(SETTINGS, direction_pitch_mrad="auto", plane_spacing_nm="auto")
    with pytest.raises(FormatError, match=r"numerics\.json: damaged or missing .*accepted: what orient_structure"):
        simulate_rocking_block(tmp_path, auto, block=0, blocks=1, out_dir=tmp_path / "block")
    (tmp_path / "numerics.json").write_text('{"direction_pitch_mrad": 2.0, "plane_spacing_nm": 0.4}')
    block, _ = _block(tmp_path, tmp_path / "block", auto)
    assert block.facts["plane_spacing_a"] == pytest.approx(srtio3_slices.period_a)
    steps = direction_grid(srtio3_slices, cone_mrad=8.0, pitch_mrad=2.0).steps
    assert tuple(block.facts["steps"]) == steps


@pytest.mark.parametrize(("changes", "words"), [
    ({"field_mrad": 400.0}, r"grid_px: got .* which carries .* accepted: a grid that holds the field of 400\.0 mrad"),
    ({"propagator": "paraxial"}, "propagator: got 'paraxial'"),
    ({"direction_pitch_mrad": 0.0}, "direction grid: got cone 8.0 and pitch 0.0"),
    ({"device": "abacus"}, "device: got 'abacus'"),
])  # fmt: skip
def test_impossible_settings_leave_nothing_behind(structure, tmp_path, changes, words):
    with pytest.raises(SimulationError, match=words):
        _block(structure, tmp_path / "block", replace(SETTINGS, **changes))
    assert not list(tmp_path.iterdir())


def test_settings_come_from_plain_values():
    plain = {**{name: getattr(SETTINGS, name) for name in ("thickness_max_nm", "cone_mrad", "field_mrad")},
             "direction_pitch_mrad": 1.0, "propagator": "exact", "batch": 16}  # fmt: skip
    assert TableSettings.of(plain) == SETTINGS
    assert TableSettings.of({**plain, "phonons": None}) == SETTINGS
    phonons = {"cells": 2, "configurations": 1, "pool": 4, "seed": 3}
    assert TableSettings.of({**plain, "phonons": phonons}).phonons == PhononSettings(2, 1, 4, 3)
    with pytest.raises(TypeError, match="wavelength"):
        TableSettings.of({**plain, "wavelength": 1.0})


def test_a_record_keeps_the_pairs_that_a_table_needs(srtio3_slices):
    """Against a loop over directions and beams, batches of unlike size."""
    grid = direction_grid(srtio3_slices, cone_mrad=6.0, pitch_mrad=1.5)
    beams, field = np.array([[0, 0], [1, 0], [-2, 1], [5, 5]]), 9.0
    count = len(grid.nodes)
    batches, rng = [range(4), range(4, count)], np.random.default_rng(1)
    record = BlockRecord(grid, batches, beams, field_mrad=field, planes=2, kinds=("intensity",))
    whole = {
        "intensity": rng.uniform(size=(3, count, 4)),
        "absorbed": rng.uniform(size=(3, count)),
        "lost": rng.uniform(size=(3, count)),
    }
    for number, batch in enumerate(batches):
        record.take(number, {name: array[:, batch.start : batch.stop] for name, array in whole.items()})
    arrays, pair = record.arrays(), 0
    for direction, node in enumerate(grid.nodes):
        for beam, index in enumerate(beams):
            out = node @ grid.pitch_mrad + index @ grid.reciprocal_mrad
            if np.linalg.norm(out) > field + grid.sample_margin_mrad + 1e-6:
                continue
            assert arrays["beam"][pair] == beam
            expected = np.sqrt(whole["intensity"][:, direction, beam])
            np.testing.assert_allclose(np.sqrt(decode(arrays["intensity"][:, pair])), expected, atol=1e-5)
            pair += 1
    assert pair == len(arrays["beam"]) == arrays["count"].sum()
    assert pair < count * 4
    np.testing.assert_allclose(arrays["lost"], whole["lost"], rtol=1e-6)
    assert kept_pairs(grid, grid.nodes, beams, field).sum() == pair
