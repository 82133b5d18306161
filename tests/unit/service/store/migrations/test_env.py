"""Alembic brings an empty database up, and down again."""

import sqlalchemy as sa
from alembic import command

from pacbed.service.store.database import _alembic


def test_up_and_down(database_url):
    engine = sa.create_engine(database_url)
    for move, tables in ((command.upgrade, 5), (command.downgrade, 1), (command.upgrade, 5)):
        with engine.begin() as connection:
            move(_alembic(connection), "head" if move is command.upgrade else "base")
        assert len(sa.inspect(engine).get_table_names()) == tables
    engine.dispose()
