"""Tables are made once for all processes, never half, made again when damaged, and do not pile up."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from pacbed.bundle.archive import Archive
from pacbed.bundle.pretrained import cache as kept
from pacbed.bundle.reader import load_bundle
from pacbed.errors import FormatError, ParameterError
from pacbed.patterns import Geometry

MAKE = (
    "import sys; from pacbed.bundle.reader import load_bundle; print(load_bundle(sys.argv[1]).table.thickness_max_nm)"
)


def start(slim_file):
    command = [sys.executable, "-c", MAKE, str(slim_file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def fill(slim, whole_file):
    """Put the finished table where the cache expects it."""
    entry = kept.cache_entry(slim)
    entry.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(whole_file, entry)
    return entry


def nothing(line):
    raise AssertionError(f"nothing had to be made or told, got: {line}")


def test_two_processes_make_one_table_and_a_killed_one_leaves_the_place_to_them(
    slim_file, slim, whole_file, cache, tiny_bundle
):
    killed = start(slim_file)
    assert "making the rocking table, once" in killed.stderr.readline()
    assert "directions: 1 of 16 blocks" in killed.stderr.readline()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not kept.cache_entry(slim).exists()
    assert list(cache.glob("*.part"))

    both = [start(slim_file), start(slim_file)]
    outputs = [child.communicate() for child in both]
    assert [child.returncode for child in both] == [0, 0]
    assert {out for out, _ in outputs} == {f"{tiny_bundle.table.thickness_max_nm}\n"}
    told = sorted((err for _, err in outputs), key=len)
    assert told[0] in ("", "thin.pacbed: another process is making the rocking table; waiting for it\n")
    assert re.search(r"table ready, \d+ MB in \d+ s", told[1])
    assert sorted(path.suffix for path in cache.iterdir()) == [".lock", ".pacbed"]
    assert Archive(kept.cache_entry(slim)).read("bundle.json") == Archive(whole_file).read("bundle.json")


def test_a_slim_bundle_renders_as_the_whole_one_and_keeps_its_own_hash(slim_file, slim, whole_file, cache, tiny_bundle):
    fill(slim, whole_file)
    thin = load_bundle(slim_file)
    view = {"thickness_nm": 7.3, "convergence_mrad": 13.7, "geometry": Geometry.field_of_view(40, 20.0)}
    expected = tiny_bundle.renderer.render(**view)
    assert np.linalg.norm(thin.renderer.render(**view) - expected) < 1e-3 * np.linalg.norm(expected)
    assert (thin.sha256, thin.path) == (slim.sha256, slim_file)


def test_what_is_whole_is_used_as_it_is_and_counts_as_used(slim, whole_file, cache):
    entry = fill(slim, whole_file)
    os.utime(entry, (1e9, 1e9))
    assert kept.cached_table(slim, tell=nothing) == entry
    assert time.time() - entry.stat().st_mtime < 60


@pytest.mark.parametrize("damage", ["byte", "short", "slim"])
def test_a_damaged_entry_is_told_and_made_again(slim, slim_file, whole_file, cache, monkeypatch, damage):
    entry, lines = fill(slim, whole_file), []
    data = bytearray(whole_file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    entry.write_bytes({"byte": data, "short": data[:5000], "slim": slim_file.read_bytes()}[damage])
    monkeypatch.setattr("pacbed.bundle.rebuild.build_table", lambda source, out, **_: shutil.copyfile(whole_file, out))
    assert kept.cached_table(slim, tell=lines.append) == entry
    assert entry.read_bytes() == whole_file.read_bytes()
    assert any("it is made again" in line for line in lines) == (damage != "slim")
    assert lines[-1].startswith("thin.pacbed: table ready, ")


def test_a_corrected_calculation_makes_another_entry(slim, cache, monkeypatch):
    before = kept.cache_entry(slim)
    monkeypatch.setattr(kept, "STAGE_VERSIONS", {**kept.STAGE_VERSIONS, "simulate_rocking_block": 99})
    assert kept.cache_entry(slim) != before
    assert before.name.startswith("tiny-")


def test_a_damaged_bundle_makes_no_table(slim_file, cache, tmp_path):
    data = slim_file.read_bytes()
    broken = tmp_path / "broken.pacbed"
    broken.write_bytes(data.replace(b'"propagator": "exact"', b'"propagator": "exalt"'))
    assert broken.read_bytes() != data
    with pytest.raises(FormatError, match="damaged"):
        kept.cached_table(Archive(broken), tell=lambda line: None)
    assert not list(cache.glob("*.pacbed"))


def write(cache, name, size, age_s):
    cache.mkdir(exist_ok=True)
    (cache / name).write_bytes(b"x" * size)
    at = time.time() - age_s
    os.utime(cache / name, (at, at))


def test_the_longest_unused_go_until_the_rest_fits(cache):
    for name, age_h in (("new", 0.1), ("older", 3), ("oldest", 50), ("middle", 2)):
        write(cache, f"{name}.pacbed", 1000, 3600 * age_h)
    lines = []
    kept.shrink_cache(cache, limit_bytes=2500, tell=lines.append)
    assert sorted(path.stem for path in cache.glob("*.pacbed")) == ["middle", "new"]
    assert [line.split()[1] for line in lines] == ["oldest.pacbed", "older.pacbed"]
    kept.shrink_cache(cache, limit_bytes=0, tell=lines.append)
    assert [path.stem for path in cache.glob("*.pacbed")] == ["new"], "used within the hour"


def test_libraries_go_before_tables(cache):
    for name, age_h in (("a-1.pacbed", 90), ("a-library-1.npz", 2), ("a-library-2.npz", 3), ("a-library-3.npz", 0.1)):
        write(cache, name, 1000, 3600 * age_h)
    kept.shrink_cache(cache, limit_bytes=3000, tell=nothing)
    assert not (cache / "a-library-2.npz").exists() and (cache / "a-library-1.npz").exists()
    kept.shrink_cache(cache, limit_bytes=2000, tell=nothing)
    assert sorted(path.name for path in cache.iterdir()) == ["a-1.pacbed", "a-library-3.npz"]
    kept.shrink_cache(cache, limit_bytes=0, tell=lambda line: None)
    assert [path.name for path in cache.iterdir()] == ["a-library-3.npz"], "used within the hour"


def test_libraries_go_without_a_word_and_take_their_locks_along(cache):
    write(cache, "a-library-1.npz", 1000, 7200)
    write(cache, "b-2.pacbed", 1000, 7200)
    for name in ("a-library-1.lock", "b-2.lock", "c-3.lock"):
        write(cache, name, 0, 7200)
    lines = []
    kept.shrink_cache(cache, limit_bytes=0, tell=lines.append)
    assert [path.name for path in cache.iterdir()] == ["c-3.lock"], "of a table that is being made"
    assert lines == ["cache: b-2.pacbed removed, it was used longest ago"]


def test_what_killed_processes_left_goes_but_not_what_is_in_the_making(cache):
    write(cache, "a-1.part.pacbed", 10, 0)
    (cache / "a-1.pacbed.blocks.part").mkdir()
    (cache / "b-2.pacbed.blocks.part").mkdir()
    with kept.locked(cache / "b-2.lock"):
        kept.shrink_cache(cache, limit_bytes=1e9, tell=nothing)
    assert sorted(path.name for path in cache.iterdir() if ".part" in path.name) == ["b-2.pacbed.blocks.part"]


@pytest.mark.parametrize("asked", ["much", "-1", "inf", "nan"])
def test_a_limit_that_is_no_size_is_refused_by_name(monkeypatch, asked):
    monkeypatch.setenv("PACBED_CACHE_GB", asked)
    with pytest.raises(ParameterError, match=r"PACBED_CACHE_GB: got .*accepted: a number from 0 up \[GB\]"):
        kept.limit_gb()


def test_a_cache_that_cannot_be_is_refused_by_name_before_any_work(slim, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PACBED_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ParameterError, match=r"PACBED_CACHE: got '.*cache', accepted: a folder that can be written to"):
        kept.cached_table(slim, tell=nothing)
    monkeypatch.setenv("PACBED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PACBED_CACHE_GB", "much")
    with pytest.raises(ParameterError, match="PACBED_CACHE_GB: got 'much'"):
        kept.cached_table(slim, tell=nothing)


def test_the_usual_cache_is_the_user_s(monkeypatch):
    monkeypatch.delenv("PACBED_CACHE")
    assert kept.cache_folder().parts[-2:] == ("pacbed", "bundles")
    assert kept.limit_gb() == 10
