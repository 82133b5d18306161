"""Sites and columns of known crystals, and their images in a field."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.drawing.columns import columns_of, laid_out, sites_of
from pacbed.crystal.orientation import orient

ROOT = Path(__file__).parents[4]
DATA = ROOT / "tests" / "unit" / "crystal" / "data"


def test_a_mixed_site_is_one_place_the_larger_share_first():
    crystal = read_cif(DATA / "material_lsmo.cif")
    sites = sites_of(crystal)
    assert len(crystal.symbols) == 36
    assert len(sites) == 30
    assert {site.composition for site in sites} == {(("La", 0.7), ("Sr", 0.3)), (("Mn", 1.0),), (("O", 1.0),)}


def test_atoms_on_both_sides_of_a_face_share_a_place():
    """A mixed site whose two rows differ by rounding, one of them just below 1."""
    crystal = read_cif(DATA / "material_lsmo.cif")
    moved = crystal.positions - 1e-4 * crystal.cell[2] * (np.array(crystal.symbols) == "Sr")[:, None]
    shifted = replace(crystal, positions=moved - 0.25 * crystal.cell[2])
    assert len(sites_of(shifted)) == 30


def test_columns_of_strontium_titanate():
    """Along [001]: Sr alone, Ti with O, O alone twice."""
    oriented = orient(read_cif(ROOT / "structures" / "srtio3.cif"), (0, 0, 1))
    found = [{composition[0][0] for composition in column.compositions} for column in columns_of(sites_of(oriented))]
    assert sorted(map(sorted, found)) == [["O"], ["O"], ["O", "Ti"], ["Sr"]]


@pytest.mark.parametrize(("name", "axis"), [("material_gan", (1, 1, 0)), ("material_hfo2", (1, 2, 3))])
def test_a_field_holds_as_many_sites_as_its_area_says(name, axis):
    """Also where the cell is oblique and sheared: counts agree with the density of the cell, but for the rim."""
    oriented = orient(read_cif(DATA / f"{name}.cif"), axis)
    sites, edge = sites_of(oriented), 150.0
    images = laid_out(sites, oriented.cell, np.array([-40.0, -40.0]), np.array([edge - 40, edge - 40]))
    per_area = len(sites) / abs(np.linalg.det(oriented.cell[:2, :2]))
    assert len(images) == pytest.approx(per_area * edge**2, rel=0.03)
    plane = np.array([image.position[:2] for image in images])
    assert plane.min() > -40 and plane.max() < edge - 40
