from pathlib import Path

import numpy as np
import pytest

from pacbed.config.sections import ModelErrorConfig
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.evaluation.budget.effects import effects_of, varied_slices
from pacbed.evaluation.direct.varied import DRAWN, changed_slices, drawn_changes

CHOICES = ModelErrorConfig()


@pytest.fixture(scope="module")
def oriented():
    return orient(read_cif(Path(__file__).parents[4] / "structures" / "srtio3.cif"), (0, 0, 1))


def test_changes_are_as_wide_as_the_budget_s(oriented, srtio3_slices):
    rng = np.random.default_rng(3)
    drawn = [drawn_changes(oriented, srtio3_slices, CHOICES, rng=rng) for _ in range(400)]
    widths = {"debye_waller": 0.15, "absorption": 0.2, "high_tension": 0.002, "lattice": 0.001}
    assert set(drawn[0]) == set(DRAWN) == set(widths)
    for name, width in widths.items():
        values = np.array([one[name] for one in drawn])
        assert values.std() == pytest.approx(width, rel=0.1) and abs(values.mean()) < 0.2 * width
        assert np.abs(values).max() <= 3 * width


def test_seeds_draw_the_same_crystals(oriented, srtio3_slices):
    first, again, other = (
        drawn_changes(oriented, srtio3_slices, CHOICES, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_no_change_is_the_crystal_itself(oriented, srtio3_slices):
    same = changed_slices(oriented, srtio3_slices, {})
    np.testing.assert_allclose(same.potential, srtio3_slices.potential, rtol=1e-5)
    np.testing.assert_allclose(same.absorption, srtio3_slices.absorption, rtol=1e-4)


@pytest.mark.parametrize("name", DRAWN)
def test_one_change_is_the_variation_of_the_budget(oriented, srtio3_slices, name):
    (variant,) = [
        variant
        for effect in effects_of(oriented, srtio3_slices, CHOICES)
        if effect.name == name
        for variant in effect.variants()
        if variant.sign > 0
    ]
    ours = changed_slices(oriented, srtio3_slices, {name: variant.effect.size})
    theirs = varied_slices(variant, oriented, srtio3_slices)
    assert (ours.energy_ev, ours.period_a) == pytest.approx((theirs.energy_ev, theirs.period_a))
    np.testing.assert_allclose(ours.potential, theirs.potential, rtol=1e-5)
    np.testing.assert_allclose(ours.absorption, theirs.absorption, rtol=1e-4, atol=1e-9)
