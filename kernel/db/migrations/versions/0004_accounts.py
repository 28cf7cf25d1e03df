"""Accounts with three separated powers: scopes, proposals, second factors, password history, links by role.

The old administrator becomes system administrator, the viewer a leader. All sessions end: they were begun without a second factor.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.String(27)
_BEGINNING = "0001-01-01T00:00:00.000000Z"


def upgrade() -> None:
    _users()
    _sessions_keys_links()
    _proposals()
    _factors()


def _users() -> None:
    for column in (
        sa.Column("organisations", sa.Text, nullable=False, server_default="[]"),
        sa.Column("zones", sa.Text, nullable=False, server_default="[]"),
        sa.Column("origin", sa.String(16), nullable=False, server_default="local"),
        sa.Column("subject", sa.String(512), nullable=False, server_default=""),
        sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("active_since", _MOMENT, nullable=False, server_default=_BEGINNING),
        sa.Column("expires_at", _MOMENT),
        sa.Column("removed_at", _MOMENT),
        sa.Column("disabled_for", sa.String(16), nullable=False, server_default=""),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    ):
        op.add_column("users", column)
    op.create_index("ix_users_role", "users", ["role", "active"])
    op.create_index("ix_users_subject", "users", ["origin", "subject"])
    op.execute("UPDATE users SET role = 'sysadmin' WHERE role = 'admin'")
    op.execute("UPDATE users SET role = 'leader' WHERE role = 'viewer'")
    op.execute("UPDATE users SET active_since = created_at")
    op.execute("UPDATE users SET disabled_for = 'hand' WHERE NOT active")


def _sessions_keys_links() -> None:
    op.execute("DELETE FROM login_sessions")
    op.add_column("login_sessions", sa.Column("factor", sa.String(16), nullable=False, server_default=""))
    op.add_column("login_sessions", sa.Column("proved_at", _MOMENT, nullable=False, server_default=_BEGINNING))
    op.add_column("api_keys", sa.Column("permissions", sa.Text, nullable=False, server_default="[]"))
    op.add_column("api_keys", sa.Column("networks", sa.Text, nullable=False, server_default="[]"))
    op.drop_table("setup_tokens")
    op.create_table(
        "setup_tokens",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT),
    )


def _proposals() -> None:
    op.create_table(
        "account_proposals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("before", sa.String(32), nullable=False),
        sa.Column("organisations", sa.Text, nullable=False),
        sa.Column("zones", sa.Text, nullable=False),
        sa.Column("expires_at", _MOMENT),
        sa.Column("reason", sa.String(512), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("proposer_id", sa.Integer),
        sa.Column("proposed_by", sa.String(160), nullable=False),
        sa.Column("proposed_at", _MOMENT, nullable=False),
        sa.Column("decided_by", sa.String(160), nullable=False),
        sa.Column("decided_at", _MOMENT),
    )
    op.create_index("ix_account_proposals_state", "account_proposals", ["state", "id"])


def _factors() -> None:
    def owner() -> sa.Column[int]:
        return sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)

    op.create_table(
        "old_passwords",
        sa.Column("id", sa.Integer, primary_key=True),
        owner(),
        sa.Column("password_hash", sa.String(256), nullable=False),
        sa.Column("replaced_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "second_factors",
        sa.Column("id", sa.Integer, primary_key=True),
        owner(),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("material", sa.Text, nullable=False),
        sa.Column("credential", sa.String(1400), nullable=False),
        sa.Column("counter", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Integer, primary_key=True),
        owner(),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("used_at", _MOMENT),
    )
    op.create_table(
        "login_challenges",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_login_challenges_holder", "login_challenges", ["holder", "purpose"])
    op.create_index("ix_login_challenges_end", "login_challenges", ["expires_at"])
