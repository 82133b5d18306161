from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.evaluation.budget.inelastic import (
    COLLECTION_MRAD,
    inelastic_pattern,
    mean_energy_loss_ev,
    mean_free_path_nm,
)


@pytest.fixture(scope="module")
def crystal():
    return orient(read_cif("structures/srtio3.cif"), (0, 0, 1))


def test_mean_free_path_of_silicon(crystal):
    """By hand: E_m = 7.6 x 14^0.36 = 19.65 eV, F = 0.618, 106 x 0.618 x 200 / (19.65 ln(4000 / 19.65))."""
    silicon = replace(crystal, symbols=["Si"], occupancy=np.ones(1))
    assert mean_energy_loss_ev(silicon) == pytest.approx(19.65, abs=0.01)
    assert mean_free_path_nm(silicon, 200.0) == pytest.approx(125.4, abs=0.3)
    assert mean_free_path_nm(silicon, 80.0) == pytest.approx(79.1, abs=0.2)


def test_inelastic_blur_is_a_cut_lorentzian(crystal):
    point = np.zeros((161, 161))
    point[80, 70] = 1.0
    thickness, path = 60.0, mean_free_path_nm(crystal, 200.0)
    spread = inelastic_pattern(point, pixel_mrad=0.2, thickness_nm=thickness, oriented=crystal, energy_kev=200.0)
    assert spread.sum() == pytest.approx(1)
    row, column = np.indices(spread.shape)
    angle = 0.2 * np.hypot(row - 80, column - 70)
    width = mean_energy_loss_ev(crystal) * 711 / (200 * 1222)  # E (E0 + mc^2) / (E0 (E0 + 2 mc^2)), eV / keV = mrad
    scattered = 1 - np.exp(-thickness / path)
    for radius in (1.0, 3.0):
        inside = np.log(1 + (radius / width) ** 2) / np.log(1 + (COLLECTION_MRAD / width) ** 2)
        assert spread[angle <= radius].sum() == pytest.approx(1 - scattered * (1 - inside), abs=0.01)
    assert spread[angle > COLLECTION_MRAD + 0.3].sum() == pytest.approx(0, abs=1e-9)


def test_a_thin_crystal_loses_nothing(crystal):
    image = np.random.default_rng(1).random((40, 40))
    options = {"pixel_mrad": 0.5, "oriented": crystal, "energy_kev": 200.0}
    np.testing.assert_allclose(inelastic_pattern(image, thickness_nm=0.0, **options), image)
    flat = np.full((40, 40), 0.3)
    np.testing.assert_allclose(inelastic_pattern(flat, thickness_nm=80.0, **options), flat)
