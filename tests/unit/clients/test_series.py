"""Many patterns: failures stay entries, and what is saved is not asked again."""

import csv
import json

import numpy as np
import pytest
from pacbed_client import InputError, Service, UnreachableError, map_patterns
from pacbed_client.series import print_progress

from tests.unit.clients.conftest import ASKED

QUICK = {**ASKED, "refine": False}


@pytest.fixture(scope="module")
def files(camera, tmp_path_factory):
    """Three patterns, between them one that is none and one that is missing."""
    folder = tmp_path_factory.mktemp("files")
    for number in range(3):
        np.save(folder / f"film {number}.npy", camera(seed=number))
    (folder / "notes.txt").write_text("no pattern")
    names = ["film 0.npy", "notes.txt", "film 1.npy", "none.npy", "film 2.npy"]
    return [folder / name for name in names]


class Counting:
    """Counts what is asked of a service."""

    def __init__(self, monkeypatch):
        self.asked = []
        real = Service.look_up

        def look_up(service, fields, name, content):
            self.asked.append(name)
            return real(service, fields, name, content)

        monkeypatch.setattr(Service, "look_up", look_up)


@pytest.fixture
def counting(monkeypatch):
    return Counting(monkeypatch)


def test_failures_are_kept_and_the_rest_is_answered(service, files, tmp_path, capsys):
    told = []
    entries = map_patterns(files, tmp_path, service, progress=lambda *one: told.append(one), **QUICK)
    assert [entry.name for entry in entries] == [file.name for file in files]
    assert [entry.status == 2 for entry in entries] == [False, True, False, True, False]
    assert "the service answers 422: file: got 'notes.txt'" in entries[1].error
    assert "none.npy cannot be read" in entries[3].error
    assert told == [(number + 1, 5, entry) for number, entry in enumerate(entries)]
    rows = list(csv.DictReader((tmp_path / "patterns.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["pattern"] for row in rows] == [file.name for file in files]
    assert rows[0]["verdict"] == entries[0].result.verdict and rows[1]["verdict"] == "no result"
    assert float(rows[2]["thickness_nm"]) == pytest.approx(entries[2].result.thickness_nm, rel=1e-5)
    assert len(list(tmp_path.glob("*.json"))) == 3 and capsys.readouterr().err == ""


def test_called_again_it_asks_for_what_is_missing(service, files, tmp_path, counting):
    first = map_patterns(files[:3], tmp_path, service, progress=None, **QUICK)
    (broken,) = tmp_path.glob("film_1.npy-*.json")
    broken.write_text(broken.read_text(encoding="utf-8")[:100])
    counting.asked.clear()
    again = map_patterns(files, tmp_path, service, progress=None, **QUICK)
    assert counting.asked == ["notes.txt", "film 1.npy", "film 2.npy"]
    assert [entry.again for entry in again] == [True, False, False, False, False]
    assert again[0].result.thickness_nm == first[0].result.thickness_nm
    assert again[0].result.result == first[0].result.result


def test_an_interruption_keeps_what_was_answered(service, files, tmp_path, counting):
    def stop(done, total, entry):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_patterns(files[::2], tmp_path, service, progress=stop, **QUICK)
    entries = map_patterns(files[::2], tmp_path, service, progress=None, **QUICK)
    assert counting.asked == ["film 0.npy", "film 1.npy", "film 2.npy"]
    assert entries[0].again


def test_another_question_pattern_or_bundle_is_asked(service, files, tmp_path, counting, monkeypatch):
    def ask(pattern=files[0], **more):
        counting.asked.clear()
        map_patterns({"one": pattern}, tmp_path, service, progress=None, **{**QUICK, **more})
        return len(counting.asked)

    assert (ask(), ask()) == (1, 0)
    assert (ask(convergence_mrad=14.1), ask(convergence_mrad=14.1)) == (1, 0)
    assert ask(files[2]) == 1
    remade = [{**one, "sha256": "0" * 64} for one in service.bundles()]
    monkeypatch.setattr(Service, "bundles", lambda service: remade)
    assert ask() == 1
    assert len(list(tmp_path.glob("one-*.json"))) == 4


def test_arrays_are_called_by_their_place_and_mappings_by_their_names(service, camera, tmp_path):
    arrays = [camera(seed=0), camera(seed=1)[None], camera(seed=2)]
    entries = map_patterns(arrays, tmp_path / "a", service, progress=None, **QUICK)
    assert [entry.name for entry in entries] == ["0000", "0001", "0002"]
    assert "one pattern with axes (y, x)" in entries[1].error
    named = map_patterns({"../über": arrays[0]}, tmp_path / "b", service, progress=None, **QUICK)
    assert named[0].name == "../über"
    assert [path.parent for path in tmp_path.rglob("*ber*")] == [tmp_path / "b"]
    saved = json.loads(named[0].file.read_text(encoding="utf-8"))
    assert saved["schema_version"] == 1 and saved["answer"]["result"]["verdict"] == named[0].result.verdict


def test_progress_is_told_on_standard_error(service, files, tmp_path, capsys):
    map_patterns(files[:2], tmp_path, service, **QUICK)
    map_patterns(files[:1], tmp_path, service, progress=print_progress, **QUICK)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("1 of 2: film 0.npy: ") and lines[1].startswith("2 of 2: notes.txt: the service")
    assert lines[2].endswith("(saved before)")


def test_nothing_is_begun_that_cannot_end(service, files, tmp_path):
    with pytest.raises(InputError, match="bundle: got none"):
        map_patterns(files, tmp_path, service)
    with pytest.raises(UnreachableError):
        map_patterns(files, tmp_path, Service("http://127.0.0.1:1"), **QUICK)
    (tmp_path / "patterns.csv").write_text("my own notes")
    with pytest.raises(InputError, match="not a table of this program"):
        map_patterns(files, tmp_path, service, **QUICK)
    assert (tmp_path / "patterns.csv").read_text() == "my own notes"
