"""Indexes for every order and filter of the list of assets."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_assets_zone", "assets")
    op.create_index("ix_assets_zone", "assets", ["zone", "status", "last_seen", "id"])
    op.create_index("ix_assets_first", "assets", ["first_seen", "id"])
    op.create_index("ix_assets_importance", "assets", ["importance", "id"])
    op.create_index("ix_assets_kind", "assets", ["kind", "id"])
    op.create_index("ix_assets_bureau", "assets", ["bureau", "id"])
