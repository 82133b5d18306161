"""The list: one line a bundle, or JSON."""

import json
import shutil

import pytest

from pacbed import shipped
from pacbed.bundle.pretrained.cache import cache_entry
from pacbed.bundle.pretrained.listing import list_bundles
from pacbed.cli import run


@pytest.fixture
def shelf(tmp_path, monkeypatch, slim_file, cache):
    """One bundle that ships, and an empty cache."""
    (tmp_path / "pretrained").mkdir()
    shutil.copyfile(slim_file, tmp_path / "pretrained" / "thin.pacbed")
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path,))
    return cache


def test_a_shipped_bundle_tells_crystal_ranges_networks_and_state(shelf, slim_file, slim, whole_file, capsys):
    assert run(["list"]) == 0
    line = (
        "thin: SrTiO3 [0 0 1] 200 kV; 1-10 nm, 13-15 mrad, tilt to 3 mrad; networks mistilt, scale, thickness; "
        f"model 0.2 nm at 10; table made when first used, {slim_file.stat().st_size / 1e6:.1f} MB\n"
    )
    assert capsys.readouterr().out == line
    shelf.mkdir()
    shutil.copyfile(whole_file, cache_entry(slim))
    (one,) = list_bundles()
    assert one.table_ready
    assert one.size_mb == pytest.approx((slim_file.stat().st_size + whole_file.stat().st_size) / 1e6)


def test_json_has_a_line_for_each_and_the_cache_follows(shelf, whole_file, capsys):
    shelf.mkdir()
    shutil.copyfile(whole_file, shelf / "other-123.pacbed")
    (shelf / "broken-1.pacbed").write_bytes(b"nothing")
    assert run(["list", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["name"], row["shipped"], row["table_ready"]) for row in rows] == [
        ("thin", True, False), ("tiny", False, True),
    ]  # fmt: skip
    assert rows[1]["path"] == str(shelf / "other-123.pacbed")
    assert rows[0]["mistilt_mrad"] == [0, 3]


def test_another_build_of_a_name_that_ships_is_told_apart(shelf, tmp_path, whole_file, capsys):
    shutil.move(tmp_path / "pretrained" / "thin.pacbed", tmp_path / "pretrained" / "tiny.pacbed")
    shelf.mkdir()
    shutil.copyfile(whole_file, shelf / "tiny-123.pacbed")
    assert run(["list"]) == 0
    ships, kept = capsys.readouterr().out.splitlines()
    assert kept.endswith(", in the cache, not the one that ships")
    assert "ships" not in ships


@pytest.mark.parametrize("fits", [("refinement",), ("match_refinement", "networks_refinement"), ("match_refinement",)])
def test_the_error_is_the_refinement_s_at_the_highest_noise(shelf, tmp_path, slim, fits):
    meta = json.loads(slim.read("bundle.json"))
    entries = [
        {"noise": noise, "method": method, "thickness_median_nm": value}
        for noise, method, value in ((0.0, fits[-1], 0.01), (0.1, fits[-1], 0.23), (0.1, "networks", 2.0))
    ]
    entries += [{"noise": 0.1, "method": name, "thickness_median_nm": 0.5} for name in fits[:-1]]
    meta["metrics"]["evaluation"] = {"errors": entries}
    folder = tmp_path / "folder"
    folder.mkdir()
    slim.extract(folder, without=())
    (folder / "bundle.json").write_text(json.dumps(meta))
    from pacbed.bundle.archive import zip_folder

    zip_folder(folder, tmp_path / "pretrained" / "thin.pacbed")
    (one,) = list_bundles()
    assert "; median error 0.23 nm at noise 0.1, model 0.2 nm at 10" in one.line()
    assert one.errors == entries


def test_an_empty_shelf_says_what_to_do(tmp_path, monkeypatch, cache, capsys):
    (tmp_path / "pretrained").mkdir()
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path,))
    assert run(["list"]) == 0
    assert "pacbed build --help" in capsys.readouterr().out
    assert run(["list", "--json"]) == 0
    assert capsys.readouterr().out == ""
