"""The stack: labels, coding error, split, and how it opens."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import xarray

from pacbed.errors import FormatError, SimulationError
from pacbed.patterns import LARGEST_COUNT, Geometry, polar_to_vector
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.stack.assemble import assemble_stack, split_series
from pacbed.simulation.stack.parameter_grid import ParameterGrid, distinct_azimuths, tilt_grid
from pacbed.simulation.stack.rounding import ROUNDING, clear_low_bits
from pacbed.simulation.stack.stored import of_stack, open_stack
from pacbed.simulation.table.rocking_table import of_table

GRID = ParameterGrid(
    thickness_nm=[0.0, 4.0, 9.5],
    convergence_mrad=[11.0, 12.5],
    mistilt_mrad=[0.0, 2.0],
    azimuth_deg="auto",
    azimuth_step_deg=30.0,
    pixels=32,
    max_angle_mrad=20.0,
)
SPLIT = {"validation_fraction": 0.2, "seed": 4}


@pytest.fixture(scope="module")
def stack(tiny_table_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stack") / "stack"
    assemble_stack(tiny_table_dir, GRID, out_dir=folder, **SPLIT)
    return xarray.open_zarr(folder / "stack.zarr")


def test_labels_equal_what_was_passed(stack):
    np.testing.assert_array_equal(stack.thickness_nm, GRID.thickness_nm)
    np.testing.assert_array_equal(stack.convergence_mrad, GRID.convergence_mrad)
    np.testing.assert_array_equal(stack.mistilt_mrad, [0, 2, 2, 2])
    np.testing.assert_array_equal(stack.azimuth_deg, [0, 0, 22.5, 45])
    assert stack.pattern.dims == ("convergence_mrad", "tilt", "thickness_nm", "ky_mrad", "kx_mrad")
    assert stack.pattern.encoding["chunks"] == (1, 1, 3, 32, 32)


def test_patterns_match_the_renderer(stack, tiny_table):
    """Coding costs at most 7e-4 of a pattern's maximum, components 1e-4; selection by label finds the pattern."""
    renderer = Renderer(tiny_table)
    for tilt in (0, 2):
        chosen = stack.pattern.sel(thickness_nm=9.5, convergence_mrad=12.5).isel(tilt=tilt)
        expected = renderer.render(
            thickness_nm=9.5,
            convergence_mrad=12.5,
            geometry=Geometry.field_of_view(32, 20.0),
            mistilt_mrad=polar_to_vector(float(stack.mistilt_mrad[tilt]), float(stack.azimuth_deg[tilt])),
        )
        assert np.abs(chosen.values - expected).max() <= 8e-4 * expected.max()


@pytest.mark.parametrize("brightest", [3, 900, 5_000, 20_000, 65_000, LARGEST_COUNT])
def test_low_bits_are_cleared_as_far_as_the_maximum_allows(brightest):
    """One series of three patterns, whose maxima differ, of numbers rounded before."""
    rng = np.random.default_rng(brightest)
    exact = rng.uniform(size=(3, 20, 30)) * np.array([brightest, 0.4 * brightest, 0.01 * brightest])[:, None, None]
    exact[0, 0, 0] = brightest
    counts = clear_low_bits(np.rint(exact).astype(np.uint16))
    error = np.abs(counts - exact).max(axis=(1, 2))
    limit = np.maximum(ROUNDING * np.rint(exact).max(axis=(1, 2)), 0.5)
    assert counts.dtype == np.uint16 and (error <= limit + 1e-9).all()
    steps = [np.gcd.reduce(pattern[pattern < LARGEST_COUNT]) for pattern in counts]
    assert all(4 * step >= 2 * bound - 1 for step, bound in zip(steps, limit, strict=True))


def test_an_empty_pattern_stays_empty():
    assert not clear_low_bits(np.zeros((2, 4, 4), dtype=np.uint16)).any()


def test_a_pixel_beyond_the_integers_is_an_error(tiny_table_dir, tmp_path, monkeypatch):
    """The scale leaves room for what no pattern has; with a hundredth of it the first pattern is too bright."""
    monkeypatch.setattr("pacbed.simulation.stack.assemble.HEADROOM", 0.01)
    with pytest.raises(SimulationError, match="integer scale"):
        assemble_stack(tiny_table_dir, GRID, out_dir=tmp_path / "stack", **SPLIT)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("threads", [1, 3])
def test_order_and_threads_do_not_matter(stack, tiny_table_dir, tmp_path, threads):
    """Convergence angles asked for in another order are stored in that order, with the same patterns."""
    asked = replace(GRID, convergence_mrad=GRID.convergence_mrad[::-1])
    assemble_stack(tiny_table_dir, asked, out_dir=tmp_path / "stack", threads=threads, **SPLIT)
    other = xarray.open_zarr(tmp_path / "stack" / "stack.zarr")
    np.testing.assert_array_equal(other.convergence_mrad, GRID.convergence_mrad[::-1])
    np.testing.assert_array_equal(other.pattern.values[::-1], stack.pattern.values)


def test_a_stack_is_opened_only_when_it_is_complete(tiny_table_dir, tmp_path):
    assemble_stack(tiny_table_dir, GRID, out_dir=tmp_path / "stack", **SPLIT)
    assert open_stack(tmp_path / "stack")["pattern"].shape == (2, 4, 3, 32, 32)
    assert of_stack(tmp_path / "stack") == of_table(tiny_table_dir)
    chunk = next(path for path in (tmp_path / "stack").rglob("*") if path.is_file() and path.name == "0")
    chunk.unlink()
    with pytest.raises(FormatError, match="missing or truncated"):
        open_stack(tmp_path / "stack")


def test_split_holds_out_whole_series(stack):
    assert set(np.unique(stack.split)) == {0, 1}
    assert stack.split.dims == ("convergence_mrad", "tilt")
    assert split_series(10, 20, 0.05, 1).sum() == 10
    assert split_series(1, 1, 0.5, 1).sum() == 0
    assert np.array_equal(split_series(5, 5, 0.2, 7), split_series(5, 5, 0.2, 7))


def test_a_rule_hands_over_the_grid_among_its_other_settings():
    assert ParameterGrid.split_off({**SPLIT, **asdict(GRID)}) == (GRID, SPLIT)


def test_zero_tilt_has_one_entry():
    magnitude, azimuth = tilt_grid([0, 1], [10, 20])
    np.testing.assert_array_equal(magnitude, [0, 1, 1])
    np.testing.assert_array_equal(azimuth, [0, 10, 20])


def test_azimuths_without_mirrors_leave_out_the_image_of_the_first(tiny_table):
    class Fourfold:
        azimuth_range_deg, has_mirror = (0.0, 90.0), False

    assert distinct_azimuths(Fourfold, 45.0) == [0.0, 45.0]
    assert distinct_azimuths(tiny_table, 18.0) == [0.0, 15.0, 30.0, 45.0]


def test_grid_beyond_the_table(tiny_table_dir, tmp_path):
    with pytest.raises(SimulationError, match="thickness up to 90"):
        assemble_stack(tiny_table_dir, replace(GRID, thickness_nm=[1.0, 90.0]), out_dir=tmp_path / "stack", **SPLIT)
    assert not list(tmp_path.iterdir())
