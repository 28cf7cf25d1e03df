"""Fields of the catalogue of requirements that people have compared with the printed text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue_confirmations",
        sa.Column("record", sa.String(32), primary_key=True),
        sa.Column("field", sa.String(32), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("confirmed_by", sa.String(160), nullable=False),
        sa.Column("confirmed_at", sa.String(27), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
