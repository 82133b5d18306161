"""`lookup` against a real service: the number is that of the package, and errors are sentences."""

import io
import time

import numpy as np
import pacbed_client
import pytest
from pacbed_client import InputError, Service, ServiceError, lookup
from pacbed_client.asking import pack

from pacbed import predict
from tests.unit.clients.conftest import ANGLE, ASKED


@pytest.fixture(scope="module")
def found(service, pattern):
    return lookup(pattern, service, name="film", **ASKED)


def test_the_number_is_that_of_the_package(found, pattern, tiny_bundle_file):
    result = predict(tiny_bundle_file, pattern, convergence_mrad=ANGLE)
    assert found.thickness_nm == result.thickness_nm.value and found.std_nm == result.thickness_nm.std
    assert found.verdict == result.verdict and list(found.reasons) == result.reasons
    assert [tuple(one) for one in found.candidates] == [
        (one.value, one.probability) for one in result.thickness_candidates
    ]
    assert found.name == "film.npy" and found.bundle == "tiny.pacbed" and found.notes == ()


def test_a_file_an_array_and_other_layouts_are_one_question(found, service, pattern, tmp_path):
    np.save(tmp_path / "film.npy", pattern)
    for given in (tmp_path / "film.npy", str(tmp_path / "film.npy"), pattern.astype(">f4"), np.asfortranarray(pattern)):
        assert lookup(given, service, **ASKED).id == found.id


def test_the_token_file_of_the_service_is_enough(found, server, pattern):
    assert lookup(pattern, server.home.parent / "url", **ASKED).id == found.id


def test_a_crystal_finds_its_bundle(found, service, pattern):
    (bundle,) = service.bundles()
    asked = {"crystal": bundle["crystal"]["formula"], "axis": (0, 0, -1), "voltage_kv": bundle["energy_kev"]}
    assert lookup(pattern, service, convergence_mrad=ANGLE, **asked).thickness_nm == found.thickness_nm


def test_the_microscopes_own_file_is_sent_as_it_is(service, pattern, tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "film.tif", pattern)
    assert pack(tmp_path / "film.tif", None, service).content == (tmp_path / "film.tif").read_bytes()
    assert lookup(tmp_path / "film.tif", service, **ASKED).name == "film.tif"
    assert lookup(tmp_path / "film.tif", service, name="position 3", **ASKED).name == "position 3.tif"


def test_binning_changes_nothing_that_matters(service, large_pattern, tmp_path):
    """Two answers, with the camera's own pixel size: within the error of noise, and near the truth of 8 nm."""
    binned = lookup(large_pattern, service, pixel_mrad=0.06, sheet=False, **ASKED)
    np.save(tmp_path / "whole.npy", large_pattern[None])  # an array of three axes travels as it is
    whole = lookup(tmp_path / "whole.npy", service, pixel_mrad=0.06, sheet=False, **ASKED)
    assert "binned 3 x 3" in binned.notes[0] and whole.notes == ()
    assert binned.result["provenance"]["parameters"]["given"]["pixel_mrad"] == pytest.approx(0.18)
    assert binned.thickness_nm == pytest.approx(whole.thickness_nm, abs=0.1)
    assert binned.thickness_nm == pytest.approx(8, abs=0.5)


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"bundle": "tny", "convergence_mrad": ANGLE}, 404, "bundle: got 'tny'.*nearest being .*tiny"),
        ({"bundle": "tiny"}, 422, "convergence_mrad"),
        ({**ASKED, "pixel_mrad": 40.0}, 422, "pixel_mrad: got 40.0"),
        ({**ASKED, "axis": "0,0"}, 422, "axis"),
    ],
)
def test_refusals_are_the_services_own_sentences(service, pattern, asked, status, said):
    if "axis" in asked:
        asked = {**asked, "bundle": None, "crystal": "SrTiO3", "voltage_kv": 200}
    with pytest.raises(ServiceError, match=f"the service answers {status}: .*{said}") as caught:
        lookup(pattern, service, **asked)
    assert caught.value.status == status and "\n" not in str(caught.value)


