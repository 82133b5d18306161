"""The cell at a glance against the cell that the simulation works out."""

from pathlib import Path

import numpy as np
import pytest

from pacbed.workflow.cif_glance import UNKNOWN_CELL_A2, cell_area_a2

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        ("srtio3", (0, 0, 1)),
        ("srtio3", (1, 1, 0)),
        ("srtio3", (0, 0, 2)),
        ("srtio3", (1, 1, 1)),
        ("rutile", (0, 0, 1)),
        ("rutile", (1, 0, 0)),
        ("beryl", (0, 0, 1)),
        ("beryl", (1, 0, 0)),
    ],
)
def test_area_is_that_of_a_primitive_cell_across_the_axis(name, axis):
    from pacbed.crystal.cif import read_cif

    file = ROOT / "structures" / f"{name}.cif"
    crystal = read_cif(file)
    period = np.linalg.norm(np.array(axis) / np.gcd.reduce(axis) @ crystal.cell)
    assert cell_area_a2(file, axis) == pytest.approx(crystal.volume_a3 / period, rel=1e-6)


def test_triclinic_cell(tmp_path):
    from ase.cell import Cell

    numbers = {
        "length_a": 5.1,
        "length_b": 6.2,
        "length_c": 7.3,
        "angle_alpha": 81,
        "angle_beta": 95.5,
        "angle_gamma": 70,
    }
    file = tmp_path / "a.cif"
    file.write_text("data_a\n" + "".join(f"_cell_{key}  {value}(2)\n" for key, value in numbers.items()))
    cell = Cell.fromcellpar(list(numbers.values()))
    assert cell_area_a2(file, (1, -2, 1)) == pytest.approx(cell.volume / np.linalg.norm([1, -2, 1] @ cell), rel=1e-6)


@pytest.mark.parametrize("text", [None, "", "_cell_length_a 3.9\n", "_cell_length_a 0\n"])
def test_area_of_a_file_that_says_nothing_is_a_large_one(tmp_path, text):
    if text is not None:
        (tmp_path / "a.cif").write_text(text)
    assert cell_area_a2(tmp_path / "a.cif", (0, 0, 1)) == UNKNOWN_CELL_A2
