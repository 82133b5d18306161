"""Atoms of one crystal are told apart by colour and size."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from pacbed.crystal.drawing.appearance import disc_radius_a, element_colours

MANY = ["Hf", "Zr", "Ti", "Nb", "Ta", "V", "Cr", "Mo", "W", "Re", "O", "N", "C"]


@pytest.mark.parametrize("symbols", [["Sr", "Ti", "O", "O"], ["Ga", "N"], ["Be", "Al", "Si", "O", "H"], MANY])
def test_no_two_elements_of_a_crystal_look_alike(symbols):
    colours = element_colours(symbols)
    assert set(colours) == set(symbols)
    rgb = np.array([to_rgb(colour) for colour in colours.values()])
    difference = np.abs(rgb[:, None] - rgb).max(axis=-1) + np.eye(len(rgb))
    assert difference.min() > 0.1


def test_oxygen_is_red_whatever_is_around_it_and_heavy_elements_come_first():
    assert element_colours(["O", "Si"])["O"] == element_colours(["La", "Sr", "Mn", "O"])["O"]
    assert list(element_colours(["O", "Mn", "La", "Sr"])) == ["La", "Sr", "Mn", "O"]


def test_larger_atoms_have_larger_discs():
    sizes = [disc_radius_a(symbol) for symbol in ("H", "O", "Ti", "Sr")]
    assert sizes == sorted(sizes)
    assert 0.2 < sizes[0] < sizes[-1] < 0.8
