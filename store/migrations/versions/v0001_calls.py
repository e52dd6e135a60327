"""Call records, their legs, and how far the CEL file was read."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "calls",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("linkedid", sa.Text, primary_key=True),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("answered_at", moment),
        sa.Column("ended_at", moment, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("caller_name", sa.Text, nullable=False),
        sa.Column("dialled", sa.Text, nullable=False),
        sa.Column("answered_by", sa.Text),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("path", sa.JSON, nullable=False),
    )
    op.create_index("calls_by_tenant_and_start", "calls", ["tenant", "started_at"])
    op.create_table(
        "legs",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("linkedid", sa.Text, primary_key=True),
        sa.Column("uniqueid", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("answered_at", moment),
        sa.Column("ended_at", moment, nullable=False),
        sa.Column("hangup_cause", sa.Integer),
    )
    op.create_table(
        "cel_position",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("cel_position")
    op.drop_table("legs")
    op.drop_table("calls")
