"""Bundles over HTTP: described, rendered, fetched in parts, refused by name, withdrawn."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import zipfile

import numpy as np
import pytest

BUNDLES = "/api/v1/bundles"


@pytest.fixture
def tiny(client):
    return next(one for one in client.get(BUNDLES).json() if one["name"] == "tiny")


def test_a_bundle_describes_itself(client, tiny, tiny_bundle):
    assert tiny["state"] == "ready" and tiny["sha256"] == tiny_bundle.sha256
    assert tiny["thickness_nm"] == list(tiny_bundle.meta.trained.thickness_nm)
    assert client.get(tiny["links"]["self"]).json() == tiny


def test_a_rendered_pattern_is_that_of_the_package(client, tiny, tiny_bundle):
    from pacbed import render

    asked = {"thickness_nm": 6.5, "convergence_mrad": 14.0, "mistilt_mrad": 1.0, "azimuth_deg": 30, "pixels": 40}
    answer = client.get(tiny["links"]["render"], params={**asked, "format": "npy"})
    np.testing.assert_array_equal(np.load(io.BytesIO(answer.content)), render(tiny_bundle, **asked))
    assert client.get(tiny["links"]["render"], params=asked).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "changed",
    [
        {"thickness_nm": 1e5}, {"thickness_nm": "nan"}, {"convergence_mrad": 500}, {"pixels": 10**6}, {"pixels": 0},
        {"max_angle_mrad": 400}, {"format": "exe"}, {"colour": "red"}, {"convergence_mrad": ""}, {"mistilt_mrad": 300},
        {"convergence_mrad": 5e-324, "thickness_nm": 0.0}, {"convergence_mrad": 0.01, "thickness_nm": 0.0, "pixels": 1},
    ],
)  # fmt: skip
def test_a_view_that_cannot_be_rendered_is_refused(client, tiny, changed):
    asked = {"thickness_nm": 6.5, "convergence_mrad": 14.0, **changed}
    answer = client.get(tiny["links"]["render"], params=asked)
    assert answer.status_code == 422, answer.text
    assert "accepted: " in answer.json()["detail"]


def test_the_file_comes_whole_in_parts_or_not_at_all(client, tiny, tiny_bundle_file):
    content, url = tiny_bundle_file.read_bytes(), tiny["links"]["file"]
    whole = client.get(url)
    assert whole.content == content and whole.headers["etag"] == f'"{tiny["sha256"]}"'
    part = client.get(url, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206 and part.content == content[100:200]
    assert client.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_what_never_was_is_404(client):
    assert client.get(f"{BUNDLES}/{'0' * 64}").status_code == 404
    assert client.get(f"{BUNDLES}/nothing").status_code == 422


def drop(server, source, name, change=None):
    """Put a bundle into the folder, as a copy that is complete."""
    path = server.bundles / f"{name}.pacbed"
    shutil.copy(source, path)
    if change is not None:
        change(path)
    os.utime(path, (1e9, 1e9))
    return path


def add_script(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("run.py", "import os")


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-2000])


def as_text(path):
    path.write_text("<script>")


@pytest.mark.parametrize(
    ("change", "said"), [(add_script, "foreign member 'run.py'"), (cut_short, "potential.npy"), (as_text, "damaged")]
)
def test_a_bad_bundle_is_refused_by_name_and_the_others_are_served(server, client, tiny_bundle_file, change, said):
    name = change.__name__
    path = drop(server, tiny_bundle_file, name, change)

    def states():
        return {one["name"]: one for one in client.get(BUNDLES).json()}

    try:
        server.wait_for(lambda: states().get(name, {}).get("state") == "refused", 10)
        bad = states()[name]
        assert said in bad["reason"] and str(server.bundles) not in bad["reason"]
        assert states()["tiny"]["state"] == "ready"
        log = (server.home.parent / "log").read_text()
        assert f"bundle {name}: refused" in log
    finally:
        path.unlink()
    server.wait_for(lambda: name not in states(), 10)


def test_a_bundle_dropped_in_is_served_and_one_taken_away_is_gone(server, client, bare_bundle):
    path = drop(server, bare_bundle.path, "bare")
    sha256 = bare_bundle.sha256
    server.wait_for(lambda: client.get(f"{BUNDLES}/{sha256}").status_code == 200, 10)
    server.wait_for(lambda: client.get(f"{BUNDLES}/{sha256}").json()["state"] == "ready", 10)
    server.wait_for(lambda: hashlib.sha256(client.get(f"{BUNDLES}/{sha256}/file").content).hexdigest() != "", 10)
    path.unlink()
    server.wait_for(lambda: client.get(f"{BUNDLES}/{sha256}").status_code == 410, 10)
    assert client.get(f"{BUNDLES}/{sha256}/file").status_code == 410


def test_one_that_is_still_being_copied_waits(server, client, tiny_bundle_file):
    path = server.bundles / "slow.pacbed"
    content = tiny_bundle_file.read_bytes()
    try:
        with path.open("wb") as file:
            for start in range(5):
                file.write(content[start * 100 : start * 100 + 100])
                file.flush()
                seen = {one["name"]: one["state"] for one in client.get(BUNDLES).json()}
                assert seen.get("slow", "waiting") == "waiting"
                server.wait_for(lambda: True)
    finally:
        path.unlink()


def test_a_bundle_tells_its_errors_and_its_budget(client, tiny, tiny_bundle):
    assert tiny["model_error"]["std_nm"] == tiny_bundle.meta.model_error.std_nm
    assert isinstance(tiny["errors"], list)


def test_a_strip_shows_what_the_thickness_does(client, tiny):
    import imageio.v3 as iio

    assert tiny["strip_nm"][-1] == tiny["thickness_nm"][1] and tiny["strip_nm"] == sorted(tiny["strip_nm"])
    first, last = (client.get(f"{tiny['links']['strip']}/{n}.png") for n in (0, len(tiny["strip_nm"]) - 1))
    assert first.headers["content-type"] == "image/png" and len(first.content) < 20_000
    assert np.any(iio.imread(first.content) != iio.imread(last.content))
    assert client.get(f"{tiny['links']['strip']}/8.png").status_code == 422
    assert client.get(f"{BUNDLES}/{'0' * 64}/strip/1.png").status_code == 404
