"""The whole picture: it is there with all that belongs to it, or not at all."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from pacbed.crystal.cif import read_structure
from pacbed.crystal.drawing.appearance import element_colours
from pacbed.crystal.drawing.crystal_picture import AlongBeam, draw_crystal, space_group_label, subscripts
from pacbed.crystal.orientation import lattice_vectors, orient

DATA = Path(__file__).parents[1] / "data"


def along(crystal, axis):
    return AlongBeam(axis, orient(crystal, axis), lattice_vectors(crystal, axis))


@pytest.mark.parametrize(("name", "axis"), [("material_lsmo", (1, 1, 0)), ("material_hfo2", (1, 2, 3))])
def test_every_element_is_there_in_its_colour(tmp_path, name, axis):
    read = read_structure(DATA / f"{name}.cif")
    draw_crystal(tmp_path / "cell.png", read.crystal, read.space_group)
    draw_crystal(tmp_path / "both.png", read.crystal, read.space_group, along(read.crystal, axis))
    cell, both = (matplotlib.image.imread(tmp_path / f"{kind}.png")[..., :3] for kind in ("cell", "both"))
    assert both.shape[1] > 1.5 * cell.shape[1], "the projection stands beside the cell"
    for colour in element_colours(read.crystal.symbols).values():
        for image in (cell, both[:, cell.shape[1] :]):
            assert np.sum(np.abs(image - to_rgb(colour)).max(axis=-1) < 0.01) > 200
    assert sorted(path.name for path in tmp_path.iterdir()) == ["both.png", "cell.png"]


def test_vectors_of_the_picture_are_those_of_the_cell():
    """Lengths and angles of the oriented cell follow from its indices, centring included."""
    crystal = read_structure(DATA / "material_lsmo.cif").crystal
    found = along(crystal, (1, 1, 0))
    vectors = found.vectors @ crystal.cell
    np.testing.assert_allclose(vectors @ vectors.T, found.oriented.cell @ found.oriented.cell.T, atol=1e-6)
    np.testing.assert_allclose(np.cross(found.vectors[2], (1, 1, 0)), 0, atol=1e-9)


def test_a_format_that_is_none_leaves_nothing_behind(tmp_path):
    read = read_structure(DATA / "material_gan.cif")
    with pytest.raises(ValueError, match="nonsense"):
        draw_crystal(tmp_path / "cell.nonsense", read.crystal, read.space_group)
    assert list(tmp_path.iterdir()) == []


def test_formulas_and_symbols_are_set_as_in_print():
    assert subscripts("La0.7Sr0.3MnO3") == "La$_{0.7}$Sr$_{0.3}$MnO$_{3}$"
    assert space_group_label("P 63/m m c") == r"$P\,6_{3}/m\,m\,c$"
    assert space_group_label("F d -3 m:2") == r"$F\,d\,\bar{3}\,m$"
    assert space_group_label("R -3 c:H") == r"$R\,\bar{3}\,c$"
    assert space_group_label("the operations of the file") == "the operations of the file"
