"""A structure as read: what is told of it, and how fast and light the reading is."""

from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pytest

from pacbed.crystal.cif import ReadSite, read_cif, read_structure

LSMO = (
    "La1 La 0 0 0.25 0.7 0.0068",
    "Sr1 Sr 0 0 0.25 0.3 0.0068",
    "Mn1 Mn 0 0 0 1 0.0038",
    "O1 O 0.458 0 0.25 1 0.0105",
)


def test_what_is_told_of_a_structure(made):
    found = read_structure(made(cell="5.506 5.506 13.356 90 90 120", symbol="R -3 c :H", rows=LSMO))
    assert found.space_group == "R -3 c:H"
    assert found.crystal.formula == "La0.7Sr0.3MnO3"
    assert [site.multiplicity for site in found.sites] == [6, 6, 6, 18]
    assert found.sites[0] == ReadSite("La1", "La", 0.7, 6, (0.0, 0.0, 0.25), pytest.approx(6.8e-5))
    assert found.notes == ()
    assert len(found.crystal.symbols) == 36


def test_the_crystal_is_the_one_that_read_cif_gives(made):
    path = made(symbol="P m -3 m")
    crystal, other = read_cif(path), read_structure(path).crystal
    np.testing.assert_array_equal(crystal.positions, other.positions)
    assert crystal.source == str(path)


def test_notes_are_logged(made, caplog):
    path = made(rows=("Cs1 Cs 0 0 0 1 0.02", "Na9 Na 0.5 0 0 0 0.02"))
    with caplog.at_level(logging.INFO, logger="pacbed"):
        read_cif(path)
    assert caplog.messages == [f"{path}: site Na9 has occupancy 0 and is left out"]
    assert caplog.records[0].levelname == "INFO"  # many jobs of a run read one file


@pytest.mark.parametrize("share", ["0.3", "0.5"])
def test_compositions_have_names_of_their_own(made, share):
    rest = f"{1 - float(share):g}"
    rows = (f"La1 La 0 0 0 {rest} .008", f"Sr1 Sr 0 0 0 {share} .008", "Mn1 Mn .5 .5 .5 1 .005", "O1 O .5 .5 0 1 .01")
    crystal = read_cif(made(cell="3.88 3.88 3.88 90 90 90", symbol="P m -3 m", rows=rows))
    assert crystal.formula == f"La{rest}Sr{share}MnO3"


def test_a_crystal_in_p1_and_by_symmetry(made):
    """Magnetite, from its three sites and from all 56 atoms."""
    rows = (
        "Fe1 Fe3+ .125 .125 .125 1 .006",
        "Fe2 Fe2+ .5 .5 .5 .5 .007",
        "Fe3 Fe3+ .5 .5 .5 .5 .007",
        "O1 O2- .2549 .2549 .2549 1 .007",
    )
    cell = "8.394 8.394 8.394 90 90 90"
    crystal = read_cif(made(cell=cell, symbol="F d -3 m Z", rows=rows))
    assert crystal.formula == "Fe3O4"
    table = zip(crystal.symbols, crystal.fractional, crystal.occupancy, strict=True)
    every = [
        f"{symbol}{number} {symbol} {x:.6f} {y:.6f} {z:.6f} {occupancy} {0.007 if symbol == 'O' else 0.006}"
        for number, (symbol, (x, y, z), occupancy) in enumerate(table)
    ]
    again = read_cif(made(cell=cell, rows=every))
    assert again.formula == "Fe3O4"
    np.testing.assert_allclose(again.positions, crystal.positions, atol=1e-5)


def test_only_light_modules_are_imported():
    """A dry run of the workflow reads the CIF of every system."""
    heavy = ("ase", "scipy", "spglib", "numba", "zarr", "abtem", "matplotlib", "pandas")
    code = f"import sys, pacbed.crystal.cif; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
