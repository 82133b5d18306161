"""Vibrating atoms of a supercell: displacements, scattering, and the crystal they must be of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.scattering.form_factors import projected_coefficient
from pacbed.crystal.slicing import slice_potentials
from pacbed.crystal.vibration import vibrating_atoms
from pacbed.errors import StructureError

CELL = np.array([[4.2, 0, 0], [-1.3, 3.9, 0], [0, 0, 3.9]])
FRACTIONAL = np.array([[0.05, 0.1, 0.0], [0.55, 0.35, 0.5], [0.2, 0.75, 0.98]])
TENSORS = np.array([
    [[0.012, 0.004, 0.001], [0.004, 0.007, 0.0], [0.001, 0.0, 0.008]], np.diag([0.01, 0.0, 0.01]), np.zeros((3, 3)),
])  # fmt: skip


@pytest.fixture(scope="module")
def crystal() -> Crystal:
    return Crystal(
        CELL, ["Ti", "Sr", "Ti"], FRACTIONAL @ CELL, np.array([1.0, 0.8, 0.5]), TENSORS, "SrTi2", "no such file.cif"
    )


@pytest.fixture(scope="module")
def slices(crystal):
    return slice_potentials(
        crystal, zone_axis=(0, 0, 1), energy_ev=200e3, grid=(12, 10), slices=2, thermal_model="frozen_phonons"
    )


def test_atoms_lie_in_their_slices(slices, crystal):
    """The nearest plane; an atom just below the next period belongs to its first slice."""
    atoms = vibrating_atoms(slices, cells=3, crystal=crystal)
    assert atoms.cells == 3
    assert atoms.level.tolist() == [0, 1, 0]
    np.testing.assert_allclose(atoms.fractional, FRACTIONAL[:, :2])
    assert atoms.occupancy.tolist() == [1.0, 0.8, 0.5]
    assert atoms.species.tolist() == [1, 0, 1]


def test_roots_are_those_of_the_tensors_in_the_plane(slices, crystal):
    root = vibrating_atoms(slices, cells=2, crystal=crystal).root
    np.testing.assert_allclose(root @ root, TENSORS[:, :2, :2], atol=1e-12)
    np.testing.assert_allclose(root, root.transpose(0, 2, 1))


@pytest.mark.parametrize(("cells", "oversampling"), [(1, 2), (3, 1)])
def test_scattering_lies_on_the_frequencies_of_the_supercell(slices, crystal, cells, oversampling):
    found = vibrating_atoms(slices, cells=cells, oversampling=oversampling, crystal=crystal).coefficient
    shape = (oversampling * cells * 12, oversampling * cells * 10)
    assert found.shape == (2, *shape)
    for x, y in ((0, 0), (1, 0), (2, 3), (shape[0] - 1, 4), (shape[0] - 3, shape[1] - 2)):
        index = [value - points if value > points / 2 else value for value, points in zip((x, y), shape, strict=True)]
        length = np.linalg.norm(np.array(index) @ np.linalg.inv(CELL[:2, :2]).T / cells)
        for species, symbol in enumerate(("Sr", "Ti")):
            expected = projected_coefficient(symbol, np.array([length]), "lobato")[0]
            assert found[species, x, y] == pytest.approx(expected, rel=1e-5)
    assert not found[:, shape[0] // 2].any()  # unpaired Nyquist frequencies
    assert not found[:, :, shape[1] // 2].any()


def test_another_crystal_is_refused(slices, crystal):
    with pytest.raises(StructureError, match="its cell is not that of the slices"):
        vibrating_atoms(slices, cells=2, crystal=replace(crystal, cell=CELL * 1.01))


def test_the_file_must_still_be_there(slices):
    with pytest.raises(StructureError, match=r"cif: got '.*no such file\.cif'"):
        vibrating_atoms(slices, cells=2)
