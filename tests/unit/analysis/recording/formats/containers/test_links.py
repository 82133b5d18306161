import h5py
import numpy as np
import pytest

from pacbed.analysis.recording.formats.containers.links import follow_link, linked_objects
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.errors import PatternError


def write(file, target, path="/film"):
    with h5py.File(file, "w") as store:
        store["entry/data/film"] = h5py.ExternalLink(target, path)
        store["entry/alias"] = h5py.SoftLink("/entry/data")
    return file


def test_a_link_inside_the_folder_is_followed(tmp_path, image):
    (tmp_path / "frames").mkdir()
    with h5py.File(tmp_path / "frames" / "part.h5", "w") as store:
        store["film"] = image
    file = write(tmp_path / "a.h5", "frames/part.h5")
    np.testing.assert_array_equal(read_pattern(file).array, image)
    with h5py.File(file) as store:
        assert [name for name, _ in linked_objects(store, file)] == ["entry/data/film"]


@pytest.fixture
def frames(tmp_path, image):
    """A file of frames below a group that links back to itself, to the first file and to the file's own array."""
    with h5py.File(tmp_path / "frames.h5", "w") as store:
        store["entry/data/film"] = image
        store["entry/self"] = h5py.SoftLink("/entry")
        store["entry/back"] = h5py.ExternalLink("a.h5", "/")
        store["entry/again"] = h5py.SoftLink("/entry/data/film")
        store["entry/nowhere"] = h5py.SoftLink("/gone")
        store["entry/itself"] = h5py.SoftLink("/entry/itself")
        store["entry/its_file"] = h5py.ExternalLink("frames.h5", "/entry/its_file")
    return "frames.h5"


@pytest.mark.parametrize(
    ("path", "name"), [("/entry", "scan/data/film"), ("/", "scan/entry/data/film"), ("/entry/data", "scan/film")]
)
def test_linked_groups_are_walked_through_and_lead_round_once(tmp_path, image, frames, path, name):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["scan"] = h5py.ExternalLink(frames, path)
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.h5").array, image)
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.h5", dataset=name).array, image)


def test_a_soft_link_through_another_file_is_followed(tmp_path, image, frames):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["part"] = h5py.ExternalLink(frames, "/entry/data/film")
        store["other/whole"] = image + 1
        store["group"] = h5py.ExternalLink(frames, "/entry")
        store["film"] = h5py.SoftLink("/group/data/film")
    with h5py.File(tmp_path / "a.h5") as store:
        names = [name for name, item in linked_objects(store, tmp_path / "a.h5") if hasattr(item, "shape")]
    assert names == ["group/data/film"], "one array, whatever it is called"


def test_files_behind_a_linked_group_stay_in_the_folder(tmp_path, image):
    (tmp_path / "mine" / "parts").mkdir(parents=True)
    with h5py.File(tmp_path / "mine" / "parts" / "inner.h5", "w") as store:
        store["entry/film"] = h5py.ExternalLink("../beside.h5", "/film")
    with h5py.File(tmp_path / "mine" / "a.h5", "w") as store:
        store["scan"] = h5py.ExternalLink("parts/inner.h5", "/entry")
    for place in (tmp_path / "mine" / "beside.h5", tmp_path / "beside.h5"):
        with h5py.File(place, "w") as store:
            store["film"] = image
    np.testing.assert_array_equal(read_pattern(tmp_path / "mine" / "a.h5").array, image)
    with h5py.File(tmp_path / "mine" / "parts" / "inner.h5", "a") as store:
        del store["entry/film"]
        store["entry/film"] = h5py.ExternalLink("../../beside.h5", "/film")
    with pytest.raises(PatternError, match="references to files of its own folder only"):
        read_pattern(tmp_path / "mine" / "a.h5")
    with (
        h5py.File(tmp_path / "mine" / "a.h5") as store,
        pytest.raises(PatternError, match="accepted: links inside the file's own folder"),
    ):
        list(linked_objects(store, tmp_path / "mine" / "a.h5"))


@pytest.mark.parametrize("target", ["../part.h5", "frames/../../part.h5", "{folder}/part.h5"])
def test_a_link_out_of_the_folder_is_refused(tmp_path, image, target):
    folder = tmp_path / "mine"
    folder.mkdir()
    with h5py.File(tmp_path / "part.h5", "w") as store:
        store["film"] = image
    with pytest.raises(PatternError, match="accepted: references to files of its own folder only"):
        read_pattern(write(folder / "a.h5", target.format(folder=tmp_path)))


def test_a_symbolic_link_does_not_hide_where_it_leads(tmp_path, image):
    folder = tmp_path / "mine"
    folder.mkdir()
    with h5py.File(tmp_path / "part.h5", "w") as store:
        store["film"] = image
    (folder / "part.h5").symlink_to(tmp_path / "part.h5")
    with pytest.raises(PatternError, match="own folder"):
        read_pattern(write(folder / "a.h5", "part.h5"))


def test_a_link_to_nothing_is_named(tmp_path):
    with (
        h5py.File(write(tmp_path / "a.h5", "gone.h5")) as store,
        pytest.raises(PatternError, match=r"gone\.h5, which is"),
    ):
        follow_link(store["entry/data"], "film", tmp_path / "a.h5")
