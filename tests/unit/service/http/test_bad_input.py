"""Bad input over HTTP: never a 500 and never a trace, the workers live, nothing is left on the disk."""

from __future__ import annotations

import io
import json
import socket
import struct
import zipfile
import zlib

import h5py
import httpx
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from tests.unit.service.conftest import STALL_S, as_npy, asked

LOOKUPS = "/api/v1/lookups"
MIB = 2**20


@pytest.fixture(autouse=True)
def _nothing_is_left(server):
    """After each test the same worker lives and no file of a request is there."""
    kept = sum(1 for file in (server.home / "patterns").rglob("*") if file.is_file())
    workers = {process.pid for process in server.workers()}
    yield
    server.wait_for(lambda: server.scratch() == [], 10)
    assert {process.pid for process in server.workers()} == workers
    assert sum(1 for file in (server.home / "patterns").rglob("*") if file.is_file()) == kept


def refused(answer, status, said=""):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status and said in problem["detail"]
    assert "Traceback" not in answer.text and "/scratch/" not in answer.text


def post(client, content, name="film.npy", **fields):
    return client.post(LOOKUPS, files={"file": (name, content)}, data=asked(**fields))


def in_file(tmp_path, name, write):
    """Bytes of a file that a function writes to a path."""
    write(tmp_path / name)
    return (tmp_path / name).read_bytes()


@pytest.mark.parametrize("length", [True, False])
def test_a_body_that_is_too_large(client, length):
    head, tail = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.npy"\r\n\r\n', b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    if length:
        headers["Content-Length"] = str(len(head) + 80 * MIB + len(tail))
    body = (piece for piece in (head, *[bytes(MIB)] * 80, tail))
    try:
        refused(client.post(LOOKUPS, content=body, headers=headers), 413)
    except httpx.TransportError:  # the answer came before all was sent
        assert length


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((64, 64), np.float32), "in every pixel"),
        (np.ones((64, 64), complex), "real numbers"),
        (np.ones((3, 64, 64)), "accepted: one"),
        (np.arange(400.0).reshape(20, 20), "at least 32"),
        (np.random.default_rng(1).random((33, 8300)), "8192"),
        (np.full((64, 64), np.nan), "finite"),
        (np.array([{"a": 1}] * 4096, dtype=object).reshape(64, 64), ""),
    ],
)
def test_arrays_that_are_no_pattern(client, array, said):
    refused(post(client, as_npy(array)), 422, said)


def test_big_endian_numbers_are_read_and_not_misread(client, pattern):
    """A file says its byte order; only bytes without a header may not have another."""
    answer = post(client, as_npy(pattern.astype(">f4")), refine="false")
    assert answer.status_code == 200
    assert client.delete(f"{LOOKUPS}/{answer.json()['id']}").status_code == 204


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.dm4", "a.h5", "a.npz", "a.mib", "a.blo", "a.ser", "a.mrc"])
@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"<script>alert(1)</script>" * 20])
def test_files_of_nothing(client, name, content):
    refused(post(client, content, name), 422)


def test_coloured_pictures(client):
    image = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    refused(post(client, iio.imwrite("<bytes>", image, extension=".png"), "a.png"), 422)


def hdf5_bomb(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (60_000, 60_000), "f8", chunks=(1000, 1000), compression="gzip", fillvalue=1.0)


def hdf5_external(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (64, 64), "u1", external=[("/etc/passwd", 0, 4096)])


def hdf5_link(path):
    with h5py.File(path, "w") as file:
        file["data"] = h5py.ExternalLink("/etc/passwd", "/x")


def npz_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("data.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": (2**16, 2**16)})
        member.write(bytes(4 * MIB))


def npz_pickle(path):
    np.savez(path, data=np.array([{"a": 1}] * 4, dtype=object))


def tiff_of_many_pages(path):
    tifffile.imwrite(path, np.zeros((64, 64), np.uint8), metadata=None)
    content = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", content, 4)
    (tags,) = struct.unpack_from("<H", content, first)
    struct.pack_into("<I", content, first + 2 + 12 * tags, first)  # the next page is this one, for ever
    path.write_bytes(content)


