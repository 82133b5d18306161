import json
from pathlib import Path

import pytest

from pacbed.analysis.maps.stored import MAP_FILES
from pacbed.analysis.report.names import FREE, OWN, TAKEN, maps_in, names_for, predictions_in
from pacbed.analysis.result import write_result


def anything(file, name):
    return FREE


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a.tif"], ["a"]),
        (["a.tif", "b.tif"], ["a", "b"]),
        (["d/a.tif", "d/a.npy", "d/a_2.tif"], ["a.tif", "a.npy", "a_2"]),
        (["d/a.npy", "d/a_2.tif", "d/a.tif"], ["a.npy", "a_2", "a.tif"]),
        (["one/a.tif", "two/a.tif", "two/a.npy"], ["one_a.tif", "two_a.tif", "a.npy"]),
        (["one/d/a.tif", "two/d/a.tif"], ["d_a.tif_2", "d_a.tif_3"]),
        (["d/A.tif", "d/a.npy"], ["A.tif", "a.npy"]),
        (["d/a.npy.tif", "d/a.tif", "d/a.npy"], ["a.npy", "a.tif", "d_a.npy"]),
        (["d/a.tif", "d/a.tif"], ["a", "a"]),
        (["d/scan.zarr"], ["scan"]),
        ([], []),
    ],
)
def test_every_input_has_a_name_of_its_own(files, names):
    assert names_for([Path(file) for file in files], anything) == names


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("frame 3", "a_frame_3"),
        ("frame 3,4", "a_frame_3_4"),
        ("dataset /b/pattern, frame 0", "a_dataset_b_pattern_frame_0"),
        ("dataset Mittelwert über 4.5 nm", "a_dataset_Mittelwert_über_4.5_nm"),
    ],
)
def test_every_pattern_of_a_file_has_a_name_of_its_own(part, name):
    assert names_for([Path("d/a.npy")], anything, part) == [name]


def test_names_that_are_not_free_are_passed_over():
    taken = {"a", "a.tif", "d_a.tif", "d_a.tif_2"}
    assert names_for([Path("d/a.tif")], lambda file, name: TAKEN if name in taken else FREE) == ["d_a.tif_3"]


@pytest.fixture
def stored(analysis, tmp_path):
    """Function that writes a result of an input, with or without its path, as `film.json`."""

    def write(name, path=None):
        provenance = analysis.result.provenance
        parameters = {**provenance.parameters, **({} if path is None else {"path": str(path)})}
        provenance = provenance.model_copy(update={"input": name, "parameters": parameters})
        write_result(analysis.result.model_copy(update={"provenance": provenance}), tmp_path / "film.json")

    return write


def test_an_earlier_result_keeps_its_name():
    """Also where the call holds no other of the stem."""
    assert names_for([Path("d/a.npy")], lambda file, name: OWN if name == "a.npy" else FREE) == ["a.npy"]


def test_a_result_is_replaced_by_that_of_the_same_input_only(stored, tmp_path):
    standing = predictions_in(tmp_path, (".json", ".png"))
    film = tmp_path / "monday" / "film.tif"
    assert standing(film, "film") == FREE
    stored("film.tif", film)
    (tmp_path / "film.png").touch()
    assert standing(film, "film") == OWN
    assert standing(tmp_path / "monday" / "film.npy", "film") == TAKEN
    assert standing(tmp_path / "tuesday" / "film.tif", "film") == TAKEN


def test_the_result_of_another_pattern_of_the_file_is_not_replaced(stored, tmp_path):
    stored("film.npy", tmp_path / "film.npy")
    assert predictions_in(tmp_path, (".json", ".png"), part="frame 1")(tmp_path / "film.npy", "film") == TAKEN


def test_results_of_before_know_the_name_of_their_input(stored, tmp_path):
    standing = predictions_in(tmp_path, (".json", ".png"))
    stored("film.tif")
    assert standing(tmp_path / "film.tif", "film") == OWN
    assert standing(tmp_path / "film.npy", "film") == TAKEN


def test_a_file_that_is_read_is_never_replaced(stored, tmp_path):
    """Also where an earlier result has the name: that of a version which wrote fewer files, say."""
    ends, film = (".json", "_match.tif"), tmp_path / "film.tif"
    stored("film.tif", film)
    (tmp_path / "film_match.tif").touch()
    assert predictions_in(tmp_path, ends)(film, "film") == OWN
    assert predictions_in(tmp_path, ends, [tmp_path / "elsewhere" / ".." / "film_match.tif"])(film, "film") == TAKEN


def test_links_in_a_circle_stand_in_nobodys_way(stored, tmp_path):
    for name in ("loop.tif", "film.png"):
        (tmp_path / name).symlink_to(name)
    standing = predictions_in(tmp_path, (".json", ".png"), [tmp_path / "loop.tif"])
    assert standing(tmp_path / "loop.tif", "loop") == FREE
    stored("film.tif", tmp_path / "film.tif")
    assert standing(tmp_path / "film.tif", "film") == OWN
    assert standing(tmp_path / "film.tif", "x" * 300) == FREE, "no file has such a name"


@pytest.mark.parametrize("name", ["film.json", "film.png"])
def test_what_is_no_result_is_the_users(tmp_path, name):
    (tmp_path / name).write_text("{}")
    assert predictions_in(tmp_path, (".json", ".png"))(tmp_path / "film.tif", "film") == TAKEN


def test_a_map_is_replaced_by_that_of_the_same_data_only(tmp_path):
    standing, data = maps_in(tmp_path), tmp_path / "data" / "scan.npy"
    assert standing(data, "scan") == FREE
    (tmp_path / "scan").mkdir()
    assert standing(data, "scan") == TAKEN, "a folder of the user's"
    for file in MAP_FILES:
        (tmp_path / "scan" / file).write_text("")
    assert standing(data, "scan") == TAKEN, "damaged"
    (tmp_path / "scan" / "map.json").write_text(json.dumps({"input": "scan.npy", "path": str(data)}))
    assert standing(data, "scan") == OWN and standing(tmp_path / "scan.npy", "scan") == TAKEN
    (tmp_path / "scan" / "map.json").write_text(json.dumps({"input": "scan.npy"}))
    assert standing(data, "scan") == OWN and standing(tmp_path / "scan.hspy", "scan") == TAKEN
    (tmp_path / "scan" / "notes.txt").write_text("mine")
    assert standing(data, "scan") == TAKEN, "notes of the user's would be lost"


def test_a_picture_alone_is_the_users(tmp_path):
    (tmp_path / "scan.png").touch()
    assert maps_in(tmp_path)(tmp_path / "scan.npy", "scan") == TAKEN
