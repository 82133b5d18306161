"""Files and folders that are complete or absent, whatever happens on the way, and say when they are complete."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.outputs import (
    KeptLines,
    check_done,
    check_version,
    file_aside,
    folder_aside,
    plain_json,
    scratch_folder,
    write_done,
    write_json,
    write_text,
)


@pytest.fixture
def folder(tmp_path):
    whole = tmp_path / "thing"
    (whole / "deep").mkdir(parents=True)
    (whole / "deep" / "a.bin").write_bytes(b"12345")
    (whole / "b.txt").write_text("abc")
    write_done(whole, {"shape": [1, 2]})
    return whole


def test_a_complete_folder_gives_its_description(folder):
    (folder / ".snakemake_timestamp").touch()
    assert check_done(folder, "thing")["shape"] == [1, 2]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "deep" / "a.bin").write_bytes(b"1234"), r"deep/a\.bin the first"),
        (lambda folder: (folder / "b.txt").unlink(), r"1 missing or truncated files, b\.txt"),
        (
            lambda folder: (folder / "done.json").unlink(),
            r"got no done\.json, accepted: a folder with a complete thing",
        ),
        (lambda folder: (folder / "done.json").write_text('{"shape"'), r"done\.json is damaged"),
        (lambda folder: (folder / "done.json").write_text("[1]"), r"done\.json is damaged"),
        (lambda folder: (folder / "done.json").write_text('{"shape": []}'), r"done\.json is damaged"),
    ],
)
def test_an_incomplete_folder_is_refused(folder, damage, words):
    damage(folder)
    with pytest.raises(FormatError, match=words) as caught:
        check_done(folder, "thing")
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("got", [1, 4, 5, None, "2", True, 2.0])
def test_other_versions_are_refused(got):
    with pytest.raises(FormatError, match=rf"thing: got schema_version {got}, accepted: 2 to 3; ") as caught:
        check_version("thing", got, current=3, oldest=2)
    assert ("newer pacbed" in str(caught.value)) == (got in (4, 5))


@pytest.mark.parametrize("got", [2, 3])
def test_the_version_before_is_accepted(got):
    check_version("thing", got, current=3, oldest=2)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def fail(path, error):
    path.write_text("half")
    raise error("stop")


@pytest.mark.parametrize("name", ["image.png", "table", ".hidden.csv"])
def test_a_file_takes_its_place_when_it_is_complete(tmp_path, name):
    out = tmp_path / "deep" / name
    for content in ("old", "new"):
        with file_aside(out) as aside:
            assert not out.suffix or aside.suffix == out.suffix  # writers choose their format by it
            aside.write_text(content)
            assert not out.exists() or out.read_text() == "old"
        assert out.read_text() == content
    assert names_in(out.parent) == [name]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("before", [None, "old"])
def test_a_failure_leaves_the_file_before_and_nothing_aside(tmp_path, error, before):
    out = tmp_path / "image.png"
    if before is not None:
        out.write_text(before)
    with pytest.raises(error), file_aside(out) as aside:
        fail(aside, error)
    assert names_in(tmp_path) == ([] if before is None else ["image.png"])
    assert before is None or out.read_text() == before


def test_a_file_that_was_never_written_is_an_error_and_the_one_before_stays(tmp_path):
    out = tmp_path / "image.png"
    out.write_text("old")
    with pytest.raises(FileNotFoundError), file_aside(out):
        pass
    assert out.read_text() == "old"


def test_a_folder_takes_the_place_of_the_one_before_once_it_is_complete(tmp_path):
    out = tmp_path / "deep" / "thing"
    for content in ("old", "new"):
        with folder_aside(out) as aside:
            (aside / content).write_text(content)
            assert names_in(out) == ["old"] if content == "new" else not out.exists()
        assert names_in(out) == [content]
    assert names_in(out.parent) == ["thing"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_folder_before_and_nothing_aside(folder, error):
    (folder.parent / "thingy.part").write_text("a neighbour's")
    with pytest.raises(error), folder_aside(folder) as aside:
        fail(aside / "half", error)
    assert check_done(folder, "thing")["shape"] == [1, 2]
    assert names_in(folder.parent) == ["thing", "thingy.part"]


def test_a_folder_replaces_a_file_or_a_link_and_leaves_what_the_link_shows(tmp_path, folder):
    out = tmp_path / "out"
    for make in (lambda: out.write_text("a file"), lambda: out.symlink_to(folder)):
        make()
        with folder_aside(out) as aside:
            (aside / "new").touch()
        assert names_in(out) == ["new"]
        (out / "new").unlink()
        out.rmdir()
    assert check_done(folder, "thing")["shape"] == [1, 2]


KILLED = """
import os, signal, sys
from pathlib import Path
from pacbed.outputs import file_aside, folder_aside
out = Path(sys.argv[1])
with folder_aside(out / "folder") as folder, file_aside(out / "file.txt") as file:
    (folder / "half").write_text("half")
    file.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_the_outputs_before_and_the_next_run_clears_up(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.txt").write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path])
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "file.txt").read_text() == "old"
    assert names_in(tmp_path / "folder") == []
    with folder_aside(tmp_path / "folder") as folder, file_aside(tmp_path / "file.txt") as file:
        assert names_in(folder) == []
        file.write_text("new")
    assert names_in(tmp_path) == ["file.txt", "folder"]


