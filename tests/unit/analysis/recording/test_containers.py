from pathlib import Path

import h5py
import numpy as np
import pytest

from pacbed.analysis.recording.containers import choose_dataset, hdf5_names, one_line, plugin_for
from pacbed.errors import PatternError

FILE = Path("film.h5")


@pytest.mark.parametrize(("asked", "chosen"), [("b/second", "b/second"), ("/a/first", "a/first"), ("1", "b/second")])
def test_a_data_set_is_chosen_by_path_or_number(asked, chosen):
    assert choose_dataset(FILE, asked, ["a/first", "b/second"]) == chosen


def test_one_alone_needs_no_choice():
    assert choose_dataset(FILE, None, ["only"]) == "only"


@pytest.mark.parametrize(
    ("asked", "names", "text"),
    [
        (None, [], "holds no image"),
        (None, ["a", "b"], "got none for film.h5, accepted: one of a, b"),
        ("2", ["a", "b"], "got '2', accepted: one of a, b"),
        ("c", ["a", "b"], "got 'c'"),
    ],
)
def test_a_choice_that_is_none_lists_what_there_is(asked, names, text):
    with pytest.raises(PatternError, match=text):
        choose_dataset(FILE, asked, names)


def test_a_long_list_is_cut():
    with pytest.raises(PatternError) as caught:
        choose_dataset(FILE, None, [f"set_{number:02}" for number in range(40)])
    assert "set_11" in str(caught.value) and "set_12" not in str(caught.value)


def test_only_arrays_of_numbers_with_enough_axes_count(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["scan/data"] = np.zeros((2, 3, 4, 5))
        store["scan/line"] = np.zeros((3, 4, 5), dtype=np.uint16)
        store["image"] = np.zeros((4, 5), dtype=np.int8)
        store["axis"] = np.zeros(5)
        store["wave"] = np.zeros((4, 5), dtype=complex)
        store["name"] = "film"
        assert sorted(hdf5_names(store, axes=2)) == ["image", "scan/data", "scan/line"]
        assert sorted(hdf5_names(store, axes=3)) == ["scan/data", "scan/line"]
        assert hdf5_names(store, axes=4) == ["scan/data"]


@pytest.mark.parametrize(
    ("name", "module"), [("a.dm4", "digitalmicrograph"), ("A.MRC", "mrc"), ("a.hspy", "hspy"), ("a.tif", "tiff")]
)
def test_the_suffix_says_who_reads(name, module):
    assert plugin_for(Path(name)).__name__ == f"rsciio.{module}"


def test_an_unknown_suffix_names_what_is_read():
    with pytest.raises(PatternError, match=r"ending in '\.xyz' \(a\.xyz\), accepted: \.tif .* RosettaSciIO"):
        plugin_for(Path("a.xyz"))


def test_an_error_of_many_lines_becomes_one():
    assert one_line(ValueError("first\n  second\tthird")) == "ValueError: first second third"
    assert len(one_line(ValueError("x" * 1000))) < 220
