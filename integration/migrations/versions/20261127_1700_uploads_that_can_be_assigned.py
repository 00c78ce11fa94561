"""Uploads keep who was there where minutes are kept, so that their records can be assigned"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "20261127_1700"
down_revision = "20261127_1650"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")
    op.add_column("attendance_export", sa.Column("seen", kind, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("attendance_export", schema=None) as batch_op:
        batch_op.drop_column("seen")
