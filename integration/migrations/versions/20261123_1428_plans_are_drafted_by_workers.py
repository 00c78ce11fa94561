"""Plans are drafted by workers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_1428"
down_revision = "20261123_1426"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(), nullable=False, server_default="ready"))
        batch_op.add_column(sa.Column("trouble", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("remedy", sa.String(), nullable=True))
        batch_op.create_check_constraint(op.f("ck_plan_state"), "state IN ('drafting', 'ready', 'failed')")


def downgrade() -> None:
    op.execute("DELETE FROM plan WHERE state != 'ready'")
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_plan_state"), type_="check")
        batch_op.drop_column("remedy")
        batch_op.drop_column("trouble")
        batch_op.drop_column("state")