@pytest.mark.parametrize("error", [None, ValueError])
def test_a_scratch_folder_starts_empty_and_goes(tmp_path, error):
    work = tmp_path / "thing.work.part"
    work.mkdir()
    (work / "left by a killed run").touch()
    with suppress(ValueError), scratch_folder(work) as folder:
        assert names_in(folder) == []
        (folder / "deep").mkdir()
        (folder / "deep" / "file").touch()
        if error is not None:
            raise error("stop")
    assert names_in(tmp_path) == []


@dataclass(frozen=True)
class Facts:
    angles: np.ndarray
    file: Path


def test_values_become_plain_json():
    value = {
        "facts": Facts(np.eye(2, dtype=np.float32), Path("a/b")),
        "count": np.int64(3),
        "share": np.float64(0.1),
        "flag": np.bool_(True),
        "pair": (1, 2.5),
        "none": None,
    }
    assert plain_json(value) == {
        "facts": {"angles": [[1.0, 0.0], [0.0, 1.0]], "file": "a/b"},
        "count": 3,
        "share": 0.1,
        "flag": True,
        "pair": [1, 2.5],
        "none": None,
    }
    json.dumps(plain_json(value))


def test_json_is_indented_utf_8_with_a_line_break_and_keeps_every_number(tmp_path):
    content = {"unit": "Å", "numbers": [0.1, 1e-300, 1 / 3, 2**53 + 1], "nothing": {}}
    write_json(content, tmp_path / "deep" / "a.json")
    text = (tmp_path / "deep" / "a.json").read_bytes().decode("utf-8")
    assert text.startswith('{\n  "unit": "Å",\n')
    assert text.endswith("}\n")
    assert json.loads(text) == content


@pytest.mark.parametrize("number", [float("nan"), float("inf"), np.float32("nan")])
def test_json_without_finite_numbers_is_not_written(tmp_path, number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json({"figure": [1.0, number]}, tmp_path / "a.json")
    assert names_in(tmp_path) == []


def test_text_is_utf_8(tmp_path):
    write_text("30 ± 1 Å\n", tmp_path / "deep" / "a.csv")
    assert (tmp_path / "deep" / "a.csv").read_bytes() == "30 ± 1 Å\n".encode()


def test_description_is_json(folder):
    assert json.loads((folder / "done.json").read_text())["files"] == {"b.txt": 3, "deep/a.bin": 5}


def test_kept_lines_go_on_and_drop_a_half_written_one(tmp_path):
    file = tmp_path / "a" / "rows.jsonl"
    kept = KeptLines(file, {"seed": 1})
    assert kept.rows == []
    kept.append([{"n": 1}, {"n": 2}])
    with file.open("a") as stream:
        stream.write('{"n": ')
    again = KeptLines(file, {"seed": 1})
    assert again.rows == [{"n": 1}, {"n": 2}]
    again.append([{"n": 3}])
    assert [json.loads(line) for line in file.read_text().splitlines()][1:] == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_lines_kept_for_others_are_begun_anew(tmp_path):
    KeptLines(tmp_path / "rows.jsonl", {"seed": 1}).append([{"n": 1}])
    assert KeptLines(tmp_path / "rows.jsonl", {"seed": 2}).rows == []
    assert json.loads((tmp_path / "rows.jsonl").read_text()) == {"made_for": {"seed": 2}}
