"""Re-basing turns a crystal and does nothing else to it: bonds, vibrations along them, beam direction, handedness."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient, orientations

STRUCTURES, DATA = Path(__file__).parents[3] / "structures", Path(__file__).parent / "data"
CRYSTALS = [
    *("rutile", "beryl", "material_gan", "material_hfo2", "material_dysco3", "material_linbo3"),
    *("material_quartz_left", "material_quartz_right", "material_lsmo", "material_bi_rhombohedral"),
]
AXES = [(0, 0, 1), (0, 0, -1), (1, 0, 0), (1, 1, 0), (1, 1, 1), (2, -1, 0), (1, 2, -1), (1, 1, 3)]
BOND_A = 3.8


def load(name: str) -> Crystal:
    folder = DATA if name.startswith("material") else STRUCTURES
    return read_cif(folder / f"{name}.cif")


def bonds(crystal: Crystal, atom: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of an atom within `BOND_A`, by brute force: vectors, shape (bond, 3) [Å], numbers, shape (bond,)."""
    reach = [int(np.ceil(BOND_A * length)) + 1 for length in np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)]
    shifts = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    offsets = crystal.fractional - crystal.fractional[atom]
    vectors = ((offsets - np.round(offsets))[:, None] + shifts) @ crystal.cell
    length = np.linalg.norm(vectors, axis=-1)
    number, shift = np.nonzero((length > 0.1) & (length < BOND_A))
    return vectors[number, shift], number


def environments(crystal: Crystal, beam: np.ndarray) -> dict[str, np.ndarray]:
    """Of each element, one row an atom: what a turn of crystal and beam together does not change.

    Number of bonds, and sums over them of powers of their length, of their height along the beam, of the mean-square
    displacement of both ends along them, and of occupancies; mean-square displacement along the beam; and the volume
    that three weighted sums of the bonds span, which a mirror turns round.
    """
    rows: dict[str, list[np.ndarray]] = {}
    for atom, symbol in enumerate(crystal.symbols):
        vectors, number = bonds(crystal, atom)
        length = np.linalg.norm(vectors, axis=1)
        unit, height = vectors / length[:, None], vectors @ beam
        near, far = (
            np.einsum("ni,nij,nj->n", unit, np.broadcast_to(tensor, (len(unit), 3, 3)), unit)
            for tensor in (crystal.displacement[atom], crystal.displacement[number])
        )
        moments = [(vectors * (length[:, None] / 2) ** power).sum(axis=0) for power in (-4, 0, 2)]
        weight = crystal.occupancy[number]
        rows.setdefault(symbol, []).append(np.array([
            len(length), weight.sum(), (weight * length).sum(), (length**2).sum(), height.sum(), (height**3).sum(),
            1e3 * (near * length).sum(), 1e3 * (far * length).sum(), 1e3 * (far * height).sum(),
            1e3 * beam @ crystal.displacement[atom] @ beam, np.linalg.det(moments),
        ]))  # fmt: skip
    return {symbol: np.array(found) for symbol, found in rows.items()}


def same_multiset(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether rows of both are the same in equal shares; `first` and `second` have shapes (n, 11) and (m, 11)."""
    mix = np.random.default_rng(0).normal(size=(first.shape[1], 20))
    one, other = (np.sort(rows @ mix, axis=0) for rows in (first, second))
    return np.allclose(np.repeat(one, len(other), axis=0), np.repeat(other, len(one), axis=0), atol=2e-3)


@pytest.mark.parametrize("name", CRYSTALS)
def test_bonds_and_vibrations_are_those_of_the_published_cell(name):
    crystal = load(name)
    for axis, oriented in zip(AXES, orientations(crystal, AXES), strict=True):
        beam = -(axis @ crystal.cell) / np.linalg.norm(axis @ crystal.cell)
        expected = environments(crystal, beam)
        found = environments(oriented, np.array([0.0, 0.0, 1.0]))
        assert found.keys() == expected.keys()
        for symbol, rows in expected.items():
            assert same_multiset(rows, found[symbol]), f"{symbol} along {axis}"


def handedness(crystal: Crystal) -> float:
    """A pseudo-scalar of the oxygen atoms: it changes its sign in a mirror."""
    return float(environments(crystal, np.array([0.0, 0.0, 1.0]))["O"][:, -1].mean())


@pytest.mark.parametrize("axis", AXES)
def test_left_and_right_quartz_stay_what_they_are(axis):
    left, right = (load(f"material_quartz_{side}") for side in ("left", "right"))
    assert handedness(left) == pytest.approx(-handedness(right), rel=0.05)
    assert abs(handedness(left)) > 1
    for crystal in (left, right):
        assert handedness(orient(crystal, axis)) == pytest.approx(handedness(crystal), rel=1e-3)


def test_the_comparison_sees_a_mirror_and_a_wrong_beam():
    """What the tests above compare does change where it should."""
    beam = np.array([0.0, 0.0, 1.0])
    quartz = environments(load("material_quartz_left"), beam)
    assert not same_multiset(quartz["O"], environments(load("material_quartz_right"), beam)["O"])
    gan = load("material_gan")
    assert not same_multiset(environments(gan, beam)["Ga"], environments(gan, -beam)["Ga"])
    rutile = load("rutile")
    assert not same_multiset(environments(rutile, beam)["O"], environments(rutile, beam[[2, 1, 0]])["O"])
