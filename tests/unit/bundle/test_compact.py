"""The compact table against the one in full precision, and its renderer at the borders of its levels."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from pacbed.bundle.compact import CompactTable
from pacbed.errors import FormatError, ParameterError
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

VIEW = Geometry.field_of_view(60, 14.0)  # its corners lie inside the smaller field at any mistilt


def difference(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def test_patterns_agree_with_the_full_table(compact, tiny_table):
    full, thin = Renderer(tiny_table), Renderer.of_levels(compact.levels)
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
        found = Renderer.of_levels(compact.levels).render(thickness_nm=thickness, **settings)
        assert difference(found, Renderer(tiny_table).render(thickness_nm=thickness, **settings)) < 1e-3


def test_a_thickness_at_a_border_is_rendered_alike_by_both_levels(compact, tiny_table):
    settings = {"convergence_mrad": 13.0, "mistilt_mrad": (2.0, -1.0), "geometry": VIEW, "edge_mrad": 0.5}
    upper, lower = compact.levels[1], compact.levels[2]
    images = [Renderer(level).render(thickness_nm=upper.thickness_max_nm, **settings) for level in (upper, lower)]
    assert difference(*images) < 1e-3
    chosen = Renderer.of_levels(compact.levels).render(thickness_nm=upper.thickness_max_nm, **settings)
    np.testing.assert_array_equal(chosen, images[0])


@pytest.mark.parametrize("more", [[], [0.1, 6.2, 8.8, 2.2, 2.3]])
def test_a_series_is_its_patterns_in_any_order(compact, more):
    renderer = Renderer.of_levels(compact.levels)
    settings = {"convergence_mrad": 13.0, "mistilt_mrad": (2.0, -1.0), "geometry": VIEW, "blur_mrad": 0.3}
    thicknesses = [9.9, 0.5, 4.2, 4.1, 7.0, *more]
    series = renderer.render_series(thicknesses, **settings)
    for thickness, image in zip(thicknesses, series, strict=True):
        expected = renderer.render(thickness_nm=thickness, **settings)
        np.testing.assert_allclose(image, expected, atol=(1e-4 if more else 2e-6) * expected.max())


@pytest.mark.parametrize("thickness", [-0.1, 10.6, np.nan])
def test_thicknesses_out_of_range_are_refused(compact, thickness):
    renderer = Renderer.of_levels(compact.levels)
    settings = {"convergence_mrad": 13.0, "geometry": VIEW}
    with pytest.raises(ParameterError, match=r"thickness_nm: got .*0 to 10\.50 nm"):
        renderer.render(thickness_nm=thickness, **settings)
    with pytest.raises(ParameterError, match="thickness_nm"):
        renderer.render_series([5.0, thickness], **settings)


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
    np.testing.assert_array_equal(Renderer.of_levels(whole.levels).render(**settings), expected)


def test_other_versions_are_refused(compact, tmp_path):
    group = zarr.open_group(str(tmp_path / "c"), mode="w", zarr_format=3)
    compact.write(group)
    group.attrs.update({"compact_version": 9})
    with pytest.raises(FormatError, match=r"compact rocking table: got schema_version 9, accepted: 2; .*update"):
        CompactTable.read(zarr.open_group(str(tmp_path / "c"), mode="r"))
