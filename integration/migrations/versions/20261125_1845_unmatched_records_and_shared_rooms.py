"""Unmatched records and shared rooms"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import integration.db

revision = "20261125_1845"
down_revision = "20261125_1834"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recognition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("pod_id", sa.Integer(), nullable=True),
        sa.Column("occurrence_id", sa.Integer(), nullable=False),
        sa.Column("learnt_by", sa.String(length=320), nullable=False),
        sa.Column("learnt_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'name') = (pod_id IS NOT NULL)", name=op.f("ck_recognition_name_in_a_pod")),
        sa.CheckConstraint("kind IN ('object id', 'address', 'phone', 'name')", name=op.f("ck_recognition_kind")),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrence.id"], name=op.f("fk_recognition_occurrence_id_occurrence")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_recognition_person_id_person"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pod_id"], ["pod.id"], name=op.f("fk_recognition_pod_id_pod")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recognition")),
        sa.UniqueConstraint("kind", "value", "pod_id", name=op.f("uq_recognition_kind_value_pod_id")),
    )
    with op.batch_alter_table("recognition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recognition_occurrence_id"), ["occurrence_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_recognition_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_recognition_pod_id"), ["pod_id"], unique=False)
        batch_op.create_index(
            "uq_recognition_everywhere",
            ["kind", "value"],
            unique=True,
            postgresql_where=sa.text("pod_id IS NULL"),
            sqlite_where=sa.text("pod_id IS NULL"),
        )

    op.create_table(
        "shared_declaration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=False),
        sa.Column("declared_by_id", sa.Integer(), nullable=False),
        sa.Column(
            "participant_ids",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("declared_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["declared_by_id"], ["participant.id"], name=op.f("fk_shared_declaration_declared_by_id_participant")
        ),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrence.id"], name=op.f("fk_shared_declaration_occurrence_id_occurrence")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_declaration")),
    )
    with op.batch_alter_table("shared_declaration", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shared_declaration_occurrence_id"), ["occurrence_id"], unique=False)

    op.create_table(
        "shared_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("asked_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", integration.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", integration.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrence.id"], name=op.f("fk_shared_request_occurrence_id_occurrence")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_shared_request_participant_id_participant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_request")),
        sa.UniqueConstraint("occurrence_id", name=op.f("uq_shared_request_occurrence_id")),
    )
    with op.batch_alter_table("shared_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shared_request_participant_id"), ["participant_id"], unique=False)

    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.add_column(sa.Column("matched_by", sa.String(), nullable=True))

    with op.batch_alter_table("attendance_report", schema=None) as batch_op:
        batch_op.add_column(sa.Column("participants", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("is_call", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("is_stale", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(
            sa.Column(
                "presences", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=True
            )
        )

    with op.batch_alter_table("occurrence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("looked_at", integration.db.UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("unmatched_record", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "traces",
                sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
                nullable=False,
                server_default="[]",
            )
        )
        batch_op.add_column(sa.Column("verdict", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("participant_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("decided_by", sa.String(length=320), nullable=True))
        batch_op.add_column(sa.Column("decided_at", integration.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_unmatched_record_participant_id"), ["participant_id"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_unmatched_record_occurrence_id_key"), ["occurrence_id", "key"]
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_unmatched_record_verdict"), "verdict IN ('one of ours', 'none of ours')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_unmatched_record_assigned"), "(verdict = 'one of ours') = (participant_id IS NOT NULL)"
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_unmatched_record_participant_id_participant"), "participant", ["participant_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("unmatched_record", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_unmatched_record_participant_id_participant"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("ck_unmatched_record_assigned"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_unmatched_record_verdict"), type_="check")
        batch_op.drop_constraint(batch_op.f("uq_unmatched_record_occurrence_id_key"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_unmatched_record_participant_id"))
        batch_op.drop_column("decided_at")
        batch_op.drop_column("decided_by")
        batch_op.drop_column("participant_id")
        batch_op.drop_column("verdict")
        batch_op.drop_column("traces")
        batch_op.drop_column("key")

    with op.batch_alter_table("occurrence", schema=None) as batch_op:
        batch_op.drop_column("looked_at")

    with op.batch_alter_table("attendance_report", schema=None) as batch_op:
        batch_op.drop_column("presences")
        batch_op.drop_column("is_stale")
        batch_op.drop_column("is_call")
        batch_op.drop_column("participants")

    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.drop_column("matched_by")

    with op.batch_alter_table("shared_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shared_request_participant_id"))

    op.drop_table("shared_request")
    with op.batch_alter_table("shared_declaration", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shared_declaration_occurrence_id"))

    op.drop_table("shared_declaration")
    with op.batch_alter_table("recognition", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_recognition_everywhere",
            postgresql_where=sa.text("pod_id IS NULL"),
            sqlite_where=sa.text("pod_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_recognition_pod_id"))
        batch_op.drop_index(batch_op.f("ix_recognition_person_id"))
        batch_op.drop_index(batch_op.f("ix_recognition_occurrence_id"))

    op.drop_table("recognition")