def large_png(path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">2I5B", 50_000, 50_000, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(MIB))) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.h5", hdf5_bomb), ("a.h5", hdf5_external), ("a.h5", hdf5_link), ("a.npz", npz_bomb), ("a.npz", npz_pickle),
     ("a.tif", tiff_of_many_pages), ("a.png", large_png)],
)  # fmt: skip
def test_bombs_and_files_that_reach_elsewhere(client, tmp_path, name, write):
    answer = post(client, in_file(tmp_path, name, write), name)
    refused(answer, 422)
    assert "root:" not in answer.text


@pytest.mark.parametrize("name", ["a.exe", "a", "a.npy.sh", ".npy", "a.nc", "a.zip", "a.xml"])
def test_suffixes_outside_the_list(client, npy, name):
    refused(post(client, npy, name), 422, "ending in")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("../../x.npy", "x.npy"), ("..\\..\\x.npy", "x.npy"), ("/etc/x.npy", "x.npy"), ("<b>x</b>.npy", "b>.npy"),
     ("y" * 4096 + ".npy", "y" * 180 + ".npy"), ("Ångström 多.npy", "Ångström 多.npy")],
)  # fmt: skip
def test_names_are_shown_as_text_and_are_no_places(client, pattern, name, shown):
    answer = post(client, as_npy(pattern + 19), name)
    assert answer.status_code == 200 and answer.json()["input"].endswith(shown)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.delete(f"{LOOKUPS}/{answer.json()['id']}").status_code == 204


@pytest.mark.parametrize(
    "fields",
    [{"convergence_mrad": "nan"}, {"convergence_mrad": "-3"}, {"convergence_mrad": "1e400"}, {"bundle": ""},
     {"sheet": "all"}, {"refine": "perhaps"}, {"pixel_mrad": "0"}, {"energy_kev": "[]"}, {"convergence_mrad": "90"},
     {"dataset": "../../etc"}, {"bundle": "x" * 1000}],
)  # fmt: skip
def test_fields_outside_their_bounds(client, npy, fields):
    refused(post(client, npy, **fields), 422)


def test_a_bundle_that_is_not_there(client, npy):
    refused(post(client, npy, bundle="tinny"), 404, "tiny")
    refused(post(client, npy, bundle="../tiny"), 404)


@pytest.mark.parametrize("token", [None, "wrong", "pacbed_" + "x" * 40, "ü" * 3, "x" * 5000])
def test_no_token_or_a_wrong_one(server, npy, token):
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    with server.client(None) as nobody:
        for answer in (
            nobody.post(LOOKUPS, files={"file": ("a.npy", npy)}, data=asked(), headers=headers),
            nobody.get("/api/v1/bundles", headers=headers),
            nobody.post("/inference/", files={"file": ("a", b"")}, headers=headers),
        ):
            refused(answer, 401, "token")


def test_a_revoked_token(server):
    token = server.new_token("leaver")
    with server.client(token) as leaver:
        assert leaver.get(LOOKUPS).status_code == 200
        from pacbed.service.store.database import open_database
        from pacbed.service.store.tokens import Tokens

        engine = open_database(f"sqlite:///{server.home / 'service.sqlite'}")
        Tokens(engine).revoke("leaver")
        engine.dispose()
        refused(leaver.get(LOOKUPS), 401)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_foreign_host(client, host):
    refused(client.get("/api/v1/bundles", headers={"Host": host}), 400, "host")


def test_an_upload_that_stalls(server):
    host, port = server.url.removeprefix("http://").split(":")
    head = (
        f"POST {LOOKUPS} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {server.token}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20 * STALL_S) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("PUT", LOOKUPS, 405), ("GET", "/api/v1/lookups/x", 422), ("GET", "/docs", 404)],
)
def test_other_paths_and_methods(client, method, path, status):
    refused(client.request(method, path), status)


def test_the_audit_holds_neither_secret_nor_pattern(server, client, npy, known):
    key = client.post(f"{LOOKUPS}/{known['id']}/share").json()["link"].split("key=")[1]
    client.get(f"{LOOKUPS}/{known['id']}?key={key}")
    lines = (server.home / "audit.jsonl").read_text().splitlines()
    assert {"owner", "status", "route", "request", "lookup"} <= json.loads(lines[-1]).keys()
    for text in ("\n".join(lines), (server.home.parent / "log").read_text()):
        assert server.token not in text and key not in text
        assert "known.npy" not in text
    assert io.BytesIO(npy).getvalue()[:50] not in (server.home / "audit.jsonl").read_bytes()
