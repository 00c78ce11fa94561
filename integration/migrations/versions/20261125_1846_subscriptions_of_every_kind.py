"""subscriptions of every kind"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import integration.db

revision = "20261125_1846"
down_revision = "20261125_1845"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "encryption_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("private_key", sa.Text(), nullable=False),
        sa.Column("made_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encryption_key")),
        sa.UniqueConstraint("certificate_id", name=op.f("uq_encryption_key_certificate_id")),
    )
    op.create_table(
        "refused_notification",
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reason", name=op.f("pk_refused_notification")),
    )
    op.create_table(
        "encrypted_content",
        sa.Column("notification_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("data_key", sa.Text(), nullable=False),
        sa.Column("data_signature", sa.String(length=200), nullable=False),
        sa.Column("certificate_id", sa.String(length=128), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=True),
        sa.Column(
            "tokens", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notification.id"],
            name=op.f("fk_encrypted_content_notification_id_notification"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_encrypted_content")),
    )
    with op.batch_alter_table("occurrence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_occurrence_event_id"), ["event_id"], unique=False)

    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.add_column(sa.Column("topic", sa.String(length=400), nullable=True))
        batch_op.add_column(sa.Column("kind", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("meeting_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("certificate_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("renewed_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("end_wanted_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("trouble", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("troubled_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.alter_column("mailbox", existing_type=sa.VARCHAR(length=320), nullable=True)
        batch_op.alter_column(
            "client_state", existing_type=sa.VARCHAR(length=128), type_=sa.Text(), existing_nullable=False
        )
        batch_op.drop_constraint(batch_op.f("uq_subscription_mailbox"), type_="unique")

    # A secret that stood open is not used any more: each subscription is ended and made anew, with a sealed one.
    op.execute("UPDATE subscription SET kind = 'events', topic = 'events of ' || mailbox")
    op.execute("UPDATE subscription SET client_state = '', asked_at = NULL, renew_due_at = CURRENT_TIMESTAMP")

    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.alter_column("topic", existing_type=sa.String(length=400), nullable=False)
        batch_op.alter_column("kind", existing_type=sa.String(), nullable=False)
        batch_op.create_check_constraint(
            batch_op.f("ck_subscription_kind"), "kind IN ('events', 'call records', 'call events')"
        )
        batch_op.create_index(batch_op.f("ix_subscription_meeting_id"), ["meeting_id"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_subscription_topic"), ["topic"])
        batch_op.create_foreign_key(
            batch_op.f("fk_subscription_meeting_id_series_meeting"),
            "series_meeting",
            ["meeting_id"],
            ["id"],
            ondelete="CASCADE",
        )


def downgrade() -> None:
    # Graph keeps what is forgotten here until it expires, in three days.
    op.execute("DELETE FROM subscription WHERE mailbox IS NULL")
    op.execute("UPDATE subscription SET client_state = '', asked_at = NULL")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_subscription_kind"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_subscription_meeting_id_series_meeting"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_subscription_topic"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_subscription_meeting_id"))
        batch_op.create_unique_constraint(batch_op.f("uq_subscription_mailbox"), ["mailbox"])
        batch_op.alter_column(
            "client_state", existing_type=sa.Text(), type_=sa.VARCHAR(length=128), existing_nullable=False
        )
        batch_op.alter_column("mailbox", existing_type=sa.VARCHAR(length=320), nullable=False)
        batch_op.drop_column("troubled_at")
        batch_op.drop_column("trouble")
        batch_op.drop_column("end_wanted_at")
        batch_op.drop_column("renewed_at")
        batch_op.drop_column("certificate_id")
        batch_op.drop_column("meeting_id")
        batch_op.drop_column("kind")
        batch_op.drop_column("topic")

    with op.batch_alter_table("occurrence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_occurrence_event_id"))

    op.drop_table("encrypted_content")
    op.drop_table("refused_notification")
    op.drop_table("encryption_key")
