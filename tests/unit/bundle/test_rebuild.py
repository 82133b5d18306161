"""A bundle that lost its table gets the same one again."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest

from pacbed.bundle.reader import load_bundle
from pacbed.bundle.rebuild import build_table
from pacbed.cli import run
from pacbed.errors import FormatError, ParameterError
from pacbed.patterns import Geometry


@pytest.fixture(scope="module")
def bare(tiny_bundle_file, tmp_path_factory):
    """The bundle as a folder without its table."""
    folder = tmp_path_factory.mktemp("bare") / "bare"
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        archive.extractall(folder)
    shutil.rmtree(folder / "rocking.zarr")
    return folder


@pytest.fixture(scope="module")
def rebuilt(bare, tmp_path_factory):
    """Path of the bundle made from the bare one, and the lines told."""
    out, lines = tmp_path_factory.mktemp("rebuilt") / "again.pacbed", []
    build_table(bare, out, jobs=2, tell=lines.append)
    return out, lines


def test_the_table_is_made_again(rebuilt, tiny_bundle):
    out, lines = rebuilt
    assert list(out.parent.iterdir()) == [out]
    assert lines[0] == "directions: 1 of 16 blocks"
    again = load_bundle(out)
    again.verify()
    view = Geometry.field_of_view(50, 20.0)
    for thickness, tilt in ((0.7, (0.0, 0.0)), (5.2, (1.3, -2.0)), (10.0, (0.4, 2.8))):
        settings = {"thickness_nm": thickness, "convergence_mrad": 14.0, "mistilt_mrad": tilt, "geometry": view}
        expected = tiny_bundle.renderer.render(**settings)
        assert np.linalg.norm(again.renderer.render(**settings) - expected) < 1e-3 * np.linalg.norm(expected)
    assert again.renderer.mistilt_max_mrad(14.0) == tiny_bundle.renderer.mistilt_max_mrad(14.0)
    assert again.table.thickness_max_nm == tiny_bundle.table.thickness_max_nm


def test_everything_else_stays(rebuilt, tiny_bundle):
    again = load_bundle(rebuilt[0])
    changed = {"bundle.json"} | {name for name in again.names() if name.startswith("rocking.zarr/")}
    assert set(again.names()) == set(tiny_bundle.names())
    for name in set(again.names()) - changed:
        assert again.read(name) == tiny_bundle.read(name), name
    assert again.meta.model_copy(update={"members": {}}) == tiny_bundle.meta.model_copy(update={"members": {}})


def test_a_bundle_without_recipe_is_refused_and_leaves_nothing(bare, tmp_path, capsys):
    folder = shutil.copytree(bare, tmp_path / "old")
    (folder / "structure" / "table.json").unlink()
    with pytest.raises(FormatError, match=r"table\.json"):
        build_table(folder, tmp_path / "new.pacbed")
    assert run(["build-table", str(folder), "--out", str(tmp_path / "new.pacbed")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("damage", ["propagator", "slices"])
def test_what_fails_on_the_way_leaves_nothing(bare, tmp_path, damage):
    folder = shutil.copytree(bare, tmp_path / "old")
    if damage == "propagator":
        recipe = json.loads((folder / "structure" / "table.json").read_text())
        (folder / "structure" / "table.json").write_text(json.dumps(recipe | {"propagator": "bloch"}))
    else:
        (folder / "structure" / "slices.npz").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"accepted|damaged"):
        build_table(folder, tmp_path / "new.pacbed")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_the_bundle_itself_is_not_replaced(tiny_bundle_file, tmp_path):
    before = tiny_bundle_file.read_bytes()
    for out in (tiny_bundle_file, tmp_path / "folder"):
        with pytest.raises(ParameterError, match=r"out: got .*accepted: a \.pacbed file that is not the bundle itself"):
            build_table(tiny_bundle_file, out)
    with pytest.raises(ParameterError, match="jobs: got 0"):
        build_table(tiny_bundle_file, tmp_path / "new.pacbed", jobs=0)
    assert tiny_bundle_file.read_bytes() == before
