"""Sheared slices describe the same slab as slices normal to the beam."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from ase.cell import Cell

from pacbed.crystal.beam_group import lattice_translations, symmetry_operations
from pacbed.crystal.cell import Crystal
from pacbed.crystal.electron import interaction_per_ev_a, mrad_per_inverse_a, wavelength_a
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.orientation import _fill, orient
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.scattering.form_factors import projected_coefficient
from pacbed.crystal.slicing import slice_potentials
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.scan.supercell import orthogonal_slices

TRICLINIC = np.array(Cell.fromcellpar([4.3, 5.6, 6.9, 81, 97, 106]))
MONOCLINIC = np.array(Cell.fromcellpar([5.1, 6.3, 7.4, 90, 103, 90]))


def _centred(x: float, period: float) -> Crystal:
    """B-centred orthorhombic: seen along [001] its primitive cell is half as wide, with a c / 2 out of the plane."""
    cell = np.diag([6.0, 5.0, period])
    basis = np.array([[0.0, 0.05, 0.0], [0.3 * x, 0.3, 0.25]])
    fractional = np.concatenate([basis, basis + np.array([0.5, 0, 0.5])])
    tensor = np.array([np.diag([0.004, 0.004, 0.004])] * 4)
    return Crystal(cell, ["Sr", "O"] * 2, fractional @ cell, np.ones(4), tensor, "OSr", "test")


def _both_ways(
    x: float, period: float, energy_ev: float, model: str = "thermal_mean"
) -> tuple[SlicePotentials, SlicePotentials]:
    """The same crystal as primitive cell on sheared slices, and as published cell on normal ones."""
    crystal = _centred(x, period)
    options = {"zone_axis": (0, 0, 1), "energy_ev": energy_ev, "slices": round(period), "thermal_model": model}
    a, b, c = crystal.cell
    centring = lattice_translations(symmetry_operations(crystal))
    primitive = _fill(crystal, np.array([(a + c) / 2, b, c]), np.eye(3), centring)
    narrow = slice_potentials(primitive, grid=(22, 34), **options)
    wide = slice_potentials(_fill(crystal, crystal.cell, np.eye(3), centring), grid=(44, 34), **options)
    assert narrow.slope == pytest.approx([period / 6, 0.0])
    assert not wide.slope.any()
    return narrow, wide


def _error(narrow: SlicePotentials, wide: SlicePotentials, *, propagator: str = "exact") -> np.ndarray:
    """Relative L2 over the beams within 60 mrad that both cells have, at about 40 nm, direction by direction."""
    unit = mrad_per_inverse_a(wide.energy_ev)
    q = np.array([[0.0, 0.0], [10.0, 0.0], [-10.0, 3.0], [7.0, -12.0]]) / unit
    beams = cone_nodes(narrow.reciprocal * unit, 60.0)
    run = {"planes": 1, "periods_per_plane": round(400 / wide.period_a)}
    found = PlaneWaveEngine(narrow, propagator=propagator).run(q, beams=beams, **run).intensity[1]
    expected = PlaneWaveEngine(wide, propagator=propagator).run(q, beams=beams * [2, 1], **run).intensity[1]
    return np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)


@pytest.mark.parametrize("propagator", ["exact", "fresnel"])
@pytest.mark.parametrize(("x", "energy_ev"), [(0.0, 80e3), (0.0, 200e3), (1.0, 200e3)])
@pytest.mark.parametrize(("model", "bound"), [("debye_waller_absorptive", 6e-3), ("thermal_mean", 8e-3)])
def test_sheared_and_normal_slices_agree(x, energy_ev, propagator, model, bound):
    """A slope of 2/3. With x = 1 oxygen lies in another slice of the sheared cell: the terminations differ."""
    both = _both_ways(x, 4.0, energy_ev, model)
    assert _error(*both, propagator=propagator).max() < (8e-3 if x else bound)


def test_the_layers_of_the_reciprocal_lattice_matter():
    """At 80 kV with a period of 8 Å the first layer is in reach: to forget the slope is wrong by far more."""
    narrow, wide = _both_ways(0.0, 8.0, 80e3)
    assert _error(narrow, wide).max() < 4e-3
    assert _error(replace(narrow, slope=np.zeros(2)), wide).max() > 0.03


@pytest.mark.parametrize(("cell", "axis"), [(MONOCLINIC, (1, -2, 1)), (TRICLINIC, (1, 2, -1)), (TRICLINIC, (0, 0, 1))])
def test_a_weak_slab_scatters_by_its_structure_factors(cell, axis):
    """Kinematic limit of 20 periods: a naive sum over atoms in three dimensions, layers of the lattice included."""
    energy, periods, slices, faint = 80e3, 20, 40, 1e-3
    fractional = np.array([[0.05, 0.10, 0.05], [0.30, 0.70, 0.45], [0.85, 0.40, 0.65]])
    published = Crystal(cell, ["Sr", "Ti", "O"], fractional @ cell, np.ones(3), np.zeros((3, 3, 3)), "OSrTi", "test")
    oriented = orient(published, axis)
    found = slice_potentials(
        oriented, zone_axis=axis, energy_ev=energy, grid=(48, 48), slices=slices, thermal_model="none"
    )
    assert np.linalg.norm(found.slope) > 0.1
    weak = replace(found, potential=faint * found.potential)
    unit, wavenumber = mrad_per_inverse_a(energy), 1 / wavelength_a(energy)
    q = np.array([4.0, -3.0]) / unit
    beams = cone_nodes(weak.reciprocal, 3.0)
    beams = beams[np.any(beams != 0, axis=1)]
    got = PlaneWaveEngine(weak).run(q[None], beams=beams, planes=1, periods_per_plane=periods).intensity[1, 0]

    def path(k: np.ndarray) -> float:
        return float(np.sqrt(wavenumber**2 - k @ k) - wavenumber)

    reciprocal = np.linalg.inv(oriented.cell).T
    expected, layers = [], []
    for beam in beams:
        # The reflection (h, k, l) next to the Ewald sphere.
        vectors = {layer: np.array([*beam, layer]) @ reciprocal for layer in range(-15, 6)}
        misses = {layer: path(q + g[:2]) - path(q) - g[2] for layer, g in vectors.items()}
        layer = min(misses, key=lambda key: abs(misses[key]))
        factor = sum(
            projected_coefficient(symbol, np.linalg.norm(beam @ weak.reciprocal), "lobato")
            * np.exp(-2j * np.pi * (vectors[layer] @ position + misses[layer] * height))
            for symbol, position, height in zip(
                oriented.symbols, oriented.positions, oriented.fractional[:, 2] * weak.period_a, strict=True
            )
        )
        repeats = np.exp(-2j * np.pi * misses[layer] * weak.period_a * np.arange(periods)).sum()
        area = abs(np.linalg.det(weak.cell_a))
        expected.append(np.abs(faint * interaction_per_ev_a(energy) * factor * repeats / area) ** 2)
        layers.append(layer)
    zeroth = np.array(layers) == 0
    assert 0.1 < zeroth.mean() < 0.9
    for group in (zeroth, ~zeroth):
        difference = got[group] - np.array(expected)[group]
        assert np.linalg.norm(difference) < 0.01 * np.linalg.norm(np.array(expected)[group])


def test_bookkeeping_on_sheared_slices():
    slices = _both_ways(1.0, 4.0, 80e3)[0]
    beams = cone_nodes(slices.reciprocal, slices.band_limit)
    run = PlaneWaveEngine(slices).run(np.zeros((1, 2)), beams=beams, planes=3, periods_per_plane=8)
    np.testing.assert_allclose(run.intensity.sum(axis=2) + run.absorbed + run.lost, 1.0, atol=2e-5)
    assert np.all(np.diff(run.absorbed, axis=0) > 0)


def test_the_slope_is_kept_and_old_folders_have_none(tmp_path):
    slices = _both_ways(0.0, 4.0, 200e3)[0]
    slices.save(tmp_path)
    np.testing.assert_array_equal(SlicePotentials.load(tmp_path).slope, slices.slope)
    facts = json.loads((tmp_path / "cell.json").read_text())
    del facts["slope"]
    (tmp_path / "cell.json").write_text(json.dumps(facts))
    np.testing.assert_array_equal(SlicePotentials.load(tmp_path).slope, [0.0, 0.0])


def test_abtem_cannot_scan_sheared_slices():
    with pytest.raises(SimulationError, match=r"slope: got .*direct simulation"):
        orthogonal_slices(_both_ways(0.0, 4.0, 200e3)[0])
