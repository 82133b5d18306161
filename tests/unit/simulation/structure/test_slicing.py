"""How many slices a period is cut into, and how slices are made again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.simulation.structure.slicing import (
    THINNEST_SLICE_A,
    Slicing,
    finer_counts,
    misfit_a,
    reference_count,
    slice_count,
)

STRUCTURES = Path(__file__).parents[4] / "structures"


def _layers(period_a, heights):
    """Atoms at fractional heights of a cell."""
    cell, count = np.diag([4.0, 4.0, period_a]), len(heights)
    fractional = np.stack([np.linspace(0, 0.8, count), np.zeros(count), heights], axis=1)
    return Crystal(
        cell, ["O"] * count, fractional @ cell, np.ones(count), np.zeros((count, 3, 3)), f"O{count}", "layers"
    )


@pytest.mark.parametrize(
    ("period_a", "heights", "count"),
    [
        (3.9, [0.0, 0.5], 2),  # two layers, each in a plane
        (3.9, [0.0, 0.25, 0.5, 0.75], 4),
        (3.9, [0.0], 2),  # the fewest that are not deeper than 2 Å
        (6.0, [0.0, 1 / 3, 2 / 3], 3),
        (1.5, [0.0], 1),
        (0.5, [0.0], 1),
    ],
)
def test_automatic_slices_meet_the_layers(period_a, heights, count):
    assert slice_count(_layers(period_a, heights), "auto") == count


def test_layers_that_no_count_meets_get_the_nearest_planes():
    """Of two to four slices in 3.9 Å, the height 0.26 is nearest to a plane with four."""
    assert slice_count(_layers(3.9, [0.0, 0.26]), "auto") == 4


def test_heavy_atoms_choose_the_planes():
    """Three slices suit the light atom, two the heavy one."""
    crystal = _layers(3.9, [0.0, 1 / 3, 0.5])
    heavy, light = (replace(crystal, symbols=symbols) for symbols in (["Sr", "O", "Sr"], ["Sr", "Sr", "O"]))
    assert slice_count(heavy, "auto") in (2, 4)
    assert slice_count(light, "auto") == 3


def test_finer_slices_come_closer_to_the_atoms_each_time():
    crystal = _layers(3.9, [0.0, 0.27])
    counts = list(finer_counts(crystal, 2))
    misfits = [misfit_a(crystal, count) for count in (2, *counts)]
    assert misfits == sorted(misfits, reverse=True)
    assert len(set(misfits)) == len(misfits)
    assert 3.9 / max(counts) >= THINNEST_SLICE_A
    assert list(finer_counts(_layers(3.9, [0.0, 0.5]), 2))[:3] == [4, 6, 8]


def test_slices_are_judged_by_planes_that_are_closer_to_the_atoms():
    """An atom at 0.2 of a slice lies in the same plane with half the depth; a third of it or less shows it."""
    crystal = _layers(4.0, [0.0, 0.3])
    assert misfit_a(crystal, 4) == misfit_a(crystal, 2 * 4) == pytest.approx(0.2 / 2**0.5, abs=1e-3)
    assert reference_count(crystal, 4) == 10
    assert reference_count(_layers(3.9, [0.0, 0.5]), 2) == 4


@pytest.mark.parametrize(("depth_nm", "count"), [(0.195, 2), (0.1, 4), (0.39, 1), (10.0, 1), (0.389, 2)])
def test_a_depth_by_hand_is_an_upper_limit(depth_nm, count):
    assert slice_count(_layers(3.9, [0.0, 0.5]), depth_nm) == count


def test_slices_are_made_again_from_their_file(srtio3_slices):
    again = Slicing.behind(srtio3_slices).on_grid(srtio3_slices.grid)
    np.testing.assert_array_equal(again.potential, srtio3_slices.potential)
    np.testing.assert_array_equal(again.absorption, srtio3_slices.absorption)
    assert (again.zone_axis, again.energy_ev) == (srtio3_slices.zone_axis, srtio3_slices.energy_ev)


def test_a_choice_is_changed_alone(srtio3_slices):
    changed = replace(Slicing.behind(srtio3_slices), slices=4).on_grid((36, 40))
    assert changed.potential.shape == (4, 36, 40)
    assert changed.period_a == pytest.approx(srtio3_slices.period_a)
    assert changed.thermal_model == srtio3_slices.thermal_model


def test_lengths_of_an_oblique_cell():
    beryl = orient(read_cif(STRUCTURES / "beryl.cif"), (0, 0, 1))
    slicing = Slicing(beryl, (0, 0, 1), 300e3, 4, "debye_waller", "lobato")
    assert slicing.lengths_a[0] == pytest.approx(slicing.lengths_a[1], rel=1e-6)
    assert slicing.lengths_a[0] == pytest.approx(beryl.cell[0, 0])
