"""The requests of the authors' clients, as their Fig. 5 describes them."""

from __future__ import annotations

import base64
import io
import json

import imageio.v3 as iio
import numpy as np
import pytest


def parameters(client, pattern, **changed):
    """The part `parameters` for the tiny bundle."""
    bundle = client.get("/api/v1/bundles").json()[0]
    physical = {
        "acceleration_voltage": 1000 * bundle["energy_kev"],
        "crystal_structure": bundle["crystal"]["formula"].upper(),
        "zone_axis": {"u": 0, "v": 0, "w": 1},
        "convergence_angle": 14.0,
    }
    rows, columns = pattern.shape
    file = {"typ": "raw", "dtype": pattern.dtype.name, "width": columns, "height": rows}
    return {
        "physical_params": {**physical, **changed.get("physical", {})},
        "file_params": {**file, **changed.get("file", {})},
    }


def send(client, pattern, told, url="/inference/"):
    content = pattern if isinstance(pattern, bytes) else pattern.tobytes()
    return client.post(
        url, data={"parameters": json.dumps(told)}, files={"file": ("x", content)}, follow_redirects=True
    )


def test_the_request_is_answered(client, pattern):
    answer = send(client, pattern, parameters(client, pattern))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    look_up = client.get(f"/api/v1/lookups/{told['lookup']}").json()["result"]
    assert told["thickness"] == pytest.approx(10 * look_up["thickness_nm"]["value"])
    assert 70 < told["thickness"] < 90  # 8 nm, in angstrom
    assert told["mistilt"] == look_up["mistilt_mrad"]["value"] and told["verdict"] == look_up["verdict"]
    sheet = iio.imread(io.BytesIO(base64.b64decode(told["validation"])))
    assert sheet.dtype == np.uint8 and sheet.shape[2] == 3
    assert client.get(f"/inference/delayed/{told['lookup']}").json() == told


def test_without_the_slash_it_is_sent_on(client, pattern):
    told = parameters(client, pattern)
    moved = client.post("/inference", data={"parameters": json.dumps(told)}, files={"file": ("x", b"")})
    assert moved.status_code == 307
    assert send(client, pattern, told, "/inference").status_code == 200


def test_numbers_may_be_texts_and_other_integers_may_be_sent(client, pattern):
    told = parameters(
        client, pattern, physical={"convergence_angle": "14.0", "zone_axis": {"u": "0", "v": "0", "w": "-2"}}
    )
    told["physical_params"]["acceleration_voltage"] = str(told["physical_params"]["acceleration_voltage"])
    told["file_params"] |= {"dtype": "uint16", "width": str(pattern.shape[1])}
    assert send(client, pattern.clip(0, 65535).astype(np.uint16), told).status_code == 200


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"physical": {"crystal_structure": "Kryptonite"}}, 404, "nearest"),
        ({"physical": {"zone_axis": {"u": 1, "v": 1, "w": 0}}}, 404, "[1 1 0]"),
        ({"physical": {"zone_axis": {"u": 0, "v": 0, "w": 0}}}, 404, "nearest"),
        ({"physical": {"acceleration_voltage": 80_000}}, 404, "80 kV"),
        ({"physical": {"convergence_angle": 900}}, 422, "convergence_mrad"),
        ({"physical": {"convergence_angle": -1}}, 422, "convergence_angle"),
        ({"physical": {"convergence_angle": "NaN"}}, 422, "convergence_angle"),
        ({"file": {"dtype": ">u2"}}, 422, "dtype"),
        ({"file": {"dtype": "object"}}, 422, "dtype"),
        ({"file": {"width": 33}}, 422, "bytes"),
        ({"file": {"width": 10**9}}, 422, "width"),
        ({"file": {"typ": "exe"}}, 422, "file_params"),
        ({"file": {"typ": "dm4"}}, 422, "accepted"),
    ],
)
def test_what_cannot_be_answered_is_told(client, pattern, changed, status, said):
    answer = send(client, pattern, parameters(client, pattern, **changed))
    assert answer.status_code == status and said in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "null", "[" * 10_000, '{"physical_params": 3}', "1e999"])
def test_parameters_that_are_none(client, text):
    answer = client.post("/inference/", data={"parameters": text}, files={"file": ("x", b"1")})
    assert answer.status_code == 422 and answer.json()["detail"]


def test_both_parts_are_needed(client):
    assert client.post("/inference/", data={"parameters": "{}"}).status_code == 422
    assert client.post("/inference/", files={"file": ("x", b"1")}).status_code == 422
