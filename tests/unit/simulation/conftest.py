"""Finished folders with a Zarr store, damaged in each way that a reader has to find."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import pytest


def largest_file(folder):
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def cut_largest(folder):
    file = largest_file(folder)
    file.write_bytes(file.read_bytes()[:-5])


def set_version(version):
    def damage(folder):
        file = next(folder.glob("*.zarr")) / "zarr.json"
        content = json.loads(file.read_text())
        content["attributes"]["schema_version"] = version
        text = json.dumps(content)
        file.write_text(text)
        done = json.loads((folder / "done.json").read_text())
        done["files"][f"{file.parent.name}/zarr.json"] = len(text.encode())
        (folder / "done.json").write_text(json.dumps(done))

    return damage


class Damage(NamedTuple):
    """What is done to a folder, and what the error then says (a regular expression)."""

    to: Callable
    words: str


DAMAGE = [
    (cut_largest, "missing or truncated files"),
    (lambda folder: largest_file(folder).unlink(), "missing or truncated files"),
    (lambda folder: (folder / "done.json").unlink(), r"got no done\.json"),
    (set_version(99), r"got schema_version 99, accepted: \d.*newer pacbed"),
    (set_version(0), r"got schema_version 0, accepted: \d.*make it again"),
    (set_version(None), r"got schema_version None, accepted: \d.*make it again"),
]


@pytest.fixture(params=[Damage(*pair) for pair in DAMAGE], ids=lambda damage: damage.words[:24])
def damage(request) -> Damage:
    """One way to damage a finished rocking table or stack."""
    return request.param
