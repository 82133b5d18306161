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
from pacbed.service.settings import without_password

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MS = 10_000  # how long SQLite waits for another writer
MIGRATING = 8230  # key of PostgreSQL's lock


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
    engine: sa.Engine | None = None
    try:
        engine = sa.create_engine(url, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        with engine.begin() as connection:
            _wait_for_others(connection)
            command.upgrade(_alembic(connection), "head")
    except (SQLAlchemyError, command.util.CommandError, ImportError) as error:
        if engine is not None:
            engine.dispose()
        raise ServiceError(503, f"database: {without_password(url)} cannot be opened ({_first_line(error)})") from None
    return engine


def _alembic(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _wait_for_others(connection: sa.Connection) -> None:
    """Hold the database until the transaction ends: several servers may start at the same time."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATING)))


def _prepare_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
