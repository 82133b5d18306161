"""Levels have the directions they need, and stay within the losses that are stated."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import zarr

from pacbed.bundle.between_nodes import AngleLimits
from pacbed.bundle.compact import CompactTable
from pacbed.bundle.recipe import Recipe
from pacbed.bundle.resample import ThicknessRange
from pacbed.bundle.thinning import (
    INTERPOLATION_L2,
    PACKING_L2,
    PROBES,
    compact_table,
    probe_settings,
    write_compact,
)
from pacbed.errors import ParameterError
from pacbed.patterns import relative_l2
from pacbed.simulation.rendering.renderer import Renderer


def test_levels_cover_all_thicknesses_with_ever_finer_directions(compact, tiny_table):
    ends = [level.thickness_max_nm for level in compact.levels]
    fifths = np.array(ends) / 10.5 * 5
    np.testing.assert_allclose(fifths, np.round(fifths))
    assert ends[-1] == pytest.approx(10.5)
    assert ends == sorted(ends)
    steps = [level.steps for level in compact.levels]
    assert len(set(steps)) == len(steps) >= 3, "neighbours with equal steps are one level"
    pitches = [np.linalg.norm(level.pitch_mrad, axis=1).max() for level in compact.levels]
    assert pitches == sorted(pitches, reverse=True)
    assert pitches[0] > 1.5 * pitches[-1]
    assert compact.levels[-1].steps == tiny_table.steps
    pairs = [level.codes.shape[1] for level in compact.levels]
    assert pairs == sorted(pairs)
    assert pairs[0] < 0.5 * pairs[-1] < 0.5 * tiny_table.codes.shape[1]
    assert {(level.cone_mrad, level.field_mrad) for level in compact.levels} == {(19.0, 34.0)}


@pytest.mark.parametrize("name", ["cone_mrad", "field_mrad", "thickness_max_nm"])
@pytest.mark.parametrize("value", [0.0, 99.0, np.nan])
def test_more_than_the_table_holds_is_refused(tiny_table, name, value):
    asked = {"cone_mrad": 19.0, "field_mrad": 34.0, "thickness_max_nm": 10.5} | {name: value}
    depth = asked.pop("thickness_max_nm")
    with pytest.raises(ParameterError, match=f"{name}: got .*accepted: above 0, up to"):
        compact_table(tiny_table, AngleLimits(**asked), thickness_max_nm=depth)


def test_known_levels_make_the_same_table_without_a_search(compact, tiny_table, monkeypatch):
    def search(*_, **__):
        raise AssertionError("searched")

    monkeypatch.setattr("pacbed.bundle.thinning._thinned", search)
    again = compact_table(tiny_table, AngleLimits(19.0, 34.0), thickness_max_nm=10.5, levels=compact.recipes())
    assert again.recipes() == compact.recipes() and len(again.levels) >= 3
    for one, other in zip(again.packed, compact.packed, strict=True):
        np.testing.assert_array_equal(one.packed, other.packed)
    assert max(again.interpolation_l2) <= INTERPOLATION_L2
    assert again.packing_l2 == compact.packing_l2


def test_losses_are_those_that_are_stated(compact, tiny_table):
    """Both losses add up at most, in every probe of every level."""
    full, low = Renderer(tiny_table), 0.0
    for level, interpolation, packing in zip(compact.levels, compact.interpolation_l2, compact.packing_l2, strict=True):
        assert interpolation <= INTERPOLATION_L2
        assert packing == pytest.approx(PACKING_L2, rel=0.2)
        thin, span = Renderer(level), ThicknessRange(low, level.thickness_max_nm)
        probes = probe_settings(span, AngleLimits(19.0, 34.0), edge_mrad=tiny_table.widest_pitch_mrad)
        for probe in probes:
            assert relative_l2(thin.render(**probe), full.render(**probe)) < 1.1 * (INTERPOLATION_L2 + PACKING_L2)
        low = level.thickness_max_nm


def test_probes_stay_inside_the_level_and_reach_its_borders():
    settings = probe_settings(ThicknessRange(4.0, 6.0), AngleLimits(20.0, 35.0), edge_mrad=0.6)
    assert len(settings) == len(PROBES)
    thicknesses = [probe["thickness_nm"] for probe in settings]
    assert min(thicknesses) >= 4.0
    assert max(thicknesses) == 6.0
    outermost = [probe["convergence_mrad"] + np.hypot(*probe["mistilt_mrad"]) for probe in settings]
    assert max(outermost) <= 20.0 - 0.3
    assert max(outermost) > 19.0


@pytest.fixture
def recipe(tiny_table):
    from pacbed.bundle.meta import Ranges

    trained = Ranges(thickness_nm=(1, 8), convergence_mrad=(9, 11), mistilt_mrad=(0, 2))
    return Recipe.of(tiny_table, trained, 15.0)


def test_a_table_is_stored_as_far_as_its_recipe_keeps_it(tiny_table, recipe, tmp_path):
    write_compact(tiny_table, recipe, tmp_path / "rocking.zarr")
    level = CompactTable.read(zarr.open_group(str(tmp_path / "rocking.zarr"), mode="r")).levels[-1]
    kept = (recipe.kept_cone_mrad, recipe.kept_field_mrad, recipe.kept_thickness_nm)
    assert (level.cone_mrad, level.field_mrad, level.thickness_max_nm) == kept
    assert kept[0] < tiny_table.cone_mrad


def test_frozen_phonons_are_stored_in_full_precision(tiny_table, recipe, tmp_path):
    noisy = replace(tiny_table, diffuse=tiny_table.codes // 2)
    write_compact(noisy, recipe, tmp_path / "rocking.zarr")
    (level,) = CompactTable.read(zarr.open_group(str(tmp_path / "rocking.zarr"), mode="r")).levels
    np.testing.assert_array_equal(level.codes, noisy.codes)
    np.testing.assert_array_equal(level.diffuse, noisy.diffuse)


def test_the_same_table_gives_the_same_bytes(tiny_table, recipe, tmp_path):
    for name in ("one", "two"):
        write_compact(tiny_table, recipe, tmp_path / name)
    one, two = (sorted(path for path in (tmp_path / name).rglob("*") if path.is_file()) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert json.loads((tmp_path / "one" / "zarr.json").read_text())["attributes"]["compact_version"] == 2
