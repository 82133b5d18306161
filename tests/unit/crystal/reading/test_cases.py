"""Small files with one trouble each: the right crystal, or a refusal that names the trouble.

`data/right.json` says for each what it holds, and either content and displacement of its sites, or words of the error.
Files of whole materials lie in the room above, whose tests take them along all zone axes.
"""

from __future__ import annotations

import json
from pathlib import Path

import gemmi
import numpy as np
import pytest

from pacbed.crystal.cif import read_structure
from pacbed.errors import StructureError

DATA = Path(__file__).parent / "data"
MATERIALS = Path(__file__).parents[1] / "data"
FILES = {path.name: path for folder in (MATERIALS, DATA) for path in folder.glob("*.cif")}
RIGHT = json.loads((DATA / "right.json").read_text(encoding="utf-8"))
READ = {name: right for name, right in RIGHT.items() if "refused" not in right}
REFUSED = {name: right["refused"] for name, right in RIGHT.items() if "refused" in right}


def test_every_file_has_its_right():
    assert FILES.keys() == RIGHT.keys()


@pytest.mark.parametrize("name", READ)
def test_files_that_are_read(name):
    right, found = READ[name], read_structure(FILES[name])
    assert found.crystal.formula == right["formula"]
    assert len(found.crystal.symbols) == right["atoms"]
    assert found.space_group == right["space_group"]
    assert [site.occupancy for site in found.sites] == right["occupancies"]
    np.testing.assert_allclose([100 * site.u_iso_nm2 for site in found.sites], right["u_iso_a2"], atol=2e-6)
    assert sum(site.multiplicity for site in found.sites) == right["atoms"]


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_refused(name):
    with pytest.raises(StructureError) as caught:
        read_structure(FILES[name])
    message = str(caught.value)
    assert REFUSED[name] in message
    assert name in message
    assert "accepted: " in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["k1_geo2_0.6667.cif", "k2_mos2_0.3333.cif", "e5b_third_4.cif", "e5_third_3.cif"])
def test_rounded_files_have_the_symmetry_that_they_list(name):
    """Every atom has a partner of its element where an operation of the file puts it, to 1e-6 Å."""
    found = read_structure(FILES[name])
    crystal = found.crystal
    for op in gemmi.find_spacegroup_by_name(found.space_group).operations():
        for symbol, atom in zip(crystal.symbols, crystal.fractional, strict=True):
            difference = crystal.fractional - op.apply_to_xyz(atom.tolist())
            distance = np.linalg.norm((difference - np.round(difference)) @ crystal.cell, axis=1)
            assert crystal.symbols[int(distance.argmin())] == symbol
            assert distance.min() < 1e-6
