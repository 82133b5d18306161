"""The compact table against the one in full precision, and its renderer at the borders of its levels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import zarr

from pacbed.bundle.compact import CompactTable, compact_table
from pacbed.bundle.packed import PackedTable
from pacbed.bundle.resample import cropped, project, resample_table
from pacbed.errors import FormatError, ParameterError
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.levels import CompactRenderer
from pacbed.simulation.rendering.renderer import Renderer

VIEW = Geometry.field_of_view(60, 14.0)  # its corners lie inside the smaller field at any mistilt
REACH = {"cone_mrad": 19.0, "field_mrad": 34.0, "thickness_max_nm": 10.5}


@pytest.fixture(scope="module")
def compact(tiny_table):
    return compact_table(tiny_table, **REACH)


def difference(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


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


def test_patterns_agree_with_the_full_table(compact, tiny_table):
    full, thin = Renderer(tiny_table), CompactRenderer(compact.levels)
    rng = np.random.default_rng(5)
    thicknesses = [0.0, 0.4, 10.5, *rng.uniform(0, 10.5, 12)]
    for thickness in thicknesses:
        alpha = rng.uniform(5, 15)
        azimuth, size = rng.uniform(0, 7), rng.uniform(0, 1) * (19.0 - alpha - 0.4)
        settings = {
            "thickness_nm": thickness,
            "convergence_mrad": alpha,
            "mistilt_mrad": (size * np.cos(azimuth), size * np.sin(azimuth)),
            "geometry": VIEW,
        }
        assert difference(thin.render(**settings), full.render(**settings)) < 1e-3, settings


def test_the_border_of_the_cone_is_as_good(compact, tiny_table):
    settings = {"convergence_mrad": 8.0, "edge_mrad": 0.0, "mistilt_mrad": (-6.0, 9.2), "geometry": VIEW}
    for thickness in (1.0, 3.0, 9.0):
        found = CompactRenderer(compact.levels).render(thickness_nm=thickness, **settings)
        assert difference(found, Renderer(tiny_table).render(thickness_nm=thickness, **settings)) < 1e-3


def test_a_thickness_at_a_border_is_rendered_alike_by_both_levels(compact, tiny_table):
    settings = {"convergence_mrad": 13.0, "mistilt_mrad": (2.0, -1.0), "geometry": VIEW, "edge_mrad": 0.5}
    upper, lower = compact.levels[1], compact.levels[2]
    images = [Renderer(level).render(thickness_nm=upper.thickness_max_nm, **settings) for level in (upper, lower)]
    assert difference(*images) < 1e-3
    chosen = CompactRenderer(compact.levels).render(thickness_nm=upper.thickness_max_nm, **settings)
    np.testing.assert_array_equal(chosen, images[0])


@pytest.mark.parametrize("more", [[], [0.1, 6.2, 8.8, 2.2, 2.3]])
def test_a_series_is_its_patterns_in_any_order(compact, more):
    renderer = CompactRenderer(compact.levels)
    settings = {"convergence_mrad": 13.0, "mistilt_mrad": (2.0, -1.0), "geometry": VIEW, "blur_mrad": 0.3}
    thicknesses = [9.9, 0.5, 4.2, 4.1, 7.0, *more]
    series = renderer.render_series(thicknesses, **settings)
    for thickness, image in zip(thicknesses, series, strict=True):
        expected = renderer.render(thickness_nm=thickness, **settings)
        np.testing.assert_allclose(image, expected, atol=(1e-4 if more else 2e-6) * expected.max())


@pytest.mark.parametrize("thickness", [-0.1, 10.6, np.nan])
def test_thicknesses_out_of_range_are_refused(compact, thickness):
    renderer = CompactRenderer(compact.levels)
    settings = {"convergence_mrad": 13.0, "geometry": VIEW}
    with pytest.raises(ParameterError, match=r"thickness_nm: got .*0 to 10\.50 nm"):
        renderer.render(thickness_nm=thickness, **settings)
    with pytest.raises(ParameterError, match="thickness_nm"):
        renderer.render_series([5.0, thickness], **settings)


@pytest.mark.parametrize("name", ["cone_mrad", "field_mrad", "thickness_max_nm"])
@pytest.mark.parametrize("value", [0.0, 99.0, np.nan])
def test_more_than_the_table_holds_is_refused(tiny_table, name, value):
    with pytest.raises(ParameterError, match=name):
        compact_table(tiny_table, **{**REACH, name: value})


def test_written_levels_come_back(compact, tmp_path):
    compact.write(zarr.open_group(str(tmp_path / "c"), mode="w", zarr_format=3))
    back = CompactTable.read(zarr.open_group(str(tmp_path / "c"), mode="r"))
    assert back.packing_l2 == compact.packing_l2
    for found, expected in zip(back.levels, compact.levels, strict=True):
        np.testing.assert_array_equal(found.codes, expected.codes)
        np.testing.assert_array_equal(found.rows, expected.rows)
        assert (found.steps, found.first_plane, found.facts) == (expected.steps, expected.first_plane, expected.facts)


@pytest.mark.parametrize("damage", ["cut", "remove", "attributes", "level"])
def test_damaged_levels_are_refused(compact, tmp_path, damage):
    """Zarr reads a chunk that is gone as zeros: the checksum must tell."""
    import shutil

    compact.write(zarr.open_group(str(tmp_path / "c"), mode="w", zarr_format=3))
    chunk = next(path for path in (tmp_path / "c" / "level_2" / "packed" / "c").rglob("*") if path.is_file())
    if damage == "cut":
        chunk.write_bytes(chunk.read_bytes()[:-40])
    elif damage == "remove":
        chunk.unlink()
    elif damage == "attributes":
        metadata = tmp_path / "c" / "level_2" / "zarr.json"
        metadata.write_text(metadata.read_text().replace('"first_plane"', '"last_plane"'))
    else:
        shutil.rmtree(tmp_path / "c" / "level_2")
    with pytest.raises(FormatError if damage != "cut" else (FormatError, RuntimeError)):
        _ = CompactTable.read(zarr.open_group(str(tmp_path / "c"), mode="r"))


def test_a_table_in_full_precision_is_read_as_one_level(tiny_table, tiny_table_dir):
    whole = CompactTable.read(zarr.open_group(str(tiny_table_dir / "rocking.zarr"), mode="r"))
    settings = {"thickness_nm": 5.3, "convergence_mrad": 11.0, "geometry": VIEW}
    expected = Renderer(tiny_table).render(**settings)
    np.testing.assert_array_equal(CompactRenderer(whole.levels).render(**settings), expected)


def test_other_versions_are_refused(compact, tmp_path):
    group = zarr.open_group(str(tmp_path / "c"), mode="w", zarr_format=3)
    compact.write(group)
    group.attrs.update({"compact_version": 9})
    with pytest.raises(FormatError, match=r"compact rocking table: got schema_version 9, accepted: 2; .*update"):
        CompactTable.read(zarr.open_group(str(tmp_path / "c"), mode="r"))


def test_packing_errs_by_a_fraction_of_its_step(tiny_table):
    """Rounding by the step in an orthonormal basis: an error of step / sqrt(12) where nothing is zero."""
    from pacbed.simulation.table.codes import decode_coefficients

    step = 3e-4
    packed = PackedTable.of(tiny_table, step)
    assert packed.step == step
    error = decode_coefficients(packed.table().codes) - decode_coefficients(tiny_table.codes)
    assert 0.05 * step < np.sqrt(np.mean(error**2)) < step / 12**0.5
    coarse = PackedTable.of(replace(tiny_table, codes=np.full_like(tiny_table.codes, -16383)), 1e-9)
    assert coarse.step > 1e-5  # integers stay inside 16 bits
    np.testing.assert_allclose(coarse.table().codes, -16383, atol=2)


def test_new_nodes_inside_the_old_ones_keep_the_pattern(tiny_table):
    """Twice the steps: every value of the old spline is carried over, so nothing may change."""
    finer = resample_table(tiny_table, steps=(22, 22), thickness_nm=(3.0, 7.0), cone_mrad=17.0, field_mrad=30.0)
    settings = {"thickness_nm": 5.3, "convergence_mrad": 11.0, "mistilt_mrad": (1.7, 0.6), "geometry": VIEW}
    expected = Renderer(tiny_table).render(**settings, edge_mrad=0.6)
    assert difference(Renderer(finer).render(**settings, edge_mrad=0.6), expected) < 2e-4


def test_cropping_changes_no_pattern_inside(tiny_table):
    small = cropped(tiny_table, 15.0, 25.0)
    assert small.codes.shape[1] < 0.6 * tiny_table.codes.shape[1]
    settings = {"thickness_nm": 5.3, "convergence_mrad": 11.0, "mistilt_mrad": (1.7, 0.6), "geometry": VIEW}
    np.testing.assert_allclose(Renderer(small).render(**settings), Renderer(tiny_table).render(**settings), rtol=1e-5)


def test_projection_lands_in_both_disks():
    rng = np.random.default_rng(0)
    q, angle = rng.uniform(-30, 30, (200, 2)), rng.uniform(-30, 30, (200, 2))
    inside, found = project(q, angle, (10.0, 15.0))
    assert 20 < found.sum() < 200
    assert np.all(np.linalg.norm(inside[found], axis=1) <= 10.0)
    assert np.all(np.linalg.norm((inside + angle)[found], axis=1) <= 15.0)
    assert np.all(np.linalg.norm(angle[~found], axis=1) > 24.0)  # the disks hardly touch
    kept = (np.linalg.norm(q, axis=1) < 10) & (np.linalg.norm(q + angle, axis=1) < 15)
    np.testing.assert_array_equal(inside[kept], q[kept])
