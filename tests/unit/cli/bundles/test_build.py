"""`pacbed build` refuses in one line what cannot become a bundle; the building itself is in tests/workflow."""

from pathlib import Path

import pytest

from pacbed.cli import run

ROOT = Path(__file__).parents[4]
GOOD = "--zone-axis 0,0,1 --energy-kev 200 --convergence-mrad 20 --out new.pacbed"
# Silicon without displacement parameters.
SILICON = """data_si
_cell_length_a 5.4309
_cell_length_b 5.4309
_cell_length_c 5.4309
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F d -3 m :1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Si1 Si 0 0 0
"""
BAD = [
    (f"{{cif}} {GOOD} --zone-axis 0,0", "zone_axis: got '0,0', accepted: three whole numbers"),
    (f"{{cif}} {GOOD} --zone-axis a,b", "zone_axis: got 'a,b', accepted: three whole numbers"),
    (f"{{cif}} {GOOD} --convergence-mrad wide", "--convergence-mrad: got 'wide', accepted: an angle such as 20"),
    (f"{{cif}} {GOOD} --convergence-mrad 22-18", "convergence_mrad: got '22-18'"),
    (f"{{cif}} {GOOD} --energy-kev 5", "beam.energy_kev: got 5.0"),
    (f"{{cif}} {GOOD} --cores 0", "cores: got 0, accepted: 1 or more"),
    (f"{{cif}} {GOOD} --networks huge", "networks: got 'huge', accepted: none or compact"),
    (f"{{cif}} {GOOD} --u-iso-nm2 Sr", "--u-iso-nm2: got 'Sr', accepted: values such as"),
    (f"{{cif}} {GOOD} --u-iso-nm2 Xx=0.00008", "Xx"),
    (f"{{cif}} {GOOD} --out there.pacbed", "accepted: a new name, or --overwrite"),
    (f"{{cif}} {GOOD} --block other", "other"),
    (f"{{cif}} {GOOD} --accept-contradictions weight", "weight"),
    (f"gone.cif {GOOD}", "gone.cif"),
    (f"si.cif {GOOD}", "--u-iso-nm2 Si=0.00006 with the crystal's own values"),
    ("{cif} --energy-kev 200 --convergence-mrad 20 --out new.pacbed", "--zone-axis"),
]


@pytest.mark.parametrize(("arguments", "text"), BAD, ids=[arguments.split(GOOD)[-1] for arguments, _ in BAD])
def test_bad_input_is_one_line_before_any_work(tmp_path, monkeypatch, capsys, arguments, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.pacbed").touch()
    (tmp_path / "si.cif").write_text(SILICON)
    status = run(["build", *arguments.format(cif=ROOT / "structures" / "srtio3.cif").split()])
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert captured.err.startswith("error: ")
    assert len(captured.err.splitlines()) == 1
    assert text in captured.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["si.cif", "there.pacbed"]


@pytest.mark.parametrize(
    "given",
    ["--u-iso-nm2 Si=0.00006", "--u-iso-nm2 none", "--zone-axis -1,1,0 --u-iso-nm2 none"],
)
def test_displacements_from_the_command_line_are_enough(tmp_path, monkeypatch, capsys, given):
    """The next check refuses: a bundle of that name is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "si.cif").write_text(SILICON)
    (tmp_path / "new.pacbed").touch()
    assert run(["build", "si.cif", *GOOD.split(), *given.split()]) == 2
    assert "--overwrite: new.pacbed exists" in capsys.readouterr().err
