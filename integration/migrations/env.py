"""Run by Alembic: which tables we want, and over which connection."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from integration.migrate import wanted_tables


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=wanted_tables(),
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


migrate(context.config.attributes["connection"])
