"""Re-basing: lengths, handedness, content, beam group."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.beam_group import beam_group
from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.errors import StructureError

STRUCTURES = Path(__file__).parents[3] / "structures"
CASES = [
    ("srtio3", (0, 0, 1), 8),
    ("srtio3", (1, 1, 0), 4),
    ("srtio3", (1, 1, 1), 6),
    ("rutile", (0, 0, 1), 4),
    ("rutile", (1, 1, 0), 4),
    ("beryl", (0, 0, 1), 6),
]


@pytest.mark.parametrize(("name", "axis", "order"), CASES)
def test_cell_content_and_group(name, axis, order):
    crystal = read_cif(STRUCTURES / f"{name}.cif")
    oriented = orient(crystal, axis)
    assert np.linalg.det(oriented.cell) > 0
    np.testing.assert_allclose(oriented.cell[2, :2], 0, atol=1e-9)
    np.testing.assert_allclose(oriented.cell[:2, 2], 0, atol=1e-9)
    assert oriented.cell[0, 1] == pytest.approx(0, abs=1e-9)
    density = len(crystal.symbols) / crystal.volume_a3
    assert len(oriented.symbols) / oriented.volume_a3 == pytest.approx(density)
    assert len(beam_group(oriented)) == order


def test_beam_travels_against_the_zone_axis():
    """A crystal with an arrow: heavy atom below light atom along +c; the beam along -c meets the light one first."""
    arrow = Crystal(
        cell=np.diag([4.0, 5.0, 6.0]),
        symbols=["C", "Au"],
        positions=np.array([[0.5, 0.7, 3.0], [0.5, 0.7, 1.0]]),
        occupancy=np.ones(2),
        displacement=np.zeros((2, 3, 3)),
        formula="CAu",
        source="test",
    )
    oriented = orient(arrow, (0, 0, 1))
    carbon, gold = (oriented.positions[oriented.symbols.index(symbol)] for symbol in ("C", "Au"))
    assert (gold - carbon)[2] == pytest.approx(2.0)
    # +x along a, z along -c, hence +y along -b: a right-handed frame.
    np.testing.assert_allclose(carbon[:2], [0.5, 5.0 - 0.7], atol=1e-4)


@pytest.mark.parametrize("axis", [(0, 0, 0), (0.5, 0, 1), (1, 0)])
def test_bad_zone_axis(axis):
    with pytest.raises(StructureError, match="zone_axis: got"):
        orient(read_cif(STRUCTURES / "srtio3.cif"), axis)
