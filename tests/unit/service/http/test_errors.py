"""Errors of a database, as whoever asked is told of them."""

import anyio
import httpx
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.orm import Session

from pacbed.service.http import errors
from pacbed.service.store.database import open_database
from pacbed.service.store.schema import BundleRow


def test_a_text_that_a_database_cannot_hold_is_the_sender_s_fault(database_url):
    """PostgreSQL takes no null character, SQLite does; neither is a fault of the service."""
    engine, app = open_database(database_url), FastAPI()
    errors.install(app)

    @app.get("/")
    def find(name: str) -> int:
        with Session(engine) as session:
            return len(session.scalars(sa.select(BundleRow).where(BundleRow.name == name)).all())

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            return await client.get("/", params={"name": "a\0b"})

    answer = anyio.run(ask)
    engine.dispose()
    assert answer.status_code == (200 if "sqlite" in database_url else 422), answer.text
    assert answer.json() == 0 or "cannot be stored, such as a null character" in answer.json()["detail"]
