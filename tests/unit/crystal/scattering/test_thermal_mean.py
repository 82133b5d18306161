"""Thermal mean of transmission functions: against quadrature over displaced atoms, and its limit of weak scattering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.electron import interaction_per_ev_a
from pacbed.crystal.scattering.form_factors import projected_coefficient
from pacbed.crystal.scattering.thermal_mean import coarser
from pacbed.crystal.slicing import slice_potentials
from pacbed.errors import StructureError

OBLIQUE = np.array([[4.2, 0, 0], [-1.3, 3.9, 0], [0, 0, 3.0]])
TENSOR = np.array([[0.012, 0.004, 0], [0.004, 0.005, 0], [0, 0, 0.008]])
PLACE = np.array([0.31, 0.22, 0.0])


def _one_atom(symbol: str, tensor: np.ndarray) -> Crystal:
    place = (PLACE @ OBLIQUE)[None]
    return Crystal(OBLIQUE, [symbol], place, np.ones(1), tensor[None], symbol, "one atom")


def _slices(crystal: Crystal, model: str, *, energy_ev: float = 300e3):
    return slice_potentials(
        crystal, zone_axis=(0, 0, 1), energy_ev=energy_ev, grid=(40, 40), slices=1, thermal_model=model
    )


def _quadrature(symbol: str, tensor: np.ndarray) -> np.ndarray:
    """Mean of exp(i sigma V) over displacements, atom by atom displaced in real space; shape (40, 40)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    root = np.linalg.cholesky(tensor[:2, :2])
    h = np.stack(np.meshgrid(*(np.fft.fftfreq(160, 1 / 160),) * 2, indexing="ij"), axis=-1)
    g = h @ np.linalg.inv(OBLIQUE[:2, :2]).T
    form = projected_coefficient(symbol, np.linalg.norm(g, axis=-1), "lobato")
    factor = interaction_per_ev_a(300e3) / abs(np.linalg.det(OBLIQUE[:2, :2]))
    mean, norm = np.zeros((160, 160), dtype=complex), weights.sum() ** 2
    for a, weight_a in zip(nodes, weights, strict=True):
        for b, weight_b in zip(nodes, weights, strict=True):
            place = (PLACE @ OBLIQUE)[:2] + root @ np.array([a, b])
            potential = np.fft.ifft2(form * np.exp(-2j * np.pi * (g @ place)), norm="forward").real
            mean += weight_a * weight_b / norm * np.exp(1j * factor * potential)
    return coarser(mean, (40, 40))


@pytest.fixture(scope="module")
def strontium() -> np.ndarray:
    return _quadrature("Sr", TENSOR)


def test_slices_of_frozen_phonons_are_the_mean_over_displaced_atoms(strontium) -> None:
    """Anisotropic tensor with its axes along none of the oblique cell's."""
    slices = _slices(_one_atom("Sr", TENSOR), "frozen_phonons")
    sigma = interaction_per_ev_a(slices.energy_ev)
    got = np.exp(1j * sigma * slices.potential[0].astype(float) - slices.absorption[0])
    scattered = np.abs(strontium - 1)
    assert np.abs(got - strontium).max() < 1e-3 * scattered.max()
    assert slices.absorption.max() > 0.02


@pytest.mark.parametrize("wrong", [np.diag([-1, 1, 1]), np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])])
def test_a_tensor_has_its_axes(strontium, wrong) -> None:
    slices = _slices(_one_atom("Sr", wrong @ TENSOR @ wrong.T), "frozen_phonons")
    got = np.exp(1j * interaction_per_ev_a(300e3) * slices.potential[0].astype(float) - slices.absorption[0])
    assert np.abs(got - strontium).max() > 0.05 * np.abs(strontium - 1).max()


def test_second_order_is_what_a_light_atom_leaves() -> None:
    """For weak scattering the mean becomes that of `debye_waller_absorptive`, and for a heavy atom it does not."""
    isotropic = 0.008 * np.eye(3)

    def peaks(symbol: str) -> tuple[float, float]:
        absorptions = [
            _slices(_one_atom(symbol, isotropic), model, energy_ev=1e6).absorption.sum(dtype=float)
            for model in ("frozen_phonons", "debye_waller_absorptive")
        ]
        return absorptions[0], absorptions[1]

    light, heavy = peaks("Be"), peaks("Au")
    assert light[0] == pytest.approx(light[1], rel=0.01)
    assert heavy[0] < 0.95 * heavy[1]


def test_a_crystal_without_displacements_is_refused() -> None:
    still = replace(_one_atom("Sr", TENSOR), displacement=np.zeros((1, 3, 3)))
    with pytest.raises(StructureError, match="'frozen_phonons', but one atom has no displacement parameters"):
        _slices(still, "frozen_phonons")


def test_the_elastic_channel_of_displaced_atoms_is_a_model_of_its_own() -> None:
    mean, displaced = (_slices(_one_atom("Sr", TENSOR), model) for model in ("thermal_mean", "frozen_phonons"))
    np.testing.assert_array_equal(mean.potential, displaced.potential)
    np.testing.assert_array_equal(mean.absorption, displaced.absorption)


def test_a_vacancy_lets_the_wave_through() -> None:
    """Half of the sites are empty, at random: the mean of an atom and of none."""

    def transmission(occupancy: float) -> np.ndarray:
        slices = _slices(replace(_one_atom("Sr", TENSOR), occupancy=np.array([occupancy])), "thermal_mean")
        phase = interaction_per_ev_a(slices.energy_ev) * slices.potential[0].astype(float)
        return np.exp(1j * phase - slices.absorption[0])

    np.testing.assert_allclose(transmission(0.5), (1 + transmission(1.0)) / 2, atol=1e-4)
