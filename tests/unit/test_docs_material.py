"""The examples of docs/adding-a-material.md are accepted as they stand."""

import re
from pathlib import Path

import pytest

from pacbed.config.system import load_config
from pacbed.errors import ConfigError

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "adding-a-material.md").read_text(encoding="utf-8")


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
    assert system.patterns["first_try"].convergence_mrad == 16.2


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
