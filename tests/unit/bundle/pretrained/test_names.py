"""A path counts first, then a name; a wrong name is told what is near."""

import pytest

from pacbed import shipped
from pacbed.bundle.pretrained.names import find_bundle, shipped_bundles
from pacbed.bundle.reader import load_bundle
from pacbed.errors import FormatError


@pytest.fixture
def shelf(tmp_path, monkeypatch, slim_file):
    """Two bundles that ship; the working folder is another."""
    folder = tmp_path / "root" / "pretrained"
    folder.mkdir(parents=True)
    for name in ("srtio3_300kv", "rutile_80kv"):
        (folder / f"{name}.pacbed").write_bytes(slim_file.read_bytes())
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path / "root",))
    monkeypatch.chdir(tmp_path)
    return folder


def test_names_are_found_and_open(shelf):
    assert list(shipped_bundles()) == ["rutile_80kv", "srtio3_300kv"]
    assert find_bundle("srtio3_300kv") == shelf / "srtio3_300kv.pacbed"
    assert load_bundle("rutile_80kv").meta.system == "tiny"


def test_what_lies_there_counts_first(shelf, tmp_path):
    (tmp_path / "srtio3_300kv").mkdir()
    assert not find_bundle("srtio3_300kv").is_relative_to(shelf)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("srtio3_30kv", "or a name that pacbed list shows, such as srtio3_300kv"),
        ("rutile", "such as rutile_80kv"),
        ("quartz", "such as rutile_80kv, srtio3_300kv"),
        ("gone/srtio3_300kv.pacbed", r"folder that exists$"),
    ],
)
def test_an_unknown_name_is_one_line_with_the_nearest(shelf, name, text):
    with pytest.raises(FormatError, match=rf"^bundle: got '{name}', accepted: a \.pacbed file or .*{text}") as e:
        find_bundle(name)
    assert len(str(e.value).splitlines()) == 1
