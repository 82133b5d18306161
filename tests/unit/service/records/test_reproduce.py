"""A look-up is repeated from its crate alone."""

import io
import json
import zipfile

import pytest

from pacbed.cli import run
from pacbed.errors import FormatError
from pacbed.service.records.reproduce import SAME_NM, Repeated, reproduce


@pytest.fixture(scope="module")
def crate(server, known, tmp_path_factory):
    path = tmp_path_factory.mktemp("crate") / "crate.zip"
    with server.client() as client:
        path.write_bytes(client.get(known["links"]["crate"]).content)
    return path


def test_the_thickness_is_the_same(crate, tiny_bundle_file, capsys):
    again = reproduce(crate, tiny_bundle_file)
    assert again.same and abs(again.before - again.after) <= SAME_NM and again.versions == ()
    assert run(["service", "reproduce", str(crate), "--bundle", str(tiny_bundle_file)]) == 0
    assert "the same" in capsys.readouterr().out


def test_another_answer_is_told(crate, tiny_bundle_file, tmp_path, capsys):
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(crate) as archive, zipfile.ZipFile(changed, "w") as out:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "result.json":
                result = json.loads(content)
                result["thickness_nm"]["value"] += 1e-5
                result["provenance"]["versions"]["numpy"] = "1.0"
                content = json.dumps(result)
            out.writestr(name, content)
    assert run(["service", "reproduce", str(changed), "--bundle", str(tiny_bundle_file)]) == 1
    assert "not the same" in (said := capsys.readouterr().out) and "versions changed: numpy" in said


def test_a_bundle_that_is_not_at_hand_is_asked_for(crate):
    with pytest.raises(FormatError, match=r"bundle: got none with the hash .*--bundle"):
        reproduce(crate)


@pytest.mark.parametrize("members", [{}, {"request.json": b"{}"}, {"request.json": b"[", "result.json": b"{}"}])
def test_what_is_no_crate_is_told(members, tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    (tmp_path / "x.zip").write_bytes(stream.getvalue())
    with pytest.raises(FormatError, match=r"x\.zip"):
        reproduce(tmp_path / "x.zip")
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(FormatError, match="damaged"):
        reproduce(tmp_path / "x.zip")


def test_answers_without_a_thickness():
    assert Repeated(None, None, ("refused", "refused"), ()).same
    assert not Repeated(None, 3.0, ("refused", "ok"), ()).same
    assert not Repeated(3.0, 3.0, ("ok", "doubtful"), ()).same
