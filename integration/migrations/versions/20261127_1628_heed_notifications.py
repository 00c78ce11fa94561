"""Heed notifications apart from taking them in"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # noqa: F401 (autogenerate writes a bare Text() for JSONB variants)
from sqlalchemy.dialects import postgresql  # noqa: F401

import integration.db

revision = "20261127_1628"
down_revision = "20261125_1918"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.add_column(sa.Column("heeded_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_notification_unheeded",
            ["subscription_id"],
            unique=False,
            sqlite_where=sa.text("heeded_at IS NULL"),
            postgresql_where=sa.text("heeded_at IS NULL"),
        )

    # What was stored before was heeded in the same transaction.
    op.execute("UPDATE notification SET heeded_at = received_at")


def downgrade() -> None:
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_notification_unheeded",
            sqlite_where=sa.text("heeded_at IS NULL"),
            postgresql_where=sa.text("heeded_at IS NULL"),
        )
        batch_op.drop_column("heeded_at")
