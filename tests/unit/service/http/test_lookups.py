"""Look-ups over HTTP: answered as the command line answers, kept, shared, deleted."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from tests.unit.service.conftest import as_npy, ask_known, asked

LOOKUPS = "/api/v1/lookups"


@pytest.fixture(scope="session", params=["sqlite_server", "postgresql_server"])
def server(request):
    """On SQLite with counters in memory, and on PostgreSQL with Redis."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def known(server, npy):
    """A look-up that is in the store of this one."""
    return ask_known(server, npy)


def post(client, content, name="film.npy", **fields):
    return client.post(LOOKUPS, files={"file": (name, content)}, data=asked(**fields))


def test_the_answer_is_that_of_the_command_line(client, server, npy, tmp_path):
    answer = post(client, npy)
    assert answer.status_code == 200, answer.text
    (tmp_path / "film.npy").write_bytes(npy)
    command = [sys.executable, "-m", "pacbed.cli", "predict", server.bundles / "tiny.pacbed", tmp_path / "film.npy"]
    command += ["--convergence-mrad", "14", "--json", "--out", tmp_path]
    printed = json.loads(subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout)
    result = answer.json()["result"]
    assert result["provenance"]["input"] == "film.npy"
    printed["provenance"]["parameters"]["path"] = "film.npy"
    assert result == printed
    assert answer.json()["thickness_nm"] == printed["thickness_nm"]["value"]
    assert server.scratch() == []


def test_asked_again_it_comes_from_the_store_and_another_name_is_no_other_question(client, npy, known):
    again = post(client, npy, "other.npy", sheet="inline").json()
    assert again["id"] == known["id"] and again["again"]
    assert again["input"] == again["result"]["provenance"]["input"] == "other.npy"
    assert base64.b64decode(again["sheet"]).startswith(b"\x89PNG")
    assert client.get(f"{LOOKUPS}/{known['id']}").json()["result"]["thickness_nm"] == known["result"]["thickness_nm"]


def test_other_parameters_are_another_look_up(client, npy, known):
    alone = post(client, npy, refine="false").json()
    assert alone["id"] != known["id"] and alone["links"]["sheet"] is None
    assert client.get(f"{LOOKUPS}/{alone['id']}/sheet.png").status_code == 404


def test_the_crystal_finds_its_bundle(client, npy, server):
    energy = client.get("/api/v1/bundles").json()[0]["energy_kev"]
    crystal = client.get("/api/v1/bundles").json()[0]["crystal"]["formula"]
    fields = {"crystal": crystal, "axis": "[0 0 -2]", "voltage_kv": str(energy), "convergence_mrad": "14"}
    answer = client.post(LOOKUPS, files={"file": ("film.npy", npy)}, data=fields)
    assert answer.status_code == 200, answer.text
    assert answer.json()["bundle"] == "tiny.pacbed"


def test_sheet_list_and_crate(client, known):
    base = f"{LOOKUPS}/{known['id']}"
    assert client.get(f"{base}/sheet.png").content.startswith(b"\x89PNG")
    array = np.load(io.BytesIO(client.get(f"{base}/sheet.npy").content))
    assert array.dtype == np.uint8 and array.shape[2] == 3 and array.min() < array.max()
    assert known["id"] in [one["id"] for one in client.get(LOOKUPS).json()]
    crate = zipfile.ZipFile(io.BytesIO(client.get(f"{base}/crate.zip").content))
    assert {"ro-crate-metadata.json", "request.json", "result.json", "sheet.png", "pattern.npy"} == set(
        crate.namelist()
    )


def test_a_look_up_is_private_until_it_is_shared(server, client, known):
    base = f"{LOOKUPS}/{known['id']}"
    other, nobody = server.client(server.new_token("reader")), server.client(None)
    with other, nobody:
        assert other.get(base).status_code == other.delete(base).status_code == 404
        assert nobody.get(base).status_code == 401
        link = client.post(f"{base}/share").json()["link"]
        assert nobody.get(link).json()["result"] == client.get(base).json()["result"]
        assert nobody.get(link.replace("?", "/sheet.png?")).status_code == 200
        assert nobody.get(f"{base}?key=guessed").status_code == 404
        assert client.post(f"{base}/share?shared=false").json() == {"link": ""}
        assert nobody.get(link).status_code == 404


def test_two_who_ask_the_same_see_their_own_names(server, client, npy, known):
    with server.client(server.new_token("second")) as other:
        answer = post(other, npy, "secret-name.npy").json()
        assert answer["id"] == known["id"]
        assert "secret-name" not in client.get(f"{LOOKUPS}/{known['id']}").text
        assert other.delete(f"{LOOKUPS}/{answer['id']}").status_code == 204
        assert other.get(f"{LOOKUPS}/{answer['id']}").status_code == 404
    assert client.get(f"{LOOKUPS}/{known['id']}/sheet.png").status_code == 200


def test_what_is_deleted_is_gone_from_the_disk(client, server, pattern):
    answer = post(client, as_npy(pattern + 1)).json()
    kept = server.home / "answers" / answer["id"][:2] / answer["id"]
    assert kept.is_dir()
    patterns = len(list((server.home / "patterns").rglob("*.npy")))
    assert client.delete(f"{LOOKUPS}/{answer['id']}").status_code == 204
    assert not kept.exists()
    assert len(list((server.home / "patterns").rglob("*.npy"))) == patterns - 1


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"answer": "right"}, 204),
        ({"answer": "wrong", "thickness_nm": 12.5, "comment": "<b>EELS</b>"}, 204),
        ({"answer": "unsure", "comment": "no text of every database: \0"}, 204),
        ({"answer": "perhaps"}, 422),
        ({"answer": "right", "thickness_nm": -1}, 422),
        ({}, 422),
    ],
)
def test_feedback(client, known, said, status):
    assert client.post(f"{LOOKUPS}/{known['id']}/feedback", json=said).status_code == status


def test_a_named_token_is_limited_and_told_so(server, pattern):
    with server.client(server.new_token("hurried")) as hurried:
        statuses = [post(hurried, as_npy(pattern[:, :n]), refine="false").status_code for n in range(110, 117)]
        assert statuses[:5] == [200] * 5 and statuses[5:] == [429, 429]
        refused = post(hurried, as_npy(pattern))
        assert int(refused.headers["Retry-After"]) >= 1 and "5 look-ups a minute" in refused.json()["detail"]
        left = hurried.get("/api/v1/limits").json()
        assert left["left"]["per_minute"] == 0 and left["limits"]["per_minute"] == 5
        assert 0 < left["left"]["kept_bytes"] < 2e9


def test_own_look_ups_are_searched(client, npy):
    """The same pattern under another name is the same look-up, with the latest name."""
    asked_now = post(client, npy, "Searched film.npy", refine="false").json()

    def names(**query):
        return {one["input"] for one in client.get(LOOKUPS, params={"limit": 500, **query}).json()}

    searched = {"Searched film.npy"}
    assert names(search="SEARCHED tiny") == searched == names(search=asked_now["id"][:12])
    assert names(search="no such name") == set() == names(bundle="other") == names(since=1e11)
    assert names(search="searched", bundle="tiny", verdict=asked_now["verdict"]) == searched
    assert client.get(LOOKUPS, params={"verdict": "good"}).status_code == 422
