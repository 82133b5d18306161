import h5py
import numpy as np
import pytest

from pacbed.analysis.recording.formats.containers.links import follow_link, linked_names
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
        assert linked_names(store) == ["entry/data/film"]


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
