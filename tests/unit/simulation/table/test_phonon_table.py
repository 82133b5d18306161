"""Rocking tables of frozen phonons: from blocks to patterns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.slicing import slice_potentials
from pacbed.errors import SimulationError
from pacbed.patterns import Geometry
from pacbed.simulation.checks.phonon_patterns import PhononNumerics, phonon_patterns
from pacbed.simulation.multislice.aperture import sample_aperture
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

ROOT = Path(__file__).parents[4]
PHONONS = {"cells": 2, "configurations": 1, "pool": 8, "seed": 3}
OPTIONS = {
    "thickness_max_nm": 4.0,
    "cone_mrad": 11.0,
    "field_mrad": 24.0,
    "direction_pitch_mrad": 0.9,
    "propagator": "exact",
    "batch": 8,
}
ALPHA, TILT, FRAME = 9.0, (1.0, 0.4), Geometry.field_of_view(40, 14.0)


@pytest.fixture(scope="module")
def structure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("structure")
    oriented = orient(read_cif(ROOT / "structures" / "srtio3.cif"), (0, 0, 1))
    slices = slice_potentials(
        oriented, zone_axis=(0, 0, 1), energy_ev=200e3, grid=(32, 32), slices=2, thermal_model="frozen_phonons"
    )
    slices.save(folder)
    return folder


def _table(structure, folder, blocks, **changes) -> RockingTable:
    options = {**OPTIONS, "phonons": PHONONS, **changes}
    names = [folder / f"{blocks}_{block}" for block in range(blocks)]
    for block, name in enumerate(names):
        simulate_rocking_block(structure, TableSettings.of(options), block=block, blocks=blocks, out_dir=name)
    gather_rocking_table(names, folder / f"table_{blocks}")
    return RockingTable.load(folder / f"table_{blocks}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def table(structure, folder):
    return _table(structure, folder, 1)


def _render(table: RockingTable, **changes) -> np.ndarray:
    options = {"thickness_nm": 3.9, "convergence_mrad": ALPHA, "mistilt_mrad": TILT, "geometry": FRAME, **changes}
    return Renderer(table).render(**options)


def test_a_table_does_not_depend_on_the_number_of_blocks(structure, folder, table) -> None:
    other = _table(structure, folder, 3)
    np.testing.assert_array_equal(other.codes, table.codes)
    np.testing.assert_array_equal(other.diffuse, table.diffuse)
    assert np.count_nonzero(table.diffuse) > 0.9 * np.count_nonzero(table.codes)


def test_a_pattern_is_elastic_and_diffuse(table) -> None:
    whole, elastic = _render(table), _render(table.elastic)
    diffuse = (whole - elastic).astype(float)
    assert table.elastic.diffuse is None
    assert 0.002 < diffuse.sum() < 0.03
    assert diffuse.min() > -1e-3 * diffuse.max()
    # Nothing sharp: the rim of a disk is a step in the elastic pattern alone.
    steps = [np.abs(np.diff(image, axis=1)).max() / image.max() for image in (diffuse, elastic)]
    assert steps[0] < 0.15 < steps[1]


def test_the_diffuse_part_is_that_of_directly_computed_patterns(structure, table) -> None:
    """Other directions, other atoms, bins of the diffuse part on their own pixels: the same amount in the field."""
    slices = SlicePotentials.load(structure)
    aperture = sample_aperture(slices, alpha_mrad=ALPHA, mistilt_mrad=TILT, field_mrad=14.0, directions=60, cells=2)
    numerics = PhononNumerics(cells=2, configurations=2, pool=8, seed=9)
    patterns = phonon_patterns(slices, aperture, numerics, planes=[1], periods_per_plane=10)
    inside = np.hypot(*FRAME.angles_mrad()) <= 14.0
    whole, elastic = (
        _render(one, thickness_nm=float(patterns.thickness_nm[0]))[inside].sum() for one in (table, table.elastic)
    )
    assert elastic == pytest.approx(patterns.elastic[0].sum(), rel=0.03)
    assert whole - elastic == pytest.approx(patterns.total[0].sum() - patterns.elastic[0].sum(), rel=0.1)


def test_a_series_is_its_patterns(table) -> None:
    depths = [1.2, 3.9]
    series = Renderer(table).render_series(depths, convergence_mrad=ALPHA, mistilt_mrad=TILT, geometry=FRAME)
    for depth, image in zip(depths, series, strict=True):
        np.testing.assert_allclose(image, _render(table, thickness_nm=depth), rtol=1e-3, atol=1e-3 * image.max())


def test_other_seeds_move_the_atoms_and_not_the_elastic_part(structure, tmp_path, table) -> None:
    other = _table(structure, tmp_path, 1, phonons={**PHONONS, "seed": 4})
    np.testing.assert_allclose(_render(other.elastic), _render(table.elastic), rtol=1e-3, atol=1e-7)
    assert np.any(other.diffuse != table.diffuse)


def test_displaced_atoms_must_be_described(structure, tmp_path) -> None:
    with pytest.raises(SimulationError, match="phonons: got none"):
        simulate_rocking_block(structure, TableSettings(**OPTIONS), block=0, blocks=1, out_dir=tmp_path / "block")
    assert not list(tmp_path.iterdir())
