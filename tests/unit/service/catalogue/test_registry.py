"""The registry keeps in step with its folder, and looks before it serves."""

import os
import shutil
import time

import anyio
import pytest

from pacbed.bundle.pretrained.cache import FOLDER
from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.service.catalogue.registry import Registry


@pytest.fixture
def registry(tmp_path):
    (tmp_path / "bundles").mkdir()
    return Registry(tmp_path / "bundles", shipped=False)


def drop(tmp_path, source, name="tiny", age_s=100.0):
    path = shutil.copy(source, tmp_path / "bundles" / f"{name}.pacbed")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def states(registry):
    registry.scan()
    return {one.name: one.state for one in registry.bundles}


def test_what_lies_there_is_served_until_it_is_gone(registry, tmp_path, tiny_bundle_file, tiny_bundle):
    assert registry.ready() is None
    path = drop(tmp_path, tiny_bundle_file)
    (tmp_path / "bundles" / "notes.txt").write_text("no bundle")
    assert states(registry) == {"tiny": "ready"}
    assert registry.ready().sha256 == tiny_bundle.sha256
    path.unlink()
    assert states(registry) == {}


def test_one_that_was_just_changed_waits(registry, tmp_path, tiny_bundle_file):
    path = drop(tmp_path, tiny_bundle_file, age_s=0.0)
    assert states(registry) == {"tiny": "waiting"}
    os.utime(path, (5, 5))
    assert states(registry) == {"tiny": "ready"}


def test_a_damaged_one_is_named_and_looked_at_again_when_it_changes(registry, tmp_path, tiny_bundle_file):
    path = drop(tmp_path, tiny_bundle_file)
    content = bytearray(path.read_bytes())
    content[content.index(b'"system"') + 3] ^= 1
    path.write_bytes(content)
    os.utime(path, (5, 5))
    assert states(registry) == {"tiny": "refused"}
    assert "bundle.json" in registry.bundles[0].reason and str(tmp_path) not in registry.bundles[0].reason
    drop(tmp_path, tiny_bundle_file)
    assert states(registry) == {"tiny": "ready"}


def test_a_member_that_was_exchanged_is_found(registry, tmp_path, tiny_bundle_file):
    path = drop(tmp_path, tiny_bundle_file)
    content = path.read_bytes()
    place = content.index(b"PK\3\4", 100)
    assert content[place + 30 :].startswith(b"evaluation/")
    path.write_bytes(content[: place + 2000] + bytes([content[place + 2000] ^ 1]) + content[place + 2001 :])
    os.utime(path, (5, 5))
    assert states(registry) == {"tiny": "refused"}


def test_a_slim_bundle_is_prepared_first(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    registry = Registry(None)
    assert set(states(registry).values()) == {"preparing"} and len(registry.bundles) == len(shipped_bundles())


def test_one_that_cannot_be_prepared_is_refused(registry, tmp_path, tiny_bundle_file, monkeypatch):
    from dataclasses import replace

    path = drop(tmp_path, tiny_bundle_file)
    registry.scan()
    one = replace(registry.bundles[0], state="preparing", path=tmp_path / "gone.pacbed")
    monkeypatch.setitem(registry._known, "tiny", one)
    anyio.run(registry._prepare, one)
    assert registry.bundles[0].state == "refused" and "gone.pacbed" in registry.bundles[0].reason
    monkeypatch.setitem(registry._known, "tiny", replace(one, path=path))
    anyio.run(registry._prepare, replace(one, path=path))
    assert registry.bundles[0].state == "ready"
