"""The examples of the README and of docs/adding-a-material.md run as they stand, on the files that are shipped."""

import re
from pathlib import Path

import pytest

from pacbed.config.system import load_config
from pacbed.crystal.cif import read_structure
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.reading import ReadingChoices
from pacbed.errors import ConfigError
from pacbed.simulation.structure.orient_structure import orient_structure
from pacbed.simulation.structure.settings import StructureSettings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "adding-a-material.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def test_the_yaml_examples_build_on_each_other(tmp_path: Path) -> None:
    files = []
    for number, block in enumerate(blocks("yaml")):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(block, encoding="utf-8")
    first, overlay, patterns = files
    assert load_config([first]).systems["anatase_200kv"].grid.thickness_nm.values()[-1] == 100
    system = load_config([first, overlay, patterns]).systems["anatase_200kv"]
    assert system.grid.thickness_nm.values()[-1] == 60
    assert system.patterns["first_try"].convergence_mrad == 15.2


def test_the_quoted_message_is_what_a_user_gets(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(blocks("yaml")[0].replace("energy_kev: 200", "energy_kev: -3"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config([file])
    assert f"    {caught.value}\n" in TEXT


def test_the_python_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    (block,) = blocks("python")
    exec(compile(block, "docs/adding-a-material.md", "exec"), {})
    assert capsys.readouterr().out == "100 thicknesses at 300.0 kV\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """The configuration that the README shows, as a file."""
    (text,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    file = tmp_path / "anatase_200kv.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_recipe_of_the_readme_is_the_shipped_file(recipe: Path) -> None:
    shown, shipped = (load_config([file]).systems for file in (recipe, ROOT / "config" / "anatase_200kv.yaml"))
    assert list(shown) == list(shipped) == ["anatase_200kv"]
    parts = [systems["anatase_200kv"] for systems in (shown, shipped)]
    assert [part.model_dump(exclude={"grid"}) for part in parts] == [parts[0].model_dump(exclude={"grid"})] * 2
    for name in ("thickness_nm", "convergence_mrad", "mistilt_mrad"):
        first, second = (getattr(part.grid, name).values() for part in parts)
        assert list(first) == list(second)
    assert blocks("yaml")[0] == (ROOT / "config" / "anatase_200kv.yaml").read_text(encoding="utf-8")


def test_the_crystal_of_the_recipe_is_oriented(recipe: Path, tmp_path: Path) -> None:
    system = load_config([recipe]).systems["anatase_200kv"]
    asked = StructureSettings(
        zone_axis=system.crystal.zone_axis, energy_kev=system.beam.energy_kev,
        thermal_model=system.crystal.thermal_model, parametrization=system.crystal.parametrization,
        grid_px=[24, 24], slice_depth_nm=0.3, thickness_max_nm=4.0, cone_mrad=10.0, field_mrad=18.0,
        propagator="exact", direction_pitch_mrad=2.0, plane_spacing_nm=1.2, alpha_max_mrad=6.0, tau_max_mrad=3.0,
        max_angle_mrad=9.0, tolerance=0.05,
    )  # fmt: skip
    orient_structure(ROOT / system.crystal.cif, asked, out_dir=tmp_path / "structure")
    slices = SlicePotentials.load(tmp_path / "structure")
    assert slices.zone_axis == (0, 0, 1)
    found = {tuple(matrix.ravel().tolist()) for matrix in slices.group}
    assert found >= {(i, 0, 0, j) for i in (1, -1) for j in (1, -1)}  # 2mm of the slab; 4_1 is a matter of angles


def test_the_readme_says_what_to_write_where_a_file_has_no_displacements(recipe: Path, tmp_path: Path) -> None:
    """Its line, in place of the recipe's, gives the public form of the file the displacements that it lacks."""
    (line,) = re.findall(r"`(crystal: \{cif: \.\.\., .*?\})`", README)
    text = recipe.read_text(encoding="utf-8")
    changed = re.sub(r"crystal: .*", line.replace("...", "structures/anatase.cif"), text)
    recipe.write_text(changed, encoding="utf-8")
    given = load_config([recipe]).systems["anatase_200kv"].crystal.displacements
    cif = (ROOT / "structures" / "anatase.cif").read_text(encoding="utf-8")
    public = tmp_path / "public.cif"
    public.write_text(re.sub(r"1 0\.00\d+ Uiso", "1 ? ?", cif), encoding="utf-8")
    assert [site.u_iso_nm2 for site in read_structure(public).sites] == [0, 0]
    found = read_structure(public, ReadingChoices(displacements=given)).sites
    assert [site.u_iso_nm2 for site in found] == pytest.approx([given["Ti"], given["O"]])
    shipped = read_structure(ROOT / "structures" / "anatase.cif").sites
    assert [site.u_iso_nm2 for site in found] == pytest.approx([site.u_iso_nm2 for site in shipped], rel=0.01)
