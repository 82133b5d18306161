"""Rocking table against frozen phonons: figures, warnings, and the thickness bias of a wrong crystal model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pacbed.simulation.checks.referee_phonons import _Comparison, _warnings, referee_phonons
from pacbed.simulation.multislice.aperture import sample_aperture
from pacbed.simulation.rendering.renderer import Renderer

SETTINGS = {
    "thickness_max_nm": 10.0,
    "convergence_mrad": [12.0, 13.0, 14.0],
    "tau_max_mrad": 3.0,
    "max_angle_mrad": 18.0,
    "cells": 2,
    "configurations": 2,
    "pool": 12,
    "seed": 1,
}


@pytest.fixture(scope="module")
def report(tiny_table_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("referee_b")
    structure = tiny_table_dir.parent / "structure"
    referee_phonons(structure, tiny_table_dir, SETTINGS, folder / "b.json", folder / "b.png")
    return json.loads((folder / "b.json").read_text()), folder


def test_an_absorptive_table_agrees_with_frozen_phonons(report) -> None:
    """Measured at 9.4 nm: elastic parts within 5e-3, where exchanged axes are 1.3e-2 apart; bias 0.08 nm."""
    figures, folder = report
    depths = [one["thickness_nm"] for one in figures["patterns"]]
    np.testing.assert_allclose(np.array(depths) / 0.39053, [4, 12, 24], rtol=1e-3)
    assert figures["convergence_mrad"] == 13.0
    for one in figures["patterns"]:
        assert one["elastic_l2"] < 7e-3
        assert one["total_l2"] < 0.01
        assert abs(one["bias_nm"]) < 0.2
        assert one["noise_l2"] < 2e-3
        shares = one["fraction_in_field"]
        assert shares["elastic"] < shares["total"] < 1.02
    assert figures["warnings"] == []
    assert (folder / "b.png").stat().st_size > 10_000


@pytest.fixture(scope="module")
def comparison(tiny_table, srtio3_slices):
    tilt = np.array([1.5, 0.6])
    aperture = sample_aperture(
        srtio3_slices, alpha_mrad=13.0, mistilt_mrad=(1.5, 0.6), field_mrad=18.0, directions=100, cells=3
    )
    return _Comparison(Renderer(tiny_table), aperture, tilt)


def test_a_fit_finds_thickness_and_tilt_under_gain_and_background(comparison) -> None:
    off = comparison.tilt + np.array([0.25, -0.15])
    background = 0.3 * comparison.columns[:, 2] + 0.1
    pattern = 0.7 * comparison.table(7.4, off)
    pattern = pattern + background * pattern.max()
    assert comparison.fitted_thickness_nm(pattern, 7.0) == pytest.approx(7.4, abs=0.01)


def test_the_pixels_of_a_comparison_have_the_axes_of_the_renderer(comparison) -> None:
    table = comparison.table(9.0, comparison.tilt)
    swapped = comparison.table(9.0, comparison.tilt[::-1])
    assert 0.7 < table.sum() < 1.01
    assert np.linalg.norm(swapped - table) > 0.01 * np.linalg.norm(table)


def test_large_deviations_are_named() -> None:
    fine = {"thickness_nm": 50.0, "bias_nm": 0.1, "elastic_l2": 0.004}
    assert _warnings(fine) == []
    assert _warnings({**fine, "bias_nm": -0.41}) == ["50.0 nm: thickness bias -0.41 nm, above 0.3 nm"]
    assert _warnings({**fine, "elastic_l2": 0.0312}) == ["50.0 nm: elastic parts differ by 3.1 %, above 1 %"]
