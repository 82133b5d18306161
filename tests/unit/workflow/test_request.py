"""The numbers of a command make a configuration that covers what was asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from pacbed.config.plan import plan
from pacbed.config.system import validate_config
from pacbed.errors import ConfigError, ParameterError
from pacbed.workflow.request import BuildRequest, system_name

CIF = Path(__file__).parents[3] / "structures" / "srtio3.cif"
ASKED = BuildRequest(CIF, (0, 0, 1), 200.0, (20.0, 20.0))


def system(**changes):
    return validate_config(replace(ASKED, **changes).configuration("sto")).systems["sto"]


def test_a_single_angle_is_covered_with_a_margin():
    grid = system().grid
    assert grid.convergence_mrad.values() == [19.4, 20.0, 20.6]
    assert grid.mistilt_mrad.values() == [0, 2.5, 5]
    thickness = grid.thickness_nm.values()
    assert (thickness[0], thickness[-1], len(thickness)) == (1, 100, 100)
    assert system().training.recipe == "none"


def test_ranges_reach_exactly_what_was_asked_for():
    asked = system(convergence_mrad=(18.0, 22.0), thickness_max_nm=37.5, mistilt_max_mrad=0.0)
    assert asked.grid.convergence_mrad.values() == [18, 20, 22]
    assert asked.grid.mistilt_mrad.values() == [0]
    assert plan(asked).thickness_max_nm == 37.5
    assert plan(asked).cone_mrad == 24
    thick = system(thickness_max_nm=500.0).grid.thickness_nm.values()
    assert (thick[-1], len(thick)) == (500, 200)


def test_networks_get_a_finer_grid():
    fine = system(networks="compact", convergence_mrad=(18.0, 22.0)).grid
    assert fine.convergence_mrad.values() == [18 + 0.5 * number for number in range(9)]
    assert fine.mistilt_mrad.values() == [0, 1, 2, 3, 4, 5]


def test_displacements_are_given_or_the_atoms_rest():
    assert system(u_iso_nm2={"Sr": 8e-5}).crystal.displacements == {"Sr": 8e-5}
    assert system(u_iso_nm2="none").crystal.thermal_model == "none"
    assert system().crystal.cif == CIF


def test_what_the_file_leaves_open_is_handed_on():
    crystal = system(block="srtio3", accept_contradictions=("volume",)).crystal
    assert (crystal.block, crystal.accept_contradictions) == ("srtio3", ("volume",))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"energy_kev": 5.0}, r"^beam\.energy_kev: got 5\.0, accepted: .*20 to 1000 \[keV\]$"),
        ({"zone_axis": (0, 0, 0)}, r"^crystal\.zone_axis: got \[0, 0, 0\], accepted: three integers"),
        ({"networks": "large"}, r"^networks: got 'large', accepted: none or compact$"),
        ({"energy_kev": 5.0, "zone_axis": (0, 0, 0)}, r"crystal\.zone_axis: .*; beam\.energy_kev"),
        ({"mistilt_max_mrad": -1.0}, r"grid\.mistilt_mrad: got -1 to -1, accepted: values from 0 to 100 \[mrad\]"),
        ({"thickness_max_nm": float("inf")}, r"thickness_max_nm: got inf, accepted: a number from 1 to 1000"),
        ({"thickness_max_nm": 0.0}, r"thickness_max_nm: got 0"),
        ({"convergence_mrad": (22.0, 18.0)}, r"convergence_mrad: got '22-18', accepted: an angle above 0, or two"),
    ],
)
def test_bad_numbers_are_one_line(changes, text):
    with pytest.raises((ConfigError, ParameterError), match=text) as caught:
        system(**changes)
    assert len(str(caught.value).splitlines()) == 1


def test_any_file_name_makes_a_name_of_a_system():
    assert [system_name(name) for name in ("a/SrTiO3 [001].pacbed", "ü.pacbed", "x-1.pacbed")] == [
        *("SrTiO3_001", "system", "x-1"),
    ]
