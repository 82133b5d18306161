"""The database: in its present form when it is opened, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from pacbed.service.problems import ServiceError
from pacbed.service.store.bundles import ServedBundles
from pacbed.service.store.database import open_database
from pacbed.service.store.schema import Base


def test_the_tables_are_those_of_the_schema(engine):
    found = sa.inspect(engine)
    assert set(found.get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    for name, table in Base.metadata.tables.items():
        assert {column["name"] for column in found.get_columns(name)} == {column.name for column in table.columns}
        assert {one["name"] for one in found.get_indexes(name)} >= {index.name for index in table.indexes}


def test_readers_do_not_wait_for_writers(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'service.sqlite'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_several_servers_open_an_empty_database_at_the_same_time(database_url):
    with ThreadPoolExecutor(6) as starting:
        for engine in list(starting.map(open_database, [database_url] * 6)):
            assert set(sa.inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
            engine.dispose()


def test_what_is_no_database_is_told(tmp_path):
    (tmp_path / "x.sqlite").write_text("no database, but long enough to look at" * 100)
    for url in (f"sqlite:///{tmp_path / 'x.sqlite'}", "nothing://user:secret@host/x", "no URL"):
        with pytest.raises(ServiceError, match="cannot be opened") as caught:
            open_database(url)
        assert "secret" not in str(caught.value)


def test_one_of_a_newer_version_is_left_alone(engine, database_url):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ServiceError, match="9999"):
        open_database(database_url)


def test_bundles_are_remembered(engine):
    served = ServedBundles(engine)
    served.note({"a" * 64: "tiny"})
    served.note({"a" * 64: "renamed", "b" * 64: "other"})
    assert (served.name_of("a" * 64), served.name_of("b" * 64), served.name_of("c" * 64)) == ("tiny", "other", None)
    ServedBundles(engine).note({"a" * 64: "tiny"})


def test_servers_that_note_the_same_bundle_at_the_same_time_agree(engine):
    with ThreadPoolExecutor(6) as servers:
        list(servers.map(lambda _: ServedBundles(engine).note({"a" * 64: "tiny"}), range(6)))
    assert ServedBundles(engine).name_of("a" * 64) == "tiny"
