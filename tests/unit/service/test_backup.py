"""Backup while the service runs, and restore: the commands of docs/deploy.md, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from pacbed.service.store.database import open_database
from pacbed.service.store.lookup import RESULT, Question
from pacbed.service.store.lookups import Lookups
from pacbed.service.store.tokens import Tokens
from tests import daemons

PAGE = Path(__file__).resolve().parents[3] / "docs" / "deploy.md"
ELSEWHERE = {"sqlite": ("pg_dump", "pg_restore"), "postgresql": ("sqlite3",)}


def commands():
    """Those that back up, and those that restore."""
    section = PAGE.read_text(encoding="utf-8").split("## Back up and restore")[1]
    return [block.splitlines() for block in re.findall(r"```bash\n(.*?)```", section, re.DOTALL)]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path, monkeypatch):
    """Home, URL of its database, and how to run a command of the page on them."""
    home = tmp_path / "pacbed"
    home.mkdir()
    (tmp_path / "backup" / "pacbed").mkdir(parents=True)

    def run(line):
        words = shlex.split(line.replace("/var/lib/", f"{tmp_path}/").replace("/backup/", f"{tmp_path}/backup/"))
        if words[0] not in ELSEWHERE[request.param]:
            subprocess.run([*daemons.needed(words[0]), *words[1:]], check=True)

    if request.param == "sqlite":
        yield home, f"sqlite:///{home / 'service.sqlite'}", run
        return
    server = request.getfixturevalue("postgresql")
    account = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "pacbed", "PGPASSWORD": server.password}
    for name, value in account.items():
        monkeypatch.setitem(os.environ, name, value)
    with server.database("pacbed") as url:
        yield home, url, run


def keep(lookups, folder, name):
    """A look-up with its files."""
    made = folder / f"{name}-answer"
    made.mkdir()
    provenance = {"input": "", "bundle": "", "parameters": {}}
    (made / RESULT).write_text(json.dumps({"verdict": "ok", "thickness_nm": None, "provenance": provenance}))
    upload = folder / f"{name}-upload"
    upload.write_bytes(name.encode())
    request = {"input": name, "bundle": "tiny.pacbed", "bundle_sha256": "b" * 64, "options": {}}
    return lookups.keep(name * 64, Question("alice", name, f"{name}.tif", request), upload, made)


def test_what_was_backed_up_comes_back(place, tmp_path):
    home, url, run = place
    back_up, restore = commands()
    engine = open_database(url)
    tokens, lookups = Tokens(engine), Lookups(engine, home)
    secret, kept = tokens.add("alice"), keep(lookups, tmp_path, "a")
    (home / "audit.jsonl").write_text("{}\n")
    for line in back_up:
        run(line)
    tokens.revoke("alice")
    lookups.delete(kept)
    later = keep(lookups, tmp_path, "c")
    engine.dispose()
    for line in restore:
        run(line)
    engine = open_database(url)
    again = Lookups(engine, home)
    assert again.find(kept.identity, "alice") == kept and kept.result()["verdict"] == "ok"
    assert kept.pattern.read_bytes() == b"a"
    assert again.find(later.identity, "alice") is None and not later.pattern.exists()
    assert Tokens(engine).holder(secret) == "alice"
    engine.dispose()
