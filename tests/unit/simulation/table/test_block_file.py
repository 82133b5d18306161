"""Blocks on disk: what comes back, and every damage that is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.simulation.table import block_file
from pacbed.simulation.table.block_file import read_block, write_block
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

SETTINGS = TableSettings(
    thickness_max_nm=3.0, cone_mrad=8.0, field_mrad=15.0, direction_pitch_mrad=1.5, propagator="exact", batch=16
)


@pytest.fixture(scope="module")
def two_blocks(srtio3_slices, tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocks")
    srtio3_slices.save(folder)
    for block in (0, 1):
        simulate_rocking_block(folder, SETTINGS, block=block, blocks=2, out_dir=folder / str(block))
    return [folder / "0", folder / "1"]


def written(folder, **changes):
    """A block by hand: two directions, three beams, four pairs, five planes."""
    rng = np.random.default_rng(1)
    arrays = {
        "intensity": rng.integers(0, 65536, (5, 4)).astype(np.uint16),
        "beam": np.array([0, 2, 0, 1], dtype=np.uint16),
        "count": np.array([2, 2], dtype=np.uint32),
        "absorbed": np.zeros((5, 2), dtype=np.float32),
        "lost": np.zeros((5, 2), dtype=np.float32),
        "nodes": np.array([[0, 0], [1, 0]]),
        "beams": np.array([[0, 0], [1, 0], [0, 1]]),
        **changes,
    }
    facts = dict.fromkeys(block_file.REQUIRED_FACTS, "some")
    write_block(folder, {**facts, "direction_range": [3, 5]}, arrays)
    return arrays


def test_what_is_written_comes_back(tmp_path):
    arrays = written(tmp_path / "block")
    block = read_block(tmp_path / "block")
    assert block.facts["direction_range"] == [3, 5]
    assert set(block.arrays) == set(arrays) - {"intensity"}
    for name, array in block.arrays.items():
        np.testing.assert_array_equal(array, arrays[name])
        assert array.dtype == arrays[name].dtype
    assert block.intensities["intensity"].shape == (5, 4)
    for _ in range(2):  # and again: an iteration opens the file anew
        np.testing.assert_array_equal(np.concatenate([*block.intensities["intensity"]]), arrays["intensity"])


@pytest.mark.parametrize("chunk", [1, 17, 10**6])
def test_planes_come_in_order_however_many_at_once(tmp_path, monkeypatch, chunk):
    arrays = written(tmp_path / "block")
    monkeypatch.setattr(block_file, "CHUNK_BYTES", chunk)
    parts = [*read_block(tmp_path / "block").intensities["intensity"]]
    assert all(part.size * 2 <= max(chunk, 8) for part in parts)
    np.testing.assert_array_equal(np.concatenate(parts), arrays["intensity"])


@pytest.mark.parametrize(("changes", "bad"), [
    ({"beam": np.array([0, 3, 0, 1], dtype=np.uint16)}, "count"),  # a beam that is not there
    ({"count": np.array([2, 1], dtype=np.uint32)}, "count"),
    ({"nodes": np.zeros((3, 2), dtype=int)}, "nodes"),
    ({"beams": np.zeros((3, 3), dtype=int)}, "beams"),
    ({"lost": np.zeros((4, 2), dtype=np.float32)}, "lost"),
    ({"diffuse": np.zeros((5, 3), dtype=np.uint16)}, "diffuse"),
    ({"beam": np.zeros((), dtype=np.uint16)}, "TypeError"),
])  # fmt: skip
def test_lengths_that_do_not_fit_together_are_named(tmp_path, changes, bad):
    written(tmp_path / "block", **changes)
    with pytest.raises(FormatError, match=rf"block .*block: damaged or incomplete .*{bad}"):
        read_block(tmp_path / "block")


def test_objects_are_not_unpickled(tmp_path):
    written(tmp_path / "block", nodes=np.array([{"run": "me"}, None], dtype=object))
    with pytest.raises(FormatError, match="damaged or incomplete"):
        read_block(tmp_path / "block")


def test_a_block_that_changes_while_it_is_read_is_noticed(tmp_path):
    written(tmp_path / "block")
    block = read_block(tmp_path / "block")
    written(tmp_path / "block", intensity=np.zeros((5, 2), dtype=np.uint16))
    with pytest.raises(FormatError, match="damaged or incomplete"):
        list(block.intensities["intensity"])


def without_array(name):
    def damage(folder):
        with np.load(folder / "block.npz") as arrays:
            kept = {key: arrays[key] for key in arrays if key != name}
        np.savez(folder / "block.npz", **kept)

    return damage


def shorter_array(name):
    def damage(folder):
        with np.load(folder / "block.npz") as arrays:
            kept = {key: arrays[key][:-1] if key == name else arrays[key] for key in arrays}
        np.savez(folder / "block.npz", **kept)

    return damage


def truncated(name, share=0.6):
    def damage(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(share * len(content))])

    return damage


def changed_facts(**changes):
    def damage(folder):
        facts = json.loads((folder / "grid.json").read_text())
        facts.update(changes)
        (folder / "grid.json").write_text(json.dumps({key: value for key, value in facts.items() if value is not None}))

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "block.npz").unlink(), "damaged or incomplete"),
        (lambda folder: (folder / "grid.json").unlink(), "damaged or incomplete"),
        (truncated("block.npz"), "damaged or incomplete"),
        (truncated("block.npz", 0.0), "damaged or incomplete"),
        (truncated("grid.json"), "damaged or incomplete"),
        (without_array("lost"), "damaged or incomplete"),
        (shorter_array("beam"), "damaged or incomplete"),
        (shorter_array("count"), "damaged or incomplete"),
        (shorter_array("intensity"), "damaged or incomplete"),
        (changed_facts(direction_range=None), "bad: direction_range"),
        (changed_facts(direction_range=[0, 10**6]), "damaged or incomplete"),
        (changed_facts(energy_ev=80e3), "blocks: got parts of different tables"),
        (changed_facts(formula="TiO2"), "blocks: got parts of different tables"),
    ],
)
def test_a_half_written_or_foreign_block_is_refused(two_blocks, tmp_path, damage, words):
    copies = [Path(shutil.copytree(block, tmp_path / block.name)) for block in two_blocks]
    damage(copies[1])
    with pytest.raises(FormatError, match=words):
        gather_rocking_table(copies, tmp_path / "table")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


def test_a_block_too_few_or_twice_is_refused(two_blocks, tmp_path):
    for blocks in ([two_blocks[0]], [two_blocks[1]], [two_blocks[0], two_blocks[0], two_blocks[1]]):
        with pytest.raises(FormatError, match="blocks: "):
            gather_rocking_table(blocks, tmp_path / "table")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def block(two_blocks):
    return two_blocks[0]


def changed(block, folder, intensity):
    """A copy of a block with other samples."""
    folder.mkdir()
    (folder / "grid.json").write_text((block / "grid.json").read_text())
    with np.load(block / "block.npz") as arrays:
        np.savez(folder / "block.npz", **{**arrays, "intensity": intensity(arrays["intensity"])})
    return folder


@pytest.mark.parametrize("intensity", [np.asfortranarray, lambda samples: samples.astype(np.float32)])
def test_samples_in_another_form_are_refused(block, tmp_path, intensity):
    with pytest.raises(FormatError, match="accepted: uint16 in rows of planes"):
        read_block(changed(block, tmp_path / "0", intensity))


def test_a_flipped_bit_among_the_samples_is_found(two_blocks, tmp_path):
    folder = changed(two_blocks[0], tmp_path / "0", lambda samples: samples)
    content = bytearray((folder / "block.npz").read_bytes())
    content[len(content) // 3] ^= 1
    (folder / "block.npz").write_bytes(content)
    with pytest.raises(FormatError, match=r"block .*0: damaged or incomplete"):
        gather_rocking_table([folder, two_blocks[1]], tmp_path / "table")
    assert not (tmp_path / "table").exists()


def test_a_table_does_not_depend_on_how_much_is_read_at_once(two_blocks, tmp_path, monkeypatch):
    gather_rocking_table(two_blocks, tmp_path / "whole")
    monkeypatch.setattr(block_file, "CHUNK_BYTES", 1)
    gather_rocking_table(two_blocks, tmp_path / "planes", threads=3)
    whole, planes = (RockingTable.load(tmp_path / name) for name in ("whole", "planes"))
    np.testing.assert_array_equal(whole.codes, planes.codes)
