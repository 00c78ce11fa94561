"""Checks of permissions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import integration.db

revision = "20261123_1436"
down_revision = "20261123_1428"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkup",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asked_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=320), nullable=False),
        sa.Column("begun_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "findings", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkup")),
    )


def downgrade() -> None:
    op.drop_table("checkup")
