"""The database: in its present form when it is opened, on its own or another server, backed up and restored."""

import os
import sqlite3

import pytest
import sqlalchemy as sa

from pacbed.service.problems import ServiceError
from pacbed.service.store.bundles import ServedBundles
from pacbed.service.store.database import open_database
from pacbed.service.store.schema import Base
from pacbed.service.store.tokens import Tokens

POSTGRESQL = "PACBED_TEST_POSTGRESQL"  # URL of an empty database


def test_the_tables_are_those_of_the_schema(engine):
    found = sa.inspect(engine)
    assert set(found.get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    for name, table in Base.metadata.tables.items():
        assert {column["name"] for column in found.get_columns(name)} == {column.name for column in table.columns}
        assert {one["name"] for one in found.get_indexes(name)} >= {index.name for index in table.indexes}


def test_readers_do_not_wait_for_writers(engine):
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_what_is_no_database_is_told(tmp_path):
    (tmp_path / "x.sqlite").write_text("no database, but long enough to look at" * 100)
    for url in (f"sqlite:///{tmp_path / 'x.sqlite'}", "nothing://user:secret@host/x", "no URL"):
        with pytest.raises(ServiceError, match="cannot be opened") as caught:
            open_database(url)
        assert "secret" not in str(caught.value)


def test_one_of_a_newer_version_is_left_alone(engine, tmp_path):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ServiceError, match="9999"):
        open_database(f"sqlite:///{tmp_path / 'service.sqlite'}")


def test_a_backup_is_restored(engine, tmp_path):
    """As docs/service.md says: SQLite's own backup, while the service runs."""
    secret = Tokens(engine).add("alice")
    source, copy = sqlite3.connect(tmp_path / "service.sqlite"), sqlite3.connect(tmp_path / "backup.sqlite")
    with source, copy:
        source.backup(copy)
    source.close()
    copy.close()
    Tokens(engine).revoke("alice")
    restored = open_database(f"sqlite:///{tmp_path / 'backup.sqlite'}")
    assert Tokens(restored).holder(secret) == "alice"
    restored.dispose()


def test_bundles_are_remembered(engine):
    served = ServedBundles(engine)
    served.note({"a" * 64: "tiny"})
    served.note({"a" * 64: "renamed", "b" * 64: "other"})
    assert (served.name_of("a" * 64), served.name_of("b" * 64), served.name_of("c" * 64)) == ("tiny", "other", None)
    ServedBundles(engine).note({"a" * 64: "tiny"})


@pytest.mark.skipif(POSTGRESQL not in os.environ, reason=f"{POSTGRESQL} names no database")
def test_the_same_on_postgresql():
    engine = open_database(os.environ[POSTGRESQL])
    secret = Tokens(engine).add("alice")
    assert Tokens(engine).holder(secret) == "alice"
    Base.metadata.drop_all(engine)
    engine.dispose()
