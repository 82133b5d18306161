"""The shipped CIF files: composition, density, distances, and displacement tensors that their symmetry allows."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase.io.cif import parse_cif
from ase.neighborlist import neighbor_list

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif

FOLDER = Path(__file__).parents[2] / "structures"
DALTON = 1.66053907  # g/cm^3 per Da/Å^3

# Cell content; X-ray density [g/cm^3] and bond lengths [Å] as the cited or other refinements state them.
EXPECTED = {
    "srtio3": ({"Sr": 1, "Ti": 1, "O": 3}, 5.116, {("Ti", "O"): (1.953, 6), ("Sr", "O"): (2.761, 12)}),
    "rutile": ({"Ti": 2, "O": 4}, 4.249, {("Ti", "O"): (1.959, 6)}),  # 4 x 1.9485, 2 x 1.9800
    "anatase": ({"Ti": 4, "O": 8}, 3.893, {("Ti", "O"): (1.949, 6)}),  # 4 x 1.934, 2 x 1.980
    "beryl": (
        {"Be": 6, "Al": 4, "Si": 12, "O": 36},
        2.641,
        {("Si", "O"): (1.61, 4), ("Al", "O"): (1.905, 6), ("Be", "O"): (1.655, 4)},
    ),
}


@pytest.fixture(scope="module", params=EXPECTED)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def crystal(name: str) -> Crystal:
    return read_cif(FOLDER / f"{name}.cif")


def test_cell_content_is_the_formula(name: str, crystal: Crystal) -> None:
    assert Counter(crystal.symbols) == EXPECTED[name][0]
    assert np.all(crystal.occupancy == 1)


def test_density(name: str, crystal: Crystal) -> None:
    density = crystal.to_atoms().get_masses().sum() / crystal.volume_a3 * DALTON
    assert density == pytest.approx(EXPECTED[name][1], abs=2e-3)


def test_coordination_and_mean_bond_length(name: str, crystal: Crystal) -> None:
    atoms = crystal.to_atoms()
    first, second, distance = neighbor_list("ijd", atoms, 3.0)
    symbols = np.array(crystal.symbols)
    for (centre, ligand), (mean, number) in EXPECTED[name][2].items():
        for atom in np.flatnonzero(symbols == centre):
            found = np.sort(distance[(first == atom) & (symbols[second] == ligand)])[:number]
            assert found.size == number
            assert found.mean() == pytest.approx(mean, abs=6e-3)
            assert found[-1] - found[0] < 0.06  # one coordination shell


def test_no_two_atoms_are_closer_than_a_bond(crystal: Crystal) -> None:
    assert neighbor_list("d", crystal.to_atoms(), 1.55).size == 0


def _operations(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rotations and translations in fractional coordinates, read here independently of the package."""
    with (FOLDER / f"{name}.cif").open("rb") as stream:
        (block,) = parse_cif(stream)
    found = []
    for text in block["_space_group_symop_operation_xyz"]:
        rotation, translation = np.zeros((3, 3)), np.zeros(3)
        for row, part in enumerate(text.split(",")):
            for sign, axis in re.findall(r"([+-]?)([xyz])", part):
                rotation[row, "xyz".index(axis)] = -1 if sign == "-" else 1
            for sign, top, bottom in re.findall(r"([+-]?)(\d)/(\d)", part):
                translation[row] = (-1 if sign == "-" else 1) * int(top) / int(bottom)
        found.append((rotation, translation))
    return found


@pytest.mark.parametrize(("name", "order"), [("srtio3", 48), ("rutile", 16), ("anatase", 32), ("beryl", 24)])
def test_symmetry_operations_form_a_closed_group(name: str, order: int) -> None:
    def key(rotation: np.ndarray, translation: np.ndarray) -> tuple:
        return (*rotation.astype(int).ravel(), *np.round(translation * 12).astype(int) % 12)

    operations = _operations(name)
    keys = {key(*operation) for operation in operations}
    assert len(keys) == len(operations) == order
    assert {key(a @ c, a @ d + b) for a, b in operations for c, d in operations} == keys


def test_displacement_tensors_obey_the_site_symmetry(name: str, crystal: Crystal) -> None:
    """Every operation carries each atom onto one of the same element, and its tensor onto that atom's tensor."""
    fractional, cell = crystal.fractional, crystal.cell
    for rotation, translation in _operations(name):
        cartesian = cell.T @ rotation @ np.linalg.inv(cell.T)
        np.testing.assert_allclose(cartesian @ cartesian.T, np.eye(3), atol=1e-9)
        for atom, position in enumerate(fractional):
            shift = fractional - (rotation @ position + translation)
            shift -= np.round(shift)
            image = int(np.argmin(np.linalg.norm(shift, axis=1)))
            assert np.linalg.norm(shift[image] @ cell) < 1e-4
            assert crystal.symbols[image] == crystal.symbols[atom]
            turned = cartesian @ crystal.displacement[atom] @ cartesian.T
            np.testing.assert_allclose(turned, crystal.displacement[image], atol=1e-7)


def test_displacements_are_physical(crystal: Crystal) -> None:
    """Positive, and between 0.04 and 0.14 Å rms along every axis, as oxides show at room temperature."""
    rms = np.sqrt(np.linalg.eigvalsh(crystal.displacement))
    assert rms.min() > 0.04
    assert rms.max() < 0.14


@pytest.mark.parametrize("name", ["srtio3", "rutile", "anatase"])  # one kind of each element
def test_isotropic_equivalents_match_the_tensors(name: str) -> None:
    crystal = read_cif(FOLDER / f"{name}.cif")
    with (FOLDER / f"{name}.cif").open("rb") as stream:
        (block,) = parse_cif(stream)
    stated = dict(zip(block["_atom_site_type_symbol"], block["_atom_site_u_iso_or_equiv"], strict=True))
    for symbol, tensor in zip(crystal.symbols, crystal.displacement, strict=True):
        assert np.trace(tensor) / 3 == pytest.approx(float(stated[symbol]), abs=1e-5)


def test_every_file_cites_its_source(name: str) -> None:
    text = (FOLDER / f"{name}.cif").read_text(encoding="utf-8")
    assert text.startswith("#")
    assert "_citation_journal_full" in text
    assert "_publ_author_name" in text
    assert text.isascii()  # the CIF standard
