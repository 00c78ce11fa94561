"""Uploads, check-ins and corrections of attendance"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import integration.db

revision = "20261125_1834"
down_revision = "20261123_1436"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attendance_export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("facts_hash", sa.String(length=64), nullable=False),
        sa.Column("starts_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("together_seconds", sa.Integer(), nullable=True),
        sa.Column("guests", sa.Integer(), nullable=False),
        sa.Column("attended_count", sa.Integer(), nullable=False),
        sa.Column("unknown_count", sa.Integer(), nullable=False),
        sa.Column(
            "unmatched", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.Column("imported_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrence.id"], name=op.f("fk_attendance_export_occurrence_id_occurrence")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_export")),
        sa.UniqueConstraint(
            "occurrence_id", "content_hash", name=op.f("uq_attendance_export_occurrence_id_content_hash")
        ),
        sa.UniqueConstraint(
            "occurrence_id", "facts_hash", name=op.f("uq_attendance_export_occurrence_id_facts_hash")
        ),
    )
    with op.batch_alter_table("attendance_export", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attendance_export_occurrence_id"), ["occurrence_id"], unique=False)

    op.create_table(
        "check_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("checked_in_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["participant.id"], name=op.f("fk_check_in_confirmed_by_id_participant")
        ),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrence.id"], name=op.f("fk_check_in_occurrence_id_occurrence")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_check_in_participant_id_participant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in")),
        sa.UniqueConstraint("occurrence_id", "participant_id", name=op.f("uq_check_in_occurrence_id_participant_id")),
    )
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_in_occurrence_id"), ["occurrence_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_participant_id"), ["participant_id"], unique=False)

    op.create_table(
        "correction_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("attended", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("asked_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_by_mail", sa.String(length=320), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.CheckConstraint("(decided_at IS NULL) = (accepted IS NULL)", name=op.f("ck_correction_request_decided")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["participant.id"], name=op.f("fk_correction_request_decided_by_id_participant")
        ),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrence.id"], name=op.f("fk_correction_request_occurrence_id_occurrence")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_correction_request_participant_id_participant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_request")),
    )
    with op.batch_alter_table("correction_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_correction_request_occurrence_id"), ["occurrence_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_correction_request_participant_id"), ["participant_id"], unique=False)
        batch_op.create_index(
            "uq_correction_request_waiting",
            ["occurrence_id", "participant_id"],
            unique=True,
            postgresql_where=sa.text("decided_at IS NULL"),
            sqlite_where=sa.text("decided_at IS NULL"),
        )

    op.create_table(
        "count_correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=False),
        sa.Column("provenance", sa.String(), nullable=False),
        sa.Column("earlier_attended", sa.Integer(), nullable=True),
        sa.Column("earlier_unknown", sa.Integer(), nullable=True),
        sa.Column("attended", sa.Integer(), nullable=False),
        sa.Column("corrected_by_id", sa.Integer(), nullable=True),
        sa.Column("corrected_by_mail", sa.String(length=320), nullable=True),
        sa.Column("corrected_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.CheckConstraint("provenance IN ('declared', 'corrected')", name=op.f("ck_count_correction_provenance")),
        sa.ForeignKeyConstraint(
            ["corrected_by_id"], ["participant.id"], name=op.f("fk_count_correction_corrected_by_id_participant")
        ),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrence.id"], name=op.f("fk_count_correction_occurrence_id_occurrence")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_correction")),
    )
    with op.batch_alter_table("count_correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_count_correction_occurrence_id"), ["occurrence_id"], unique=False)

    op.create_table(
        "export_presence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("export_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("attended", sa.Boolean(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["attendance_export.id"],
            name=op.f("fk_export_presence_export_id_attendance_export"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_export_presence_participant_id_participant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_presence")),
        sa.UniqueConstraint("export_id", "participant_id", name=op.f("uq_export_presence_export_id_participant_id")),
    )
    with op.batch_alter_table("export_presence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_export_presence_export_id"), ["export_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_export_presence_participant_id"), ["participant_id"], unique=False)

    with op.batch_alter_table("attendance_correction", schema=None) as batch_op:
        batch_op.add_column(sa.Column("corrected_by_mail", sa.String(length=320), nullable=True))
        batch_op.alter_column("corrected_by_id", existing_type=sa.INTEGER(), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM attendance_correction WHERE corrected_by_id IS NULL")  # nothing can stand in their place
    with op.batch_alter_table("attendance_correction", schema=None) as batch_op:
        batch_op.alter_column("corrected_by_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.drop_column("corrected_by_mail")

    with op.batch_alter_table("export_presence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_export_presence_participant_id"))
        batch_op.drop_index(batch_op.f("ix_export_presence_export_id"))

    op.drop_table("export_presence")
    with op.batch_alter_table("count_correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_count_correction_occurrence_id"))

    op.drop_table("count_correction")
    with op.batch_alter_table("correction_request", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_correction_request_waiting",
            postgresql_where=sa.text("decided_at IS NULL"),
            sqlite_where=sa.text("decided_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_correction_request_participant_id"))
        batch_op.drop_index(batch_op.f("ix_correction_request_occurrence_id"))

    op.drop_table("correction_request")
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_in_participant_id"))
        batch_op.drop_index(batch_op.f("ix_check_in_occurrence_id"))

    op.drop_table("check_in")
    with op.batch_alter_table("attendance_export", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attendance_export_occurrence_id"))

    op.drop_table("attendance_export")
