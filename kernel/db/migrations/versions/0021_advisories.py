"""Software of assets, advisories and their matches."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _of(name: str, table: str) -> sa.Column[Any]:
    return sa.Column(name, _ID, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False)


def _id() -> sa.Column[Any]:
    return sa.Column("id", _ID, primary_key=True, autoincrement=True)


def upgrade() -> None:
    op.create_table(
        "asset_software",
        _id(),
        _of("asset_id", "assets"),
        *(_text(name, width) for name, width in (("vendor", 128), ("product", 160), ("release", 128), ("scheme", 8), ("cpe", 512))),
        *(_text(name, width) for name, width in (("vendor_key", 128), ("product_key", 160), ("source", 8))),
        *(_text(name, width) for name, width in (("first_seen", 27), ("last_seen", 27), ("changed_by", 160))),
        _number("version"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_asset_software", "asset_software", ["asset_id", "vendor", "product", "release", "cpe"], unique=True)
    op.create_index("ix_asset_software_product", "asset_software", ["product_key"])
    op.create_table(
        "advisories",
        _id(),
        sa.Column("key", sa.String(128), nullable=False, unique=True),
        *(_text(name, width) for name, width in (("title", 512), ("summary", 0), ("vendor", 128), ("product", 160))),
        _flag("kev"),
        _flag("ransomware"),
        sa.Column("cvss", sa.Double, nullable=True),
        *(_text(name, 10) for name in ("published", "kev_added", "due")),
        *(_text(name) for name in ("action", "aliases", "sources")),
        _text("rank", 11),
        _number("affected"),
        _number("possible"),
        _text("text"),
        _text("changed_at", 27),
        _number("version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_advisories_rank", "advisories", ["rank", "id"])
    op.create_index("ix_advisories_due", "advisories", ["due", "id"])
    op.create_index("ix_advisories_vendor", "advisories", ["vendor", "rank"])
    op.create_table(
        "advisory_products",
        _id(),
        _of("advisory_id", "advisories"),
        *(_text(name, width) for name, width in (("source", 160), ("vendor_key", 128), ("product_key", 160), ("product", 320))),
        *(_text(name, width) for name, width in (("cpe", 512), ("scheme", 8), ("status", 8), ("low", 128))),
        _flag("low_in"),
        _text("high", 128),
        _flag("high_in"),
        _flag("whole"),
        _text("condition"),
    )
    op.create_index("ix_advisory_products_product", "advisory_products", ["product_key"])
    op.create_index("ix_advisory_products_advisory", "advisory_products", ["advisory_id"])
    op.create_table(
        "advisory_matches",
        _id(),
        _of("advisory_id", "advisories"),
        _of("asset_id", "assets"),
        *(_text(name, width) for name, width in (("verdict", 8), ("reason", 0), ("evidence", 400), ("state", 8), ("note", 0))),
        sa.Column("expires_at", sa.String(27), nullable=True),
        *(_text(name, width) for name, width in (("created_at", 27), ("changed_at", 27), ("changed_by", 160))),
        _number("version"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_advisory_matches", "advisory_matches", ["advisory_id", "asset_id"], unique=True)
    op.create_index("ix_advisory_matches_asset", "advisory_matches", ["asset_id", "state"])
    op.create_index("ix_advisory_matches_state", "advisory_matches", ["state", "expires_at"])
    op.create_table(
        "advisory_rounds",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(_number(name) for name in ("wanted", "done", "plan", "changed")),
    )
