"""Risk of assets and zones with its days and settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NUMBERS = ("score", "exposure", "vulnerability", "threat", "importance")
_SORTS = ("delta", "threat", "exposure")


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _key(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=True)


def upgrade() -> None:
    op.create_table(
        "risk_scores",
        _key("kind", 8),
        _key("key", 128),
        _text("name", 256),
        _text("zone", 64),
        _text("bureau", 128),
        _text("asset_kind", 64),
        *map(_whole, _NUMBERS),
        sa.Column("vulnerability_known", sa.Boolean, nullable=False),
        _whole("open_alerts"),
        _whole("baseline"),
        _text("since", 10),
        _whole("delta"),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("digest", sa.BigInteger, nullable=False),
        _text("computed_at", 27),
    )
    op.create_index("ix_risk_scores_score", "risk_scores", ["kind", "score", "key"])
    op.create_index("ix_risk_scores_zone", "risk_scores", ["kind", "zone", "score", "key"])
    op.create_index("ix_risk_scores_bureau", "risk_scores", ["kind", "bureau", "score", "key"])
    for name in _SORTS:
        op.create_index(f"ix_risk_scores_{name}", "risk_scores", ["kind", name, "key"])
    op.create_table("risk_days", _key("kind", 8), _key("key", 128), _key("day", 10), _whole("opened"), _whole("score"))
    op.create_index("ix_risk_days_day", "risk_days", ["day"])
    op.create_table(
        "risk_settings",
        _key("name", 16),
        sa.Column("value", sa.Text, nullable=False),
        _text("source", 512),
        sa.Column("to_be_confirmed", sa.Boolean, nullable=False),
        _text("changed_at", 27),
        _text("changed_by", 160),
        _whole("version"),
    )
