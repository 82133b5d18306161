"""What planning says of crystals, against what reading says; the projected cell against cells worked out by hand."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pacbed.crystal.cif import read_structure
from pacbed.errors import ConfigError, StructureError
from pacbed.workflow import needs
from pacbed.workflow.crystals import check_crystals, projected_cell_a2

ROOT = Path(__file__).resolve().parents[3]
STRUCTURES, DATA = ROOT / "structures", ROOT / "tests/unit/crystal/reading/data"
REFUSED = [name for name, right in json.loads((DATA / "right.json").read_text()).items() if "refused" in right]
AT_REST = DATA / "b6_none.cif"  # caesium chloride without displacement parameters


@pytest.fixture
def make(make_system):
    """A system of one CIF file; keywords are other keys of its crystal."""
    return lambda cif, **crystal: make_system(crystal={"cif": str(cif), **crystal})


def lines(**systems):
    """What planning refuses, line by line."""
    with pytest.raises(ConfigError) as caught:
        check_crystals(systems)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_reading_refuses_is_refused_in_the_same_words_behind_its_key(make, name):
    with pytest.raises(StructureError) as caught:
        read_structure(DATA / name)
    assert lines(bad=make(DATA / name)) == [f"systems.bad.crystal.{caught.value}"]
    assert str(caught.value).startswith("cif: ")


def test_every_system_has_one_line_and_those_of_all_come_at_once(make):
    found = lines(
        good=make(STRUCTURES / "srtio3.cif"),
        comma=make(DATA / "a11_comma.cif"),
        gone=make("gone.cif"),
        other=make(STRUCTURES / "rutile.cif"),
        axis=make(STRUCTURES / "srtio3.cif", zone_axis=[1, 0, -1, 0]),
    )
    assert [line.partition(": ")[0] for line in found] == [
        "systems.comma.crystal.cif",
        "systems.gone.crystal.cif",
        "systems.axis.crystal.zone_axis",
    ]
    assert "a11_comma.cif, line 2: " in found[0]
    assert "got '4,12', accepted: a number" in found[0]
    assert found[1].endswith("got 'gone.cif', accepted: the path of an existing CIF file")
    assert "got [1, 0, -1, 0], accepted: four integers [u, v, t, w]" in found[2]


def test_a_path_that_cannot_be_looked_at_is_refused_in_one_line(make):
    (line,) = lines(bad=make(DATA / f"{'x' * 300}.cif"))
    assert line.startswith("systems.bad.crystal.cif: ")
    assert line.endswith(" cannot be read (File name too long), accepted: the path of an existing CIF file")


@pytest.mark.parametrize("model", ["debye_waller_absorptive", "debye_waller", "frozen_phonons"])
def test_atoms_at_rest_are_refused_where_they_should_vibrate(make, model):
    (line,) = lines(still=make(AT_REST, thermal_model=model))
    assert line.startswith(f"systems.still.crystal.thermal_model: got '{model}', but {AT_REST} has no displacement")
    assert "accepted: 'none', _atom_site_U_iso_or_equiv" in line
    given = make(AT_REST, thermal_model=model, displacements={"Cs": 6e-5, "Cl": 8e-5})
    assert len(check_crystals({"still": make(AT_REST, thermal_model="none"), "given": given})) == 2
    (line,) = lines(other=make(AT_REST, thermal_model=model, displacements={"Na": 6e-5}))
    assert "crystal.displacements of Na" in line


def test_choices_of_the_configuration_settle_what_a_file_leaves_open(make, tmp_path):
    one, other = (STRUCTURES / f"{name}.cif" for name in ("srtio3", "rutile"))
    both = tmp_path / "both.cif"
    both.write_text(one.read_text() + "\n" + other.read_text())
    (line,) = lines(both=make(both))
    block = line.partition("crystal.block")
    assert block[1], line
    names = [word.partition("data_")[2].strip() for word in both.read_text().splitlines() if word.startswith("data_")]
    areas = [projected_cell_a2(make(both, block=name)) for name in names]
    assert areas == [projected_cell_a2(make(one)), projected_cell_a2(make(other))]
    wrong = tmp_path / "wrong.cif"
    wrong.write_text(one.read_text() + "\n_exptl_crystal_density_diffrn 3.0\n")
    (line,) = lines(wrong=make(wrong))
    assert "density" in line
    (note,) = check_crystals({"wrong": make(wrong, accept_contradictions=["density"])})
    assert note.startswith(f"{wrong}: accepted contradiction of density")


def test_notes_are_told_once_for_all_systems_of_a_file(make):
    cif = DATA / "d12_zero_occ.cif"
    systems = {"one": make(cif), "two": make(cif, zone_axis=[1, 1, 0]), "silent": make(STRUCTURES / "srtio3.cif")}
    left_out, filled_in = check_crystals(systems)
    assert left_out == f"{cif}: site Na9 has occupancy 0 and is left out"
    assert filled_in.startswith(f"{cif}: all sites have U = 0.02 Å^2")


def test_checks_and_estimates_share_one_reading(make, tmp_path):
    cif = Path(shutil.copy(STRUCTURES / "rutile.cif", tmp_path))
    system = make(cif)
    check_crystals({"rutile": system})
    cif.unlink()
    assert needs.block_mb(system) > needs.block_mb(make(STRUCTURES / "srtio3.cif"))
    with pytest.raises(StructureError, match="existing CIF file"):
        needs.block_mb(make(cif, accept_contradictions=["z"]))


@pytest.mark.parametrize(
    ("name", "axis", "area_a2"),
    [
        ("srtio3", (0, 0, 1), 3.90528**2),
        ("srtio3", (0, 0, 2), 3.90528**2),
        ("srtio3", (1, 1, 0), 3.90528**2 / math.sqrt(2)),
        ("srtio3", (1, 1, 1), 3.90528**2 / math.sqrt(3)),
        ("rutile", (0, 0, 1), 4.5937**2),
        ("rutile", (1, 0, 0), 4.5937 * 2.9587),
        ("beryl", (0, 0, 1), 9.214**2 * math.sqrt(3) / 2),
        ("beryl", (2, 1, 0), 9.214 * 9.194 / 2),
        ("beryl", (1, 0, -1, 0), 9.214 * 9.194 / 2),
    ],
)
def test_area_is_that_of_a_cell_across_the_axis(make, name, axis, area_a2):
    system = make(STRUCTURES / f"{name}.cif", zone_axis=axis)
    assert projected_cell_a2(system) == pytest.approx(area_a2, rel=1e-3)


def test_area_of_a_triclinic_cell(make, tmp_path):
    from ase.cell import Cell

    numbers = (5.1, 6.2, 7.3, 81.0, 95.5, 70.0)
    tags = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    cif = tmp_path / "a.cif"
    cif.write_text(
        "data_a\n_space_group_IT_number 1\n"
        + "".join(f"_cell_{tag} {number}(2)\n" for tag, number in zip(tags, numbers, strict=True))
        + "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
        + "_atom_site_U_iso_or_equiv\nCs1 0 0 0 0.02\nCl1 0.5 0.5 0.5 0.03\n"
    )
    cell = Cell.fromcellpar(numbers)
    period = sum(part**2 for part in (1, -2, 1) @ cell) ** 0.5
    assert projected_cell_a2(make(cif, zone_axis=(1, -2, 1))) == pytest.approx(cell.volume / period, rel=1e-6)


def test_planning_loads_nothing_heavy():
    program = (
        "import sys\nfrom pacbed.config.system import load_config\n"
        "from pacbed.workflow import directives, needs\nfrom pacbed.workflow.crystals import check_crystals\n"
        "systems = load_config([sys.argv[1]]).systems\ncheck_crystals(systems)\n"
        "print(needs.block_mb(systems['rutile_80kv']), *sorted(sys.modules))\n"
    )
    command = [sys.executable, "-c", program, "config/rutile_80kv.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    megabytes, *loaded = done.stdout.split()
    assert int(megabytes) > 0
    assert {"gemmi", "numpy"} <= set(loaded)
    heavy = {"abtem", "ase", "spglib", "scipy", "numba", "zarr", "tensorflow", "keras", "matplotlib", "pandas", "dask"}
    assert not heavy & set(loaded)
