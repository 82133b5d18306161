"""Slice potentials: what follows from them, on disk, and the slabs of equivalent surfaces."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from pacbed.crystal.potentials import SlicePotentials, of_structure, termination_slices, whole_periods
from pacbed.crystal.reading import ReadingChoices
from pacbed.errors import FormatError, SimulationError
from pacbed.systems import System


@pytest.fixture(scope="module")
def oblique(srtio3_slices) -> SlicePotentials:
    """Four slices on an oblique cell, with a screw axis that lifts by a quarter period."""
    rng = np.random.default_rng(1)
    turn = np.array([[0, -1], [1, 0]])
    return replace(
        srtio3_slices,
        potential=rng.normal(size=(4, 20, 30)).astype(np.float32),
        absorption=rng.uniform(size=(4, 20, 30)).astype(np.float32),
        cell_a=np.array([[4.0, 0.0], [-1.2, 6.3]]),
        slice_depth_a=1.5,
        slope=np.array([0.1, -0.2]),
        group=np.array([np.eye(2, dtype=int), -np.eye(2, dtype=int)]),
        terminations=np.array([np.eye(2, dtype=int), turn]),
        termination_lifts=np.array([0.0, 0.25]),
    )


def test_reciprocal_vectors_are_dual_to_the_cell(oblique):
    np.testing.assert_allclose(oblique.reciprocal @ oblique.cell_a.T, np.eye(2), atol=1e-12)
    assert oblique.period_a == 6.0
    assert oblique.grid == (20, 30)


def test_the_band_limit_lies_within_the_grid(oblique):
    """0.95 of the way to the nearest frequency that a rectangular grid cannot tell from another, found by search."""
    oblong = replace(oblique, cell_a=np.diag([4.0, 6.3]))
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 401), [-0.5, 0.5])
    rim = np.concatenate([np.stack([x, y], -1).reshape(-1, 2), np.stack([y, x], -1).reshape(-1, 2)])
    nearest = np.linalg.norm(rim * oblong.grid @ oblong.reciprocal, axis=1).min()
    assert oblong.band_limit == pytest.approx(0.95 * nearest, rel=1e-4)


def test_the_mean_has_the_products_of_group_and_terminations(oblique):
    np.testing.assert_array_equal(oblique.operations("top"), oblique.group)
    average = {tuple(matrix.ravel()) for matrix in oblique.operations("average")}
    assert average == {(1, 0, 0, 1), (-1, 0, 0, -1), (0, -1, 1, 0), (0, 1, -1, 0)}
    assert oblique.operations("average")[0].tolist() == [[1, 0], [0, 1]]


def test_everything_comes_back(oblique, tmp_path):
    oblique.save(tmp_path)
    back = SlicePotentials.load(tmp_path)
    for field in fields(SlicePotentials):
        was, found = getattr(oblique, field.name), getattr(back, field.name)
        np.testing.assert_array_equal(found, was, err_msg=field.name)
    assert back.zone_axis == (0, 0, 1)
    assert of_structure(tmp_path) == System("SrTiO3", (0, 0, 1), 200.0)


def test_how_the_file_was_read_comes_back(oblique, tmp_path):
    reading = ReadingChoices("cold", ("volume", "z"), {"Sr": 6e-5})
    replace(oblique, reading=reading).save(tmp_path)
    assert SlicePotentials.load(tmp_path).reading == reading
    oblique.save(tmp_path)
    assert SlicePotentials.load(tmp_path).reading == ReadingChoices()


def test_folders_of_older_versions_have_one_termination_and_no_slope(oblique, tmp_path):
    oblique.save(tmp_path)
    facts = json.loads((tmp_path / "cell.json").read_text())
    for name in ("slope", "terminations", "termination_lifts"):
        del facts[name]
    (tmp_path / "cell.json").write_text(json.dumps(facts))
    back = SlicePotentials.load(tmp_path)
    assert back.slope.tolist() == [0.0, 0.0]
    assert back.terminations.tolist() == [[[1, 0], [0, 1]]]
    assert back.termination_lifts.tolist() == [0.0]


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / "slices.npz").unlink(),
    lambda folder: (folder / "slices.npz").write_bytes((folder / "slices.npz").read_bytes()[:100]),
    lambda folder: (folder / "slices.npz").write_bytes(b""),
    lambda folder: (folder / "cell.json").unlink(),
    lambda folder: (folder / "cell.json").write_text("{"),
    lambda folder: (folder / "cell.json").write_text("[]"),
    lambda folder: (folder / "cell.json").write_text('{"schema_version": 1, "formula": "X"}'),
])  # fmt: skip
def test_damage_is_found(oblique, tmp_path, damage):
    oblique.save(tmp_path)
    damage(tmp_path)
    with pytest.raises(FormatError, match=r"structure folder .*: damaged or incomplete"):
        SlicePotentials.load(tmp_path)


def test_a_newer_version_is_refused(oblique, tmp_path):
    oblique.save(tmp_path)
    text = (tmp_path / "cell.json").read_text()
    (tmp_path / "cell.json").write_text(text.replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(FormatError, match="got schema_version 2, accepted: 1"):
        SlicePotentials.load(tmp_path)


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"formula": "X", "zone_axis": 3, "energy_ev": 1}'])
def test_a_folder_that_does_not_say_its_system(tmp_path, content):
    if content is not None:
        (tmp_path / "cell.json").write_text(content)
    with pytest.raises(FormatError, match=r"structure .*: damaged or incomplete"):
        of_structure(tmp_path)


@pytest.mark.parametrize(("thickness_nm", "periods"), [
    (0.0, 1), (0.1, 1), (0.3905, 1), (0.78, 1), (0.781, 2), (39.05, 100), (39.04, 99),
])  # fmt: skip
def test_whole_periods_within_a_thickness(thickness_nm, periods):
    assert whole_periods(3.905, thickness_nm) == periods


@pytest.mark.parametrize("period_a", [2.951, 3.905, 9.192])
def test_thicknesses_of_whole_periods_lose_none(period_a):
    counts = range(1, 400)
    assert [whole_periods(period_a, count * period_a / 10) for count in counts] == list(counts)


def test_another_termination_begins_with_another_slice(oblique):
    assert termination_slices(oblique, "top") == [oblique]
    first, second = termination_slices(oblique, "average")
    np.testing.assert_array_equal(first.potential, oblique.potential)
    for name in ("potential", "absorption"):
        rolled, straight = getattr(second, name), getattr(oblique, name)
        np.testing.assert_array_equal(rolled, straight[[3, 0, 1, 2]])


def test_a_surface_between_two_slices_is_refused(oblique):
    thirds = replace(oblique, potential=np.zeros((3, 8, 8)), absorption=np.zeros((3, 8, 8)))
    with pytest.raises(SimulationError, match=r"termination: got average with 3 slices.*slice_depth_nm"):
        termination_slices(thirds, "average")
