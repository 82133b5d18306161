"""`pacbed inspect` of CIF files, as a user calls it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import pytest

from pacbed.cli import run

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "unit" / "crystal" / "data"
CASES = ROOT / "tests" / "unit" / "crystal" / "reading" / "data"
KEYS = {"formula", "atoms", "cell", "cell_volume_nm3", "density_g_cm3", "space_group", "sites", "warnings"}
CONFIG = """\
systems:
  {name}:
    crystal: {{cif: {cif}, zone_axis: {axis}{more}}}
    beam: {{energy_kev: 200}}
    grid: {{thickness_nm: [5, 6], convergence_mrad: [14], mistilt_mrad: [0]}}
"""
# Runs the command where only what a prediction needs can be imported.
PREDICTION_ONLY = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"spglib", "ase", "abtem", "pyfftw", "keras", "tensorflow", "tf2onnx", "onnx",
                                      "snakemake", "xarray", "dask", "tqdm"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])
sys.meta_path.insert(0, Missing())
from pacbed.cli import main
main()
"""


@pytest.fixture
def inspect(capsys):
    def call(*arguments):
        status = run(["inspect", *map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def write_config(path, *systems):
    parts = [CONFIG.format(name=name, cif=cif, axis=axis, more=more) for name, cif, axis, more in systems]
    path.write_text(parts[0] + "".join(part.partition("\n")[2] for part in parts[1:]), encoding="utf-8")
    return path


def test_lines_for_a_reader(inspect):
    status, out, err = inspect(DATA / "material_lsmo.cif", "--zone-axis", "2,2,-4,0")
    assert (status, err) == (0, "")
    for part in ("cif material_lsmo.cif: La0.7Sr0.3MnO3, space group R -3 c:H: 36 atoms", "g/cm^3", "U [Å^2]",
                 "zone axis [2 2 -4 0] is [1 1 0] of the published cell: the common divisor 2 is taken out",
                 "slab along [1 1 0]: 24 atoms", "beam group: 2 operations"):  # fmt: skip
        assert part in out


def test_json_is_one_object(inspect):
    status, out, err = inspect(CASES / "k2_mos2_0.3333.cif", "--zone-axis", "[0, 0, 1]", "--json")
    assert (status, err) == (0, "")
    facts = json.loads(out)
    assert facts.keys() == KEYS | {"slab"}
    assert facts["slab"]["atoms"] == 6 and facts["slab"]["beam_group"] == 12
    assert facts["sites"][0].keys() == {"label", "element", "occupancy", "multiplicity", "fract", "u_iso_nm2"}
    assert facts["sites"][0]["fract"] == pytest.approx([1 / 3, 2 / 3, 0.25])
    assert facts["sites"][0]["u_iso_nm2"] == pytest.approx(5e-5)
    assert len(facts["warnings"]) == 2
    status, out, _ = inspect(CASES / "b6_none.cif", "--json")
    assert status == 0
    assert json.loads(out).keys() == KEYS
    assert json.loads(out)["sites"][0]["u_iso_nm2"] is None


def test_a_divisor_is_told_in_json_as_well(inspect):
    _, out, _ = inspect(ROOT / "structures" / "srtio3.cif", "--zone-axis", "0 0 -2", "--json")
    facts = json.loads(out)
    assert facts["slab"]["zone_axis"] == [0, 0, -1]
    assert ["common divisor 2" in line for line in facts["warnings"]] == [True]


@pytest.mark.parametrize("name", ["readme.txt", "GAN.CIF", "nosuffix"])
def test_a_file_is_known_by_name_or_content(inspect, tmp_path, name):
    shutil.copy(DATA / "material_gan.cif", tmp_path / name)
    status, out, _ = inspect(tmp_path / name)
    assert status == 0
    assert out.startswith(f"cif {name}: GaN, space group P 63 m c")


def test_a_picture_is_written_where_asked_and_replaces_nothing(inspect, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = inspect(DATA / "material_gan.cif", "--zone-axis", "1,1,-2,0", "--out", "new/gan.png")
    assert status == 0
    assert "picture: new/gan.png" in out.replace("\\", "/")
    assert matplotlib.image.imread("new/gan.png").shape[1] > 1000
    before = Path("new/gan.png").read_bytes()
    status, out, err = inspect(DATA / "material_lsmo.cif", "--out", "new/gan.png")
    assert (status, out) == (2, "")
    assert "this one exists" in err
    assert Path("new/gan.png").read_bytes() == before
    status, _, err = inspect(DATA / "material_lsmo.cif", "--out", "cell.tif")
    assert status == 2 and ".png, .pdf, .svg" in err
    assert inspect(DATA / "material_lsmo.cif")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["new"], "without --out nothing is written"


def test_a_configuration_says_how_a_file_is_read(inspect, tmp_path):
    none = CASES / "b6_none.cif"
    config = write_config(
        tmp_path / "c.yaml",
        ("other", DATA / "material_gan.cif", [0, 0, 1], ""),
        ("mine", none, [0, 1, 1], ", displacements: {Cs: 1.0e-4, Cl: 2.0e-4}"),
    )
    status, out, _ = inspect(none, "--config", config, "--json")
    facts = json.loads(out)
    assert status == 0
    assert facts["slab"]["zone_axis"] == [0, 1, 1]
    assert [site["u_iso_nm2"] for site in facts["sites"]] == pytest.approx([1e-4, 2e-4])
    _, out, _ = inspect(none, "--config", config, "--zone-axis", "1,0,0", "--json")
    assert json.loads(out)["slab"]["zone_axis"] == [1, 0, 0], "the command line counts more"


def test_a_block_is_chosen(inspect, tmp_path):
    two = CASES / "f7_two.cif"
    status, _, err = inspect(two)
    assert status == 2 and "two structures" in err
    names = [line[5:].strip() for line in two.read_text(encoding="utf-8").splitlines() if line.startswith("data_")]
    lengths = set()
    for name in names:
        _, out, _ = inspect(two, "--block", name, "--json")
        lengths.add(json.loads(out)["cell"]["a_nm"])
    assert len(lengths) == 2
    config = write_config(tmp_path / "c.yaml", ("mine", two, [0, 0, 1], f", block: {names[0]}"))
    _, first, _ = inspect(two, "--config", config, "--json")
    _, second, _ = inspect(two, "--config", config, "--block", names[1], "--json")
    assert {json.loads(text)["cell"]["a_nm"] for text in (first, second)} == lengths


def test_accepted_contradictions_count(inspect, tmp_path):
    cif = CASES / "f27_formula_mismatch.cif"
    config = write_config(tmp_path / "c.yaml", ("mine", cif, [0, 0, 1], ", accept_contradictions: [formula]"))
    assert inspect(cif)[0] == 2
    status, out, _ = inspect(cif, "--config", config)
    assert status == 0
    assert "put right or worth a look" in out


def test_one_of_several_systems_is_chosen_by_name(inspect, tmp_path):
    gan, lsmo = DATA / "material_gan.cif", DATA / "material_lsmo.cif"
    config = write_config(
        tmp_path / "c.yaml", ("c", gan, [0, 0, 1], ""), ("a", gan, [1, 0, 0], ""), ("lsmo", lsmo, [0, 0, 1], "")
    )
    status, _, err = inspect(gan, "--config", config)
    assert status == 2 and "accepted: one of those with this CIF file: c, a" in err
    _, out, _ = inspect(gan, "--config", config, "--system", "a", "--json")
    assert json.loads(out)["slab"]["zone_axis"] == [1, 0, 0]
    status, _, err = inspect(gan, "--config", config, "--system", "lsmo")
    assert status == 2 and "a system whose crystal.cif is" in err
    status, _, err = inspect(gan, "--config", config, "--system", "b")
    assert status == 2 and "c, a, lsmo" in err


@pytest.mark.parametrize(("arguments", "text"), [
    (["{gan}", "--zone-axis", "1,1"], "zone_axis: got '1,1', accepted: three whole numbers"),
    (["{gan}", "--zone-axis", "a,b,c"], "three whole numbers"), (["{gan}", "--zone-axis", "0,0,0"], "not all zero"),
    (["{gan}", "--zone-axis", "1,1,1,0"], "t = -(u + v)"), (["{gan}", "--system", "x"], "together with config"),
    (["{gan}", "--config", "gone.yaml"], "gone.yaml"), (["{cases}/f5_utf16.cif"], "encoding: got 'UTF-16'"),
    (["{cases}/f14_html.cif"], "not a CIF"), (["gone.cif", "--json"], "gone.cif"),
    (["{gan}", "--config", "{root}/config/demo.yaml"], "a system whose crystal.cif is"),
    (["{gan}", "--block", "nonsense"], "nonsense"),
])  # fmt: skip
def test_bad_input_is_one_line(inspect, arguments, text):
    given = [part.format(gan=DATA / "material_gan.cif", cases=CASES, root=ROOT) for part in arguments]
    status, out, err = inspect(*given)
    assert (status, out) == (2, "")
    assert text in err and err.startswith("error: ") and err.count("\n") == 1


@pytest.mark.parametrize(("option", "name"), [
    (["--zone-axis", "0,0,1"], "zone_axis"), (["--json"], "json"), (["--block", "a"], "block"),
    (["--config", "a.yaml"], "config"), (["--system", "a"], "system"),
])  # fmt: skip
def test_options_of_cif_files_are_for_nothing_else(inspect, tmp_path, option, name):
    (tmp_path / "film.npy").write_bytes(b"no CIF")
    status, out, err = inspect(tmp_path / "film.npy", *option)
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {name}: got ") and "with a CIF file only" in err and err.count("\n") == 1


def test_a_computer_that_only_predicts_describes_all_but_the_slab(tmp_path):
    arguments = [str(DATA / "material_gan.cif"), "--json", "--zone-axis", "0,0,1", "--out", str(tmp_path / "cell.png")]
    command = [sys.executable, "-c", PREDICTION_ONLY, "inspect", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "zone axis: needs spglib; install pacbed with its extra 'workflow'\n"
    facts = json.loads(done.stdout)
    assert facts.keys() == KEYS | {"slab", "picture"}
    assert facts["slab"] is None
    assert facts["formula"] == "GaN"
    assert (tmp_path / "cell.png").is_file()
