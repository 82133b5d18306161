"""Opens the database in its present form: SQLite with a write-ahead log, or another that SQLAlchemy knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from pacbed.service.problems import ServiceError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MS = 10_000  # how long SQLite waits for another writer


def open_database(url: str) -> sa.Engine:
    """An engine whose tables are those of this version.

    Parameters
    ----------
    url : str
        Of SQLAlchemy.

    Raises
    ------
    ServiceError
        It cannot be opened, or a newer version of the package has written it.
    """
    try:
        engine = sa.create_engine(url, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        with engine.begin() as connection:
            command.upgrade(_alembic(connection), "head")
    except (SQLAlchemyError, command.util.CommandError, ImportError) as error:
        raise ServiceError(503, f"database: {_without_secret(url)} cannot be opened ({_first_line(error)})") from None
    return engine


def _alembic(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _prepare_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _without_secret(url: str) -> str:
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "the URL"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