def test_a_wrong_token_and_none_are_told(server, pattern):
    for token in ("pacbed_wrong", ""):
        with pytest.raises(ServiceError, match="the service answers 401: token: got"):
            lookup(pattern, Service(server.url, token), **ASKED)


def test_a_busy_service_says_when_and_is_asked_again(server, pattern, found, pauses):
    """Two look-ups a minute are this token's; the third waits, and is not sent before it has waited."""
    impatient = Service(server.url, server.new_token("quick"), patience_s=0)
    for _ in range(2):
        assert lookup(pattern, impatient, **ASKED).id == found.id
    with pytest.raises(ServiceError, match=r"429: token: got more than 2 look-ups a minute; to wait \d+ s more"):
        lookup(pattern, impatient, **ASKED)
    with pytest.raises(ServiceError, match="429"):
        lookup(pattern, Service(server.url, impatient.token, patience_s=90), **ASKED)
    assert 1 <= len(pauses) <= 3 and 30 < pauses[0] <= 60


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00v\x00{'descr': '|O'}"])
def test_files_that_cannot_be_read_are_refused_here(service, tmp_path, content):
    (tmp_path / "film.npy").write_bytes(content)
    for file in (tmp_path / "film.npy", tmp_path / "none.npy", tmp_path / "none.dm4", tmp_path):
        with pytest.raises(InputError, match=f"pattern: {file} cannot be read"):
            lookup(file, service, **ASKED)


def test_pickles_are_not_opened(service, tmp_path):
    np.save(tmp_path / "film.npy", np.array([[{}]]), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        lookup(tmp_path / "film.npy", service, **ASKED)


def test_a_file_that_is_too_large_is_not_sent(service, tmp_path, monkeypatch):
    with (tmp_path / "scan.dm4").open("wb") as file:
        file.truncate(65 * 2**20)
    monkeypatch.setattr("pathlib.Path.read_bytes", None)
    with pytest.raises(InputError, match=r"pattern: got '65 MiB', accepted: less than 64 MiB; read scan\.dm4 and give"):
        lookup(tmp_path / "scan.dm4", service, **ASKED)


def test_neither_is_a_picture_that_cannot_be_binned(service):
    saturated = np.arange(4200 * 4200, dtype=np.float32).reshape(4200, 4200).clip(max=1e7)
    with pytest.raises(InputError, match=r"got '67 MiB', accepted: less than 64 MiB; not binned, because .* crop it"):
        lookup(saturated, service, **ASKED)


def test_everything_is_checked_before_anything_is_sent(pattern):
    started = time.monotonic()
    nobody = Service("http://127.0.0.1:1")
    for given, asked in ((pattern, {}), (pattern * np.nan, ASKED), (pattern, {**ASKED, "refine": "no"})):
        with pytest.raises(InputError):
            lookup(given, nobody, **asked)
    assert time.monotonic() - started < 5


# What is kept of an answer


def test_sheet_json_and_crate_are_saved_and_nothing_is_replaced(found, tmp_path):
    import json
    import zipfile

    sheet = found.sheet()
    assert sheet.dtype == np.uint8 and sheet.ndim == 3 and sheet.shape[2] == 3
    assert found.save_sheet(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(found.save_json(tmp_path / "a.json").read_text("utf-8")) == found.result
    crate = zipfile.ZipFile(io.BytesIO(found.save_crate(tmp_path / "a.zip").read_bytes()))
    assert {"ro-crate-metadata.json", "result.json", "sheet.png"} <= set(crate.namelist())
    for save in (found.save_sheet, found.save_json, found.save_crate):
        with pytest.raises(InputError, match="a name that is free"):
            save(tmp_path / "a.png")


def test_without_a_sheet_there_is_none(service, pattern):
    found = lookup(pattern + 1, service, sheet=False, **ASKED)
    with pytest.raises(ServiceError, match="404: sheet"):
        found.sheet()


def test_the_package_shows_what_it_is_for():
    assert set(pacbed_client.__all__) >= {"lookup", "map_patterns", "Service"}
    assert all(hasattr(pacbed_client, name) for name in pacbed_client.__all__)
