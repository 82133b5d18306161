"""A crate is an RO-Crate 1.1 that its reference library reads."""

import io
import json
import zipfile

import pytest
from rocrate.rocrate import ROCrate

from pacbed.service.records.crate import Contents, write_crate

PROVENANCE = {"bundle": "tiny.pacbed", "bundle_sha256": "b" * 64, "versions": {"pacbed": "0.1.0", "numpy": "2.1"}}


@pytest.fixture
def contents(tmp_path):
    (tmp_path / "f.tif").write_bytes(b"pixels")
    (tmp_path / "sheet.png").write_bytes(b"\x89PNG")
    result = {"verdict": "ok", "provenance": PROVENANCE}
    request = {"input": "<film> 多.tif", "options": {}, "raw": None}
    return Contents("a" * 64, 1e9, request, result, tmp_path / "f.tif", tmp_path / "sheet.png")


def test_the_reference_library_reads_it(contents, tmp_path):
    (tmp_path / "crate.zip").write_bytes(write_crate(contents))
    crate = ROCrate(tmp_path / "crate.zip")
    action = crate.get("#lookup")
    assert action.type == "CreateAction" and action["instrument"][0].id == "#pacbed"
    assert {one.id for one in action["object"]} == {"pattern.tif", "request.json", f"#bundle-{'b' * 64}"}
    assert {one.id for one in action["result"]} == {"result.json", "sheet.png"}
    assert crate.get("pattern.tif")["alternateName"] == "<film> 多.tif"
    assert crate.get("#pacbed")["softwareVersion"] == "0.1.0"
    assert crate.get(f"#bundle-{'b' * 64}")["identifier"] == f"sha256:{'b' * 64}"
    parts = {"pattern.tif", "request.json", "result.json", "sheet.png"}
    assert {one.id for one in crate.root_dataset["hasPart"]} == parts


def test_every_file_is_described_and_the_same_gives_the_same(contents):
    content = write_crate(contents)
    assert content == write_crate(contents)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        described = {one["@id"] for one in json.loads(archive.read("ro-crate-metadata.json"))["@graph"]}
        assert set(archive.namelist()) <= described
        assert json.loads(archive.read("result.json")) == contents.result
        assert archive.read("pattern.tif") == b"pixels"
