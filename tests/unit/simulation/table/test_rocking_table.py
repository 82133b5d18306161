"""The rocking table: independent of its blocks, on disk, and what symmetry says of it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from pacbed.errors import FormatError
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable, of_table
from pacbed.simulation.table.settings import TableSettings
from pacbed.systems import System

SETTINGS = TableSettings(
    thickness_max_nm=3.0, cone_mrad=12.0, field_mrad=20.0, direction_pitch_mrad=1.0, propagator="exact", batch=16
)


def test_table_does_not_depend_on_the_blocks(srtio3_slices, tmp_path):
    (tmp_path / "structure").mkdir()
    srtio3_slices.save(tmp_path / "structure")
    tables = []
    for blocks in (1, 3):
        folders = [tmp_path / f"{blocks}_{block}" for block in range(blocks)]
        for block, folder in enumerate(folders):
            simulate_rocking_block(tmp_path / "structure", SETTINGS, block=block, blocks=blocks, out_dir=folder)
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
    settings = replace(SETTINGS, field_mrad=18.0)
    simulate_rocking_block(tmp_path / "structure", settings, block=1, blocks=3, out_dir=folder)
    return folder


def test_a_table_comes_back_as_it_was(tiny_table, tmp_path):
    for name, table in (("one", tiny_table), ("two", replace(tiny_table, diffuse=tiny_table.codes // 2))):
        table.save(tmp_path / name)
        back = RockingTable.load(tmp_path / name)
        for field in fields(RockingTable):
            was, found = getattr(table, field.name), getattr(back, field.name)
            if isinstance(was, np.ndarray):
                np.testing.assert_array_equal(found, was, err_msg=field.name)
                assert found.dtype == was.dtype or field.name in ("operations", "beam_group")
            else:
                assert found == was, field.name
    assert back.elastic.diffuse is None


def test_digests_are_those_of_the_arrays(tiny_table, tmp_path):
    """What `done.json` says of an array does not depend on its compression."""
    tiny_table.save(tmp_path / "table")
    done = json.loads((tmp_path / "table" / "done.json").read_text())
    assert done["sha256"]["codes"] == hashlib.sha256(tiny_table.codes.tobytes()).hexdigest()
    assert (done["coefficients"], done["pairs"]) == tiny_table.codes.shape


def test_a_damaged_table_or_one_of_another_version_is_refused(tiny_table_dir, tmp_path, damage):
    folder = Path(shutil.copytree(tiny_table_dir, tmp_path / "table"))
    damage.to(folder)
    with pytest.raises(FormatError, match=damage.words):
        RockingTable.load(folder)


@pytest.mark.parametrize("name", ["codes", "rows", "absorbed"])
def test_a_flipped_bit_is_found_wherever_it_lies(tiny_table_dir, tmp_path, name):
    """Of every tenth place of a chunk: whether its codec notices or other numbers come out."""
    chunks = [path for path in (tiny_table_dir / "rocking.zarr" / name / "c").rglob("*") if path.is_file()]
    original = max(chunks, key=lambda path: path.stat().st_size)
    folder = Path(shutil.copytree(tiny_table_dir, tmp_path / "table"))
    chunk, content = folder / original.relative_to(tiny_table_dir), original.read_bytes()
    for place in np.linspace(0, len(content) - 1, 10).astype(int):
        flipped = bytearray(content)
        flipped[place] ^= 0x10
        chunk.write_bytes(flipped)
        try:
            table = RockingTable.load(folder)
        except FormatError as error:
            found = str(error)
        else:  # a byte of the codec's header that nobody reads
            np.testing.assert_array_equal(getattr(table, name), getattr(RockingTable.load(tiny_table_dir), name))
            continue
        assert "damaged" in found and str(folder) in found


def test_a_table_without_an_array_or_a_fact_is_refused(tiny_table):
    def stored():
        group = zarr.open_group(zarr.storage.MemoryStore(), mode="w", zarr_format=3)
        tiny_table.write(group)
        return group

    assert RockingTable.read(stored()).steps == tiny_table.steps
    group = stored()
    del group["rows"]
    with pytest.raises(FormatError, match=r"rocking table: damaged or incomplete .*rows"):
        RockingTable.read(group)
    group = stored()
    attributes = dict(group.attrs)
    attributes.pop("cone_mrad")
    group.attrs.put(attributes)
    with pytest.raises(FormatError, match=r"rocking table: damaged or incomplete .*cone_mrad"):
        RockingTable.read(group)


def test_a_table_says_of_which_system_it_is(tiny_table_dir, tmp_path):
    assert of_table(tiny_table_dir) == System("SrTiO3", (0, 0, 1), 200.0)
    with pytest.raises(FormatError, match=r"got no done\.json"):
        of_table(tmp_path)


# Symmetry

TURN = np.array([[0, -1], [1, 0]])
MIRROR_X, DIAGONAL = np.diag([1, -1]), np.array([[0, 1], [1, 0]])


def group_of(*generators):
    """All products of some matrices."""
    found = {tuple(np.eye(2, dtype=int).ravel())}
    while True:
        grown = found | {tuple((np.reshape(one, (2, 2)) @ other).ravel()) for one in found for other in generators}
        if grown == found:
            return np.array([np.reshape(one, (2, 2)) for one in sorted(found)])
        found = grown


@pytest.mark.parametrize(("generators", "period", "mirror", "azimuths"), [
    ((), 360.0, False, (0.0, 360.0)),
    ((-np.eye(2, dtype=int),), 180.0, False, (0.0, 180.0)),
    ((TURN,), 90.0, False, (0.0, 90.0)),
    ((MIRROR_X,), 360.0, True, (0.0, 180.0)),
    ((DIAGONAL,), 360.0, True, (-135.0, 45.0)),
    ((MIRROR_X, -MIRROR_X), 180.0, True, (0.0, 90.0)),
    ((DIAGONAL, -DIAGONAL), 180.0, True, (-45.0, 45.0)),
    ((TURN, MIRROR_X), 90.0, True, (0.0, 45.0)),
])  # fmt: skip
def test_azimuths_that_symmetry_leaves_distinct(tiny_table, generators, period, mirror, azimuths):
    """Every direction of the plane has exactly one image in the range, up to its ends."""
    table = replace(tiny_table, reciprocal_mrad=6.4 * np.eye(2), beam_group=group_of(*generators))
    assert table.rotation_period_deg == period
    assert table.has_mirror == mirror
    assert table.azimuth_range_deg == pytest.approx(azimuths)
    low, high = table.azimuth_range_deg
    for azimuth in np.deg2rad(np.random.default_rng(1).uniform(0, 360, 20)):
        images = table.group @ [np.cos(azimuth), np.sin(azimuth)]
        turned = (np.rad2deg(np.arctan2(images[:, 1], images[:, 0])) - low) % 360
        assert np.sum(turned < high - low) == 1


def test_operations_are_cartesian_rotations_and_mirrors(tiny_table):
    """A sixfold axis in the oblique basis of its lattice."""
    oblique = 6.4 * np.array([[1.0, 0.0], [-0.5, np.sqrt(3) / 2]])
    table = replace(tiny_table, reciprocal_mrad=oblique, beam_group=group_of(np.array([[1, -1], [1, 0]])))
    assert table.rotation_period_deg == pytest.approx(60.0)
    for operation in table.group:
        np.testing.assert_allclose(operation @ operation.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(table.beams_mrad, tiny_table.beams @ oblique)
    assert table.widest_pitch_mrad == pytest.approx(6.4 / min(table.steps))
