"""The inbox"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import integration.db

revision = "20261125_1839"
down_revision = "20261125_1846"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("delta_link", sa.String(), nullable=True),
        sa.Column("began_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("read_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("read_due_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("address", name=op.f("uq_inbox_address")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_read_due_at"), ["read_due_at"], unique=False)

    op.create_table(
        "office_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mail", sa.String(length=320), nullable=False),
        sa.Column(
            "roles", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.Column("seen_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_member")),
        sa.UniqueConstraint("mail", name=op.f("uq_office_member_mail")),
    )
    op.create_table(
        "automatic_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("answered_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("away_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_automatic_answer_participant_id_participant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automatic_answer")),
        sa.UniqueConstraint("participant_id", name=op.f("uq_automatic_answer_participant_id")),
    )
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inbox_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("sender_name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("received_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("excerpt", sa.String(), nullable=True),
        sa.Column("participant_id", sa.Integer(), nullable=True),
        sa.Column("program_id", sa.Integer(), nullable=True),
        sa.Column("pod_id", sa.Integer(), nullable=True),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.Column("forward_id", sa.Integer(), nullable=True),
        sa.Column("kept_here", sa.String(), nullable=True),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("is_ours", sa.Boolean(), nullable=False),
        sa.Column("done_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(length=320), nullable=True),
        sa.Column("purge_due_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("fade_due_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('reply', 'proposal', 'forwarded', 'failure', 'automatic', 'notice', 'human')",
            name=op.f("ck_letter_kind"),
        ),
        sa.ForeignKeyConstraint(["forward_id"], ["mail.id"], name=op.f("fk_letter_forward_id_mail")),
        sa.ForeignKeyConstraint(
            ["inbox_id"], ["inbox.id"], name=op.f("fk_letter_inbox_id_inbox"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_letter_mail_id_mail")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_letter_participant_id_participant")
        ),
        sa.ForeignKeyConstraint(["pod_id"], ["pod.id"], name=op.f("fk_letter_pod_id_pod")),
        sa.ForeignKeyConstraint(["program_id"], ["program.id"], name=op.f("fk_letter_program_id_program")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("inbox_id", "message_id", name=op.f("uq_letter_inbox_id_message_id")),
    )
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_letter_fade_due_at"), ["fade_due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_mail_id"), ["mail_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_participant_id"), ["participant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_program_id"), ["program_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_purge_due_at"), ["purge_due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_received_at"), ["received_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_sender"), ["sender"], unique=False)

    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_sealed", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("reply_to", sa.String(length=320), nullable=True))
        batch_op.add_column(sa.Column("conversation_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("internet_message_id", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_mail_conversation_id"), ["conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mail_internet_message_id"), ["internet_message_id"], unique=False)

    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.alter_column("is_sealed", server_default=None)
    with op.batch_alter_table("sender_mailbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sender_mailbox_read_due_at"))
        batch_op.drop_column("read_at")
        batch_op.drop_column("read_due_at")
    op.execute("DELETE FROM outbox_message WHERE task = 'sender.read'")  # inboxes are read at every start


def downgrade() -> None:
    op.execute("DELETE FROM outbox_message WHERE task IN ('inbox.read', 'letter.purge')")
    with op.batch_alter_table("sender_mailbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("read_due_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("read_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_sender_mailbox_read_due_at"), ["read_due_at"], unique=False)

    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_internet_message_id"))
        batch_op.drop_index(batch_op.f("ix_mail_conversation_id"))
        batch_op.drop_column("internet_message_id")
        batch_op.drop_column("conversation_id")
        batch_op.drop_column("reply_to")
        batch_op.drop_column("is_sealed")

    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_letter_sender"))
        batch_op.drop_index(batch_op.f("ix_letter_received_at"))
        batch_op.drop_index(batch_op.f("ix_letter_purge_due_at"))
        batch_op.drop_index(batch_op.f("ix_letter_program_id"))
        batch_op.drop_index(batch_op.f("ix_letter_participant_id"))
        batch_op.drop_index(batch_op.f("ix_letter_mail_id"))
        batch_op.drop_index(batch_op.f("ix_letter_fade_due_at"))

    op.drop_table("letter")
    op.drop_table("automatic_answer")
    op.drop_table("office_member")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbox_read_due_at"))

    op.drop_table("inbox")
