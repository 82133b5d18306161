"""Directions of a table: a commensurate grid over a cone, of each orbit one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.lattice import cone_nodes, representatives
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.table.directions import direction_grid, starting_pitch_mrad


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
        (node @ grid.pitch_mrad / engine.mrad_per_inverse_a)[None], beams=beams, planes=1, periods_per_plane=20
    ).intensity[1, 0]
    for operation in grid.operations:
        q = (operation @ node) @ grid.pitch_mrad / engine.mrad_per_inverse_a
        turned = engine.run(q[None], beams=beams @ operation.T, planes=1, periods_per_plane=20).intensity[1, 0]
        np.testing.assert_allclose(turned, reference, atol=2e-5)


def test_steps_divide_reciprocal_lattice_vectors(srtio3_slices):
    """Each axis alone: the fewest steps that keep the pitch; a pitch that divides exactly is kept."""
    oblong = replace(srtio3_slices, cell_a=np.diag([4.0, 9.0]), group=np.array([np.eye(2, dtype=int)]))
    lengths = mrad_per_inverse_a(200e3) / np.array([4.0, 9.0])
    for pitch in (0.7, 1.0, float(lengths[0]) / 5):
        grid = direction_grid(oblong, cone_mrad=8.0, pitch_mrad=pitch)
        for step, length in zip(grid.steps, lengths, strict=True):
            assert length / step <= pitch * (1 + 1e-9)
            assert step == 1 or length / (step - 1) > pitch
        np.testing.assert_allclose(np.linalg.norm(grid.reciprocal_mrad, axis=1), lengths)
    assert grid.steps[0] == 5


def test_operations_that_exchange_the_axes_need_equal_steps(srtio3_slices):
    group = np.array([np.eye(2, dtype=int), [[0, 1], [1, 0]]])
    slices = replace(srtio3_slices, cell_a=np.array([[4.0, 0.0], [1.0, np.sqrt(15.0)]]), group=group)
    grid = direction_grid(slices, cone_mrad=8.0, pitch_mrad=0.9)
    assert grid.steps[0] == grid.steps[1]
    turned = grid.nodes @ grid.operations[1].T
    np.testing.assert_allclose(
        np.linalg.norm(turned @ grid.pitch_mrad, axis=1), np.linalg.norm(grid.nodes @ grid.pitch_mrad, axis=1)
    )


def test_the_cone_has_room_for_the_spline(srtio3_slices):
    """Seven steps along both axes: five that the filter reaches and two of the stencil."""
    grid = direction_grid(srtio3_slices, cone_mrad=10.0, pitch_mrad=0.9)
    step = np.linalg.norm(grid.pitch_mrad, axis=1)[0]
    assert grid.sample_margin_mrad == pytest.approx(7 * step * np.sqrt(2))
    assert grid.cone_mrad == pytest.approx(10.0 + grid.sample_margin_mrad)
    angles = np.linalg.norm(grid.nodes @ grid.pitch_mrad, axis=1)
    assert angles[0] == 0.0
    assert np.all(np.diff(angles) > -1e-8)
    assert angles.max() <= grid.cone_mrad + 1e-9


def test_the_average_has_fewer_directions(srtio3_slices):
    """Terminations related by an operation that the slab has not: it joins the group of the mean."""
    one = replace(
        srtio3_slices,
        group=np.array([np.eye(2, dtype=int)]),
        terminations=np.array([np.eye(2, dtype=int), -np.eye(2, dtype=int)]),
        termination_lifts=np.array([0.0, 0.5]),
    )
    top, average = (
        direction_grid(one, cone_mrad=8.0, pitch_mrad=1.0, termination=termination)
        for termination in ("top", "average")
    )
    assert (len(top.operations), len(average.operations)) == (1, 2)
    assert len(average.nodes) == (len(top.nodes) + 1) // 2


@pytest.mark.parametrize(("cone", "pitch"), [(0.0, 1.0), (10.0, 0.0), (-1.0, 1.0), (float("nan"), 1.0)])
def test_senseless_grids_are_refused(srtio3_slices, cone, pitch):
    with pytest.raises(SimulationError, match=r"direction grid: got cone .* accepted: positive"):
        direction_grid(srtio3_slices, cone_mrad=cone, pitch_mrad=pitch)


def test_the_search_starts_at_a_part_of_a_fringe():
    """Fringes of lambda / (theta t): 2.508 pm over 40 mrad and 100 nm are 0.627 mrad wide."""
    assert starting_pitch_mrad(200e3, 100.0) == pytest.approx(0.4 * 0.627, rel=1e-3)
    assert starting_pitch_mrad(200e3, 50.0) == pytest.approx(0.8 * 0.627, rel=1e-3)
