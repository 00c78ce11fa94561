"""Drafts that are to be removed, since their unclear mails were settled otherwise."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # noqa: F401 (autogenerate writes a bare Text() for JSONB variants)
from sqlalchemy.dialects import postgresql  # noqa: F401

import integration.db  # noqa: F401

revision = "20261127_1650"
down_revision = "20261127_1641"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "old_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_old_draft_mail_id_mail"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_old_draft")),
    )
    with op.batch_alter_table("old_draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_old_draft_mail_id"), ["mail_id"], unique=False)


def downgrade() -> None:
    op.execute("DELETE FROM outbox_message WHERE task = 'draft.remove'")
    with op.batch_alter_table("old_draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_old_draft_mail_id"))

    op.drop_table("old_draft")
