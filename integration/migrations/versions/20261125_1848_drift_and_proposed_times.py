"""Drift and proposed times"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import integration.db

revision = "20261125_1848"
down_revision = "20261125_1839"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=True),
        sa.Column(
            "wanted", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "found", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "repairs", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "mails", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.Column("first_seen_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decided_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=320), nullable=True),
        sa.Column("closed_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("decision IN ('adopt', 'put back')", name=op.f("ck_drift_decision")),
        sa.ForeignKeyConstraint(["occurrence_id"], ["occurrence.id"], name=op.f("fk_drift_occurrence_id_occurrence")),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_drift_series_id_series")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift")),
    )
    with op.batch_alter_table("drift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_drift_first_seen_at"), ["first_seen_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_drift_key"), ["key"], unique=False)
        batch_op.create_index(batch_op.f("ix_drift_occurrence_id"), ["occurrence_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_drift_series_id"), ["series_id"], unique=False)
        batch_op.create_index(
            "uq_drift_open",
            ["key"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "time_proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("starts_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("seen_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("asked_id", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("moved_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("answer IN ('yes', 'no')", name=op.f("ck_time_proposal_answer")),
        sa.ForeignKeyConstraint(["asked_id"], ["participant.id"], name=op.f("fk_time_proposal_asked_id_participant")),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrence.id"], name=op.f("fk_time_proposal_occurrence_id_occurrence")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_proposal")),
        sa.UniqueConstraint(
            "occurrence_id",
            "address",
            "starts_at",
            "ends_at",
            name=op.f("uq_time_proposal_occurrence_id_address_starts_at_ends_at"),
        ),
    )
    with op.batch_alter_table("time_proposal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_time_proposal_occurrence_id"), ["occurrence_id"], unique=False)

    with op.batch_alter_table("mailbox_sync", schema=None) as batch_op:
        batch_op.add_column(sa.Column("compare_due_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("gone_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("gone_code", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_mailbox_sync_compare_due_at"), ["compare_due_at"], unique=False)

    with op.batch_alter_table("occurrence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("wanted_starts_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("wanted_ends_at", integration.db.UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("series_attendee", schema=None) as batch_op:
        batch_op.add_column(sa.Column("invited_at", integration.db.UtcDateTime(timezone=True), nullable=True))

    # Where meetings are today is agreed; whoever was invited is on the series, unless MAIL_ALLOWLIST held them back.
    op.execute(
        "UPDATE occurrence SET wanted_starts_at = starts_at, wanted_ends_at = ends_at"
        " WHERE starts_at <> original_start_at"
    )
    op.execute(
        "UPDATE series_attendee SET invited_at = (SELECT series.invited_at FROM series"
        " WHERE series.id = series_attendee.series_id)"
        " WHERE participant_id IS NOT NULL AND is_wanted AND NOT held"
    )


def downgrade() -> None:
    with op.batch_alter_table("series_attendee", schema=None) as batch_op:
        batch_op.drop_column("invited_at")

    with op.batch_alter_table("occurrence", schema=None) as batch_op:
        batch_op.drop_column("wanted_ends_at")
        batch_op.drop_column("wanted_starts_at")

    with op.batch_alter_table("mailbox_sync", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mailbox_sync_compare_due_at"))
        batch_op.drop_column("gone_code")
        batch_op.drop_column("gone_at")
        batch_op.drop_column("compare_due_at")

    with op.batch_alter_table("time_proposal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_time_proposal_occurrence_id"))

    op.drop_table("time_proposal")
    with op.batch_alter_table("drift", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_drift_open", sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL")
        )
        batch_op.drop_index(batch_op.f("ix_drift_series_id"))
        batch_op.drop_index(batch_op.f("ix_drift_occurrence_id"))
        batch_op.drop_index(batch_op.f("ix_drift_key"))
        batch_op.drop_index(batch_op.f("ix_drift_first_seen_at"))

    op.drop_table("drift")
