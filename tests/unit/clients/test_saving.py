"""Files are complete or absent, and nothing is replaced that was not ours to replace."""

import pytest
from pacbed_client.errors import InputError
from pacbed_client.saving import write_new


def test_a_folder_is_made_and_nothing_else_is_left(tmp_path):
    assert write_new(tmp_path / "new" / "a.json", b"1").read_bytes() == b"1"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]


def test_what_is_there_stays_unless_it_may_go(tmp_path):
    write_new(tmp_path / "a.json", b"1")
    with pytest.raises(InputError, match="a name that is free"):
        write_new(tmp_path / "a.json", b"2")
    assert (tmp_path / "a.json").read_bytes() == b"1"
    assert write_new(tmp_path / "a.json", b"2", overwrite=True).read_bytes() == b"2"


def test_a_name_that_cannot_be_given_leaves_no_piece(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OSError, match=r"a\.json"):
        write_new(tmp_path / "a.json", b"2", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
