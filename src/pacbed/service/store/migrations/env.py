"""Alembic asks this module how to reach the database: by the connection that it was given."""

from __future__ import annotations

from alembic import context

from pacbed.service.store.schema import Base


def run_migrations() -> None:
    """Bring the database up inside one transaction."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run_migrations()
