"""The picture of an oriented cell."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.crystal.picture import draw_structure
from pacbed.crystal.slicing import slice_potentials

STRUCTURES = Path(__file__).parents[3] / "structures"


@pytest.mark.parametrize(("name", "axis"), [("srtio3", (0, 0, 1)), ("srtio3", (1, 2, 3))])
def test_potential_and_atoms_are_drawn(tmp_path, name, axis):
    """Also where slices are sheared; the darkest and the brightest of the potential's colours are there."""
    oriented = orient(read_cif(STRUCTURES / f"{name}.cif"), axis)
    slices = slice_potentials(oriented, zone_axis=axis, energy_ev=200e3, grid=(20, 20), slices=2)
    draw_structure(oriented, slices, tmp_path / "structure.png")
    image = matplotlib.image.imread(tmp_path / "structure.png")[..., :3]
    assert image.shape[1] > 1.5 * image.shape[0] > 600
    for colour in ((0.0, 0.0, 0.02), (0.987, 0.991, 0.75)):  # both ends of the colour map "magma"
        assert np.abs(image - colour).max(axis=-1).min() < 0.03
