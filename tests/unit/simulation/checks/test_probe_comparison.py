"""The figures of one comparison between a table and a probe scan."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pacbed.errors import SimulationError
from pacbed.patterns import relative_l2
from pacbed.simulation.checks.parameter_sets import ParameterSet
from pacbed.simulation.checks.probe_comparison import ProbeComparison, Slab, compare
from pacbed.simulation.rendering.renderer import Renderer

PARAMETERS = ParameterSet(periods=12, convergence_mrad=11.23456, mistilt_mrad=(1.5, -0.8))


@pytest.fixture(scope="module")
def compared(tiny_table, srtio3_slices):
    return compare(Renderer(tiny_table), [Slab.of(srtio3_slices)], PARAMETERS, cells=3, threads=2)


def test_a_table_agrees_with_the_scan_in_every_figure(compared):
    figures = compared.as_json()
    assert figures["relative_l2"] < 1e-3
    assert figures["largest_difference"] < 5e-3
    shares = figures["fraction_in_field"]
    assert shares["table"] == pytest.approx(shares["scan"], rel=1e-3)
    assert 0.9 < shares["scan"] < 1.0
    # The gap is smaller than what is tolerated, and without it the two are further apart.
    assert 1e-5 < figures["propagator_gap_l2"] < 1e-3
    assert relative_l2(compared.table - compared.gap, compared.direct) > figures["relative_l2"]


def test_figures_are_plain_and_say_what_was_compared(compared):
    figures = compared.as_json()
    assert json.loads(json.dumps(figures)) == figures
    assert figures["thickness_nm"] == pytest.approx(12 * 0.3905, abs=1e-3)
    assert (figures["convergence_mrad"], figures["mistilt_mrad"]) == (11.2346, [1.5, -0.8])
    assert figures["supercell"] == [3, 3]
    assert figures["positions"] > 1


def test_a_picture_has_both_patterns_and_their_field(compared):
    picture = compared.as_picture()
    np.testing.assert_array_equal(picture.direct, compared.direct)
    np.testing.assert_array_equal(picture.table, compared.table)
    assert picture.half_mrad == pytest.approx(compared.pixel_mrad * len(compared.direct) / 2)
    assert "4.69 nm" in picture.titles[0]
    assert "11.23 mrad, tilt (1.50, -0.80)" in picture.titles[1]


@pytest.mark.parametrize("wrong", [(-1.5, 0.8), (-0.8, 1.5), (1.5, 0.8)])
def test_a_table_at_another_mistilt_is_found_out(compared, tiny_table, srtio3_slices, wrong):
    other = compare(Renderer(tiny_table), [Slab.of(srtio3_slices)], replace(PARAMETERS, mistilt_mrad=wrong), cells=3)
    assert relative_l2(other.table, compared.direct) > 30 * compared.relative_l2


def test_figures_by_hand():
    direct, table, gap = np.array([[3.0, 4.0]]), np.array([[3.0, 5.0]]), np.array([[0.0, 0.5]])
    figures = ProbeComparison(PARAMETERS, 1.0, direct, table, gap, 0.5, (2, 2), 4, 0.04).as_json()
    assert figures["relative_l2"] == pytest.approx(0.2)
    assert figures["propagator_gap_l2"] == pytest.approx(0.1)
    assert figures["largest_difference"] == pytest.approx(0.25)
    assert figures["fraction_in_field"] == {"scan": 7.0 * 0.25, "table": 8.0 * 0.25}
    assert figures["scan_seconds"] == 0.0


def test_sheared_slices_have_no_slab(srtio3_slices):
    with pytest.raises(SimulationError, match=r"slope: got \[0\.1, 0\.0\]"):
        Slab.of(replace(srtio3_slices, slope=np.array([0.1, 0.0])))
