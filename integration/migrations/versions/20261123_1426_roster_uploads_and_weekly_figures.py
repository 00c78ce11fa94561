"""Roster uploads and weekly figures"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import integration.db

revision = "20261123_1426"
down_revision = "20261123_1414"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roster_upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("uploaded_by", sa.String(length=320), nullable=False),
        sa.Column("uploaded_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("imported_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_upload")),
    )
    with op.batch_alter_table("roster_upload", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_roster_upload_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "weekly_figures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("monday", sa.Date(), nullable=False),
        sa.Column("as_of", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "content", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["program_id"], ["program.id"], name=op.f("fk_weekly_figures_program_id_program")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_figures")),
        sa.UniqueConstraint("program_id", "monday", name=op.f("uq_weekly_figures_program_id_monday")),
    )


def downgrade() -> None:
    op.drop_table("weekly_figures")
    with op.batch_alter_table("roster_upload", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_roster_upload_expires_at"))

    op.drop_table("roster_upload")
