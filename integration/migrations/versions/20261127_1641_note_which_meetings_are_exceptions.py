"""Note which meetings are exceptions: until a series is read again, none is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # noqa: F401 (autogenerate writes a bare Text() for JSONB variants)
from sqlalchemy.dialects import postgresql  # noqa: F401

import integration.db  # noqa: F401

revision = "20261127_1641"
down_revision = "20261127_1628"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("occurrence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_exception", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("occurrence", schema=None) as batch_op:
        batch_op.drop_column("is_exception")
