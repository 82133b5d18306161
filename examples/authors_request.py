"""Sends a pattern as the clients of the paper do (Oberaigner et al. 2023, Fig. 5), and prints what comes back.

    pacbed serve --open
    python examples/authors_request.py examples/srtio3_200kv/experiment_1.tif "Strontium Titanate" 200000 13.7

Written from the description of the request; the sheet is stored as ``validation.png``.
"""

from __future__ import annotations

import base64
import json
import sys
import urllib.request
from pathlib import Path

import tifffile

URL = "http://127.0.0.1:8230/inference/"
BOUNDARY = "pacbed-boundary"


def multipart(parameters: dict, content: bytes) -> bytes:
    """The two parts of the request."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="'
    texts = [
        f'{head}parameters"\r\n\r\n{json.dumps(parameters)}\r\n',
        f'{head}file"; filename="pattern.raw"\r\nContent-Type: application/octet-stream\r\n\r\n',
    ]
    return "".join(texts).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def main(pattern: str, crystal: str, volt: str, angle_mrad: str, url: str = URL) -> None:
    image = tifffile.imread(pattern)
    parameters = {
        "physical_params": {
            "acceleration_voltage": volt,
            "crystal_structure": crystal,
            "zone_axis": {"u": 0, "v": 0, "w": 1},
            "convergence_angle": angle_mrad,
        },
        "file_params": {"typ": "raw", "dtype": image.dtype.name, "width": image.shape[1], "height": image.shape[0]},
    }
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    request = urllib.request.Request(url, multipart(parameters, image.tobytes()), headers)
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
    Path("validation.png").write_bytes(base64.b64decode(answer.pop("validation")))
    print(json.dumps(answer, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
