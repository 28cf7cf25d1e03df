"""Revocation lists of the city's authorities, and a quick way to all that is revoked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = sa.String(27)


def upgrade() -> None:
    op.create_table(
        "revocation_lists",
        sa.Column("issuer", sa.String(64), primary_key=True),
        sa.Column("authority", sa.String(64), sa.ForeignKey("certificate_authorities.name"), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("pem", sa.Text, nullable=False),
        sa.Column("number", sa.String(48), nullable=False),
        sa.Column("this_update", _MOMENT, nullable=False),
        sa.Column("next_update", _MOMENT, nullable=False),
        sa.Column("taken_at", _MOMENT, nullable=False),
        sa.Column("taken_by", sa.String(160), nullable=False),
    )
    op.create_index("ix_certificates_revoked", "certificates", ["revoked_at"])
