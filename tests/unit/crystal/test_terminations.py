"""The mean over equivalent surfaces has the whole symmetry of the crystal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.beam_group import upright_operations
from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import termination_slices
from pacbed.crystal.slicing import slice_potentials
from pacbed.patterns import Geometry
from pacbed.simulation.checks.parameter_sets import RefereeSettings
from pacbed.simulation.checks.referee import referee_simulation
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.structure.slab_symmetry import verified_group
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

STRUCTURES = Path(__file__).parents[3] / "structures"
THICKNESS_NM = 15.0


def _verified(oriented: Crystal, **options):
    slices = slice_potentials(oriented, zone_axis=(0, 0, 1), **options)
    settings = {"thickness_max_nm": THICKNESS_NM, "cone_mrad": 15.0, "propagator": "exact"}
    return verified_group(slices, upright_operations(oriented), **settings)[0]


@pytest.fixture(scope="module")
def rutile():
    oriented = orient(read_cif(STRUCTURES / "rutile.cif"), (0, 0, 1))
    return _verified(oriented, energy_ev=80e3, grid=(32, 32), slices=2)


def _table(slices, termination: str, folder: Path) -> RockingTable:
    (folder / "structure").mkdir(parents=True)
    slices.save(folder / "structure")
    settings = TableSettings(
        thickness_max_nm=THICKNESS_NM,
        cone_mrad=16.0,
        field_mrad=28.0,
        direction_pitch_mrad=1.2,
        propagator="exact",
        batch=64,
        termination=termination,
    )
    simulate_rocking_block(folder / "structure", settings, block=0, blocks=1, out_dir=folder / "block")
    gather_rocking_table([folder / "block"], folder / "rocking")
    return RockingTable.load(folder / "rocking")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("terminations")


@pytest.fixture(scope="module")
def tables(rutile, folder):
    """Of rutile: as cut, cut half a period later, and the mean over equivalent surfaces."""
    later = replace(rutile, potential=np.roll(rutile.potential, 1, axis=0), absorption=np.roll(rutile.absorption, 1, 0))
    return (
        _table(rutile, "top", folder / "top"),
        _table(later, "top", folder / "later"),
        _table(rutile, "average", folder / "average"),
    )


def _pattern(table: RockingTable, mistilt_mrad=(2.1, 0.7)) -> np.ndarray:
    return Renderer(table).render(
        thickness_nm=12.3, convergence_mrad=11.0, mistilt_mrad=mistilt_mrad, geometry=Geometry.field_of_view(48, 18.0)
    )


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def test_the_average_is_the_mean_of_both_slabs(tables):
    """Rutile's two equivalent surfaces lie half a period apart; in-plane shifts change no intensity."""
    top, later, average = (_pattern(table) for table in tables)
    assert _error(average, 0.5 * (top + later)) < 2e-4
    assert _error(top, later) > 5 * _error(average, 0.5 * (top + later))
    assert _error(top, average) > 1e-3


def test_the_average_has_the_whole_group(tables):
    top, _, average = tables
    assert len(top.group) == 4
    assert len(average.group) == 8
    low, high = average.azimuth_range_deg
    assert high - low == pytest.approx(45.0)
    assert np.diff(top.azimuth_range_deg) == pytest.approx(90.0)
    assert len(average.nodes) < 0.6 * len(top.nodes)
    assert average.facts["termination"] == "average"


def test_a_quarter_turn_of_the_tilt_turns_the_average_alone(tables):
    """I(W G, W q) = I(G, q) for the 4_2 axis holds for the mean, not for the slab."""
    top, _, average = tables
    turned = [np.rot90(_pattern(table, (-0.7, 2.1)), 1) for table in (top, average)]
    assert _error(turned[1], _pattern(average)) < 2e-4
    assert _error(turned[0], _pattern(top)) > 1e-3


