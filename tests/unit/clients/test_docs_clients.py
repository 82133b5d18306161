"""What docs/clients.md shows runs, against a real service."""

from __future__ import annotations

import json
import re
import shlex

import numpy as np
import pytest
from pacbed_client import LookupResult, Service
from pacbed_client.__main__ import main

from tests.unit.clients.conftest import ANGLE
from tests.unit.test_docs import ROOT, blocks

PAGE = ROOT / "docs" / "clients.md"


@pytest.fixture
def folder(server, pattern, tmp_path, monkeypatch):
    """A folder with what the page names; the service has another bundle than the page's."""
    for name in ("film", "film_2", "scan_7"):
        np.save(tmp_path / f"{name}.npy", pattern)
    (tmp_path / "notes.txt").write_text("no pattern")
    (tmp_path / "url.txt").write_bytes((server.home.parent / "url").read_bytes())
    (tmp_path / "url.txt").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", blocks("python", PAGE), ids=str)
def test_python_runs(block, folder, capsys):
    assert "run: service" in block.mark
    assert f"convergence_mrad={ANGLE:g}" in block.text
    exec(compile(block.text.replace("srtio3_200kv", "tiny"), str(block), "exec"), {})
    assert re.search(r"\b[78]\.\d+", capsys.readouterr().out)


def test_the_notebook_saves_what_it_says(folder, capsys):
    exec(blocks("python", PAGE)[0].text.replace("srtio3_200kv", "tiny"), {})
    assert json.loads((folder / "film.json").read_text("utf-8"))["system"] == "tiny"
    assert (folder / "film.png").is_file() and (folder / "film.zip").is_file()


@pytest.mark.parametrize("page", [PAGE, ROOT / "README.md", ROOT / "clients" / "README.md"], ids=lambda page: page.name)
def test_command_lines_are_understood(page, monkeypatch, capsys):
    """They get as far as the file with the token, which is not here."""
    lines = re.findall(r"^python -m pacbed_client (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert lines
    for line in lines:
        assert main(shlex.split(line)) == 2
        assert capsys.readouterr().err.startswith("error: token file: url.txt cannot be read")


def test_names_on_the_page_exist():
    text = PAGE.read_text(encoding="utf-8")
    for name in re.findall(r"`found\.(\w+)", text):
        assert name in LookupResult.__dataclass_fields__ or hasattr(LookupResult, name)
    for name in re.findall(r"(\w+)=\.\.\.", text):
        assert name in Service.__dataclass_fields__
