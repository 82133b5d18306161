"""A database of a test's own, of each kind, and look-ups in it."""

import json
import secrets

import pytest

from pacbed.service.store.database import open_database
from pacbed.service.store.lookup import RESULT, Question
from pacbed.service.store.lookups import Lookups


@pytest.fixture
def engine(database_url):
    opened = open_database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def lookups(engine, tmp_path):
    return Lookups(engine, tmp_path)


@pytest.fixture
def keep(lookups, tmp_path):
    """Keep a look-up; the files are as a worker leaves them."""

    def kept(
        owner="alice",
        identity="a" * 64,
        *,
        name="film.tif",
        pattern="f1.tif",
        sheet=False,
        known=False,
        bundle="tiny.pacbed",
        verdict="ok",
    ):
        folder = tmp_path / "scratch" / secrets.token_hex(8)
        made = folder / "answer"
        made.mkdir(parents=True)
        upload = folder / "pattern.tif"
        upload.write_bytes(b"pixels")
        provenance = {"input": "pattern.tif", "bundle": "tiny.pacbed", "parameters": {}}
        (made / RESULT).write_text(
            json.dumps({"verdict": verdict, "thickness_nm": {"value": 8.5}, "provenance": provenance})
        )
        if sheet:
            (made / "sheet.png").write_bytes(b"png")
        request = {"input": name, "bundle": bundle, "bundle_sha256": "b" * 64, "options": {}}
        return lookups.keep(
            identity, Question(owner, f"{name} {pattern}", pattern, request), upload, None if known else made
        )

    return kept
