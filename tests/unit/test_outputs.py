"""Folders that say when they are complete, and nothing half-written after a failure."""

import json

import pytest

from pacbed.errors import FormatError
from pacbed.outputs import check_done, check_version, folder_aside, leaves_nothing_half_written, write_done


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


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_stays_aside_after_a_failure(tmp_path, error):
    @leaves_nothing_half_written("out")
    def work(fails, *, out):
        """Its text."""
        (out.parent / f"{out.name}.part").mkdir()
        (out.parent / f"{out.name}.folder.part").write_text("half")
        if fails:
            raise error("stop")
        return 7

    (tmp_path / "thing.zip").write_text("old")
    (tmp_path / "thingy.part").write_text("a neighbour's")
    with pytest.raises(error):
        work(True, out=tmp_path / "thing")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thing.zip", "thingy.part"]
    assert work(False, out=tmp_path / "thing") == 7
    assert (tmp_path / "thing.part").is_dir()
    assert work.__doc__ == "Its text."


def test_a_folder_takes_the_place_of_the_one_before_once_it_is_complete(tmp_path):
    out = tmp_path / "deep" / "thing"
    for content in ("old", "new"):
        (tmp_path / "deep" / "thing.part" / "rest").mkdir(parents=True)
        with folder_aside(out) as aside:
            (aside / content).write_text(content)
    assert [path.name for path in out.iterdir()] == ["new"]
    with pytest.raises(ValueError, match="stop"), folder_aside(out) as aside:
        raise ValueError("stop")
    assert (out / "new").is_file()


def test_description_is_json(folder):
    assert json.loads((folder / "done.json").read_text())["files"] == {"b.txt": 3, "deep/a.bin": 5}
