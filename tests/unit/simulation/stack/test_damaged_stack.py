"""Tables and stacks that cannot be used: a clear error, and nothing left behind."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from pacbed.crystal.potentials import of_structure
from pacbed.errors import FormatError
from pacbed.simulation.stack.assemble import assemble_stack
from pacbed.simulation.stack.parameter_grid import ParameterGrid
from pacbed.simulation.stack.stored import of_stack, open_stack, read_series
from pacbed.simulation.table.rocking_table import of_table

GRID = ParameterGrid(
    thickness_nm=[2.0, 4.0],
    convergence_mrad=[11.0],
    mistilt_mrad=[0.0, 2.0],
    azimuth_deg=[0.0],
    azimuth_step_deg=30.0,
    pixels=32,
    max_angle_mrad=20.0,
)
STACK = {"asked": GRID, "validation_fraction": 0.5, "seed": 1}


@pytest.fixture
def stack_dir(tiny_table_dir, tmp_path):
    assemble_stack(tiny_table_dir, **STACK, out_dir=tmp_path / "stack")
    return tmp_path / "stack"


def test_a_damaged_table_makes_no_stack(tiny_table_dir, tmp_path, damage):
    table_dir = Path(shutil.copytree(tiny_table_dir, tmp_path / "table"))
    damage.to(table_dir)
    with pytest.raises(FormatError, match=damage.words):
        assemble_stack(table_dir, **STACK, out_dir=tmp_path / "stack")
    assert not list(tmp_path.glob("stack*"))


def test_a_damaged_stack_or_one_of_another_version_is_refused(stack_dir, damage):
    damage.to(stack_dir)
    with pytest.raises(FormatError, match=damage.words):
        open_stack(stack_dir)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.999])
def test_a_flipped_bit_among_the_patterns_is_found_and_the_stack_named(stack_dir, place):
    chunk = next(path for path in (stack_dir / "stack.zarr" / "pattern" / "c").rglob("*") if path.is_file())
    convergence, tilt = (int(part) for part in chunk.relative_to(stack_dir).parts[3:5])
    pattern = open_stack(stack_dir)["pattern"]
    assert read_series(pattern, convergence, tilt).shape == (2, 32, 32)
    content = bytearray(chunk.read_bytes())
    content[int(place * len(content))] ^= 0x10
    chunk.write_bytes(content)
    with pytest.raises(FormatError, match=rf"stack {re.escape(str(stack_dir))}: the series .* is damaged .*delete"):
        read_series(pattern, convergence, tilt)


def test_a_table_of_another_system_makes_no_stack(tiny_table_dir, tmp_path):
    structure = Path(shutil.copytree(tiny_table_dir.parent / "structure", tmp_path / "structure"))
    assemble_stack(tiny_table_dir, **STACK, structure_dir=structure, out_dir=tmp_path / "good")
    facts = json.loads((structure / "cell.json").read_text())
    (structure / "cell.json").write_text(json.dumps({**facts, "energy_ev": 80e3}))
    with pytest.raises(FormatError, match=r"table: got .*at 200 keV, accepted: that of the structure, .*at 80 keV"):
        assemble_stack(tiny_table_dir, **STACK, structure_dir=structure, out_dir=tmp_path / "stack")
    assert not list(tmp_path.glob("stack*"))


def test_structure_table_and_stack_tell_their_system(tiny_table_dir, stack_dir):
    expected = of_structure(tiny_table_dir.parent / "structure")
    assert expected.zone_axis == (0, 0, 1)
    assert expected.energy_kev == 200.0
    assert of_table(tiny_table_dir) == of_stack(stack_dir) == expected