def test_bookkeeping_is_averaged_too(rutile, tables):
    """Direction by direction: absorbed and lost fractions are means over the slabs."""
    average, engine = tables[2], [PlaneWaveEngine(slab) for slab in termination_slices(rutile, "average")]
    q = average.nodes[5:8] @ average.pitch_mrad / engine[0].mrad_per_inverse_a
    periods = round(10 * average.plane_spacing_nm / rutile.period_a)
    runs = [each.run(q, beams=np.zeros((1, 2), dtype=int), planes=3, periods_per_plane=periods) for each in engine]
    for name in ("absorbed", "lost"):
        expected = np.mean([getattr(run, name) for run in runs], axis=0)
        np.testing.assert_allclose(getattr(average, name)[:4, 5:8], expected, rtol=1e-3, atol=2e-6)


def test_a_three_fold_screw_turns_the_right_way(tmp_path):
    """A 3_1 helix: three slabs a third of a period apart; a wrong sense of the screw would take another slab."""
    cell = np.array([[4.4, 0, 0], [-2.2, 2.2 * np.sqrt(3), 0], [0, 0, 6.0]])
    turn = np.array([[0, -1], [1, -1]])
    start = np.array([0.31, 0.08])
    places = [np.linalg.matrix_power(turn, n) @ start for n in range(3)]
    other = [np.linalg.matrix_power(turn, n) @ [0.12, -0.27] for n in range(3)]
    fractional = np.array(
        [[*p, n / 3] for n, p in enumerate(places)] + [[*p, n / 3 + 0.1] for n, p in enumerate(other)]
    )
    helix = Crystal(
        cell, ["Sr"] * 3 + ["O"] * 3, fractional @ cell, np.ones(6), np.array([0.006 * np.eye(3)] * 6), "SrO", "helix"
    )
    slices = _verified(orient(helix, (0, 0, 1)), energy_ev=80e3, grid=(40, 40), slices=6, thermal_model="debye_waller")
    assert len(slices.group) == 1
    assert sorted(np.round(slices.termination_lifts, 4)) == [-0.3333, 0.0, 0.3333]
    assert len(_table(slices, "average", tmp_path).group) == 3
    slabs = termination_slices(slices, "average")
    # One by one: the slab that starts at minus the lift is the slab itself, turned.
    engine = [PlaneWaveEngine(slab) for slab in slabs]
    q, beams = np.array([[0.11, 0.23]]), np.array([[1, 0], [0, 1], [1, 1], [2, -1]])
    run = {"planes": 1, "periods_per_plane": 20}
    for slab, matrix in zip(engine[1:], slices.terminations[1:], strict=True):
        dual = np.round(np.linalg.inv(matrix).T).astype(int)
        turned = np.linalg.solve(slices.reciprocal.T, q.T).T @ dual.T @ slices.reciprocal
        straight = engine[0].run(turned, beams=beams @ dual.T, **run).intensity[1]
        np.testing.assert_allclose(slab.run(q, beams=beams, **run).intensity[1], straight, rtol=1e-3)
        assert not np.allclose(engine[0].run(q, beams=beams, **run).intensity[1], straight, rtol=0.05)


def test_the_referee_averages_its_scans(tables, folder, tmp_path):
    """Accepted against the mean of two scans; against one slab alone the same table is further off."""
    average = folder / "average"
    settings = RefereeSettings(
        cells=2, patterns=1, max_thickness_nm=12.0, full_thickness=False, seed=3, tolerance=2e-3,
        thickness_max_nm=12.0, alpha_max_mrad=10.0, tau_max_mrad=3.0,
    )  # fmt: skip
    referee_simulation(average / "structure", average / "rocking", settings, tmp_path / "r.json", tmp_path / "r.png")
    found = json.loads((tmp_path / "r.json").read_text())
    mislabelled = replace(tables[2], facts={**tables[2].facts, "termination": "top"})
    mislabelled.save(tmp_path / "mislabelled")
    referee_simulation(
        average / "structure", tmp_path / "mislabelled", settings, tmp_path / "one.json", tmp_path / "one.png"
    )
    one = json.loads((tmp_path / "one.json").read_text())
    assert found["worst_relative_l2"] < 1e-3
    assert one["worst_relative_l2"] > 1.5 * found["worst_relative_l2"]
