"""What ships is found in a checkout and in a wheel."""

import tomllib
from pathlib import Path

import pytest

from pacbed import shipped
from pacbed.errors import FormatError

ROOT = Path(__file__).parents[2]


def test_a_checkout_has_everything():
    assert shipped.shipped(shipped.PRETRAINED) == ROOT / "pretrained"
    assert shipped.shipped(shipped.SNAKEFILE) == ROOT / "Snakefile"


def test_a_wheel_carries_all_that_the_snakefile_and_names_need():
    """Hatch copies these paths into the folder that is looked at first."""
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    inside = {target: source for source, target in hatch["force-include"].items()}
    folder = f"pacbed/{shipped._PLACES[0].name}"
    assert inside == {f"{folder}/{name}": name for name in ("Snakefile", "workflow", "pretrained")}
    for line in (ROOT / "Snakefile").read_text().splitlines():
        if line.startswith(("include:", "report:")):
            assert line.split('"')[1].startswith("workflow/")


def test_the_wheel_s_folder_comes_first_and_what_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path, ROOT))
    assert shipped.shipped("Snakefile") == ROOT / "Snakefile"
    (tmp_path / "Snakefile").touch()
    assert shipped.shipped("Snakefile") == tmp_path / "Snakefile"
    with pytest.raises(FormatError, match="got no colours in"):
        shipped.shipped("colours")
