"""A database of the first form is still opened, with what is in it."""

import sqlalchemy as sa
from alembic import command

from pacbed.service.store.database import _alembic, open_database
from pacbed.service.store.tokens import Tokens, secret_hash

REVISION = "0001"


def test_a_database_of_this_form_is_brought_up(database_url):
    old = sa.create_engine(database_url)
    with old.begin() as connection:
        command.upgrade(_alembic(connection), REVISION)
        connection.execute(
            sa.text("INSERT INTO tokens (name, sha256, created) VALUES ('alice', :hash, 1.0)"),
            {"hash": secret_hash("secret")},
        )
        connection.execute(
            sa.text(
                "INSERT INTO lookups VALUES"
                " ('a', 'alice', 'q', 1.0, 'x.tif', 'tiny', 'b', 'ok', 8.0, 10, NULL, '{}', 'f')"
            )
        )
    old.dispose()
    engine = open_database(database_url)
    assert Tokens(engine).holder("secret") == "alice"
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM lookups")).scalar() == 1
    engine.dispose()
