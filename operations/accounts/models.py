"""Tables of accounts. Secrets are stored only as hashes."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

ROLES: tuple[str, ...] = ("admin", "analyst", "viewer")


class User(Base):
    """A person. ``name_key`` (casefolded) makes names unique without regard to case; times are @timestamp text."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(128), unique=True)
    display_name: Mapped[str] = mapped_column(String(128), default="")
    role: Mapped[str] = mapped_column(String(32))
    password_hash: Mapped[str] = mapped_column(String(256))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[str] = mapped_column(String(27))
    password_changed_at: Mapped[str] = mapped_column(String(27))
    last_login_at: Mapped[str | None] = mapped_column(String(27))


class LoginFailure(Base):
    """Failed logins per account or address; in the database, so that restarts and several workers share them."""

    __tablename__ = "login_failures"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # account | address
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[str] = mapped_column(String(27))
    locked_until: Mapped[str | None] = mapped_column(String(27))


class LoginSession(Base):
    """A logged-in browser. ``id`` is the hash of the cookie's token: the table alone lets nobody in."""

    __tablename__ = "login_sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[str] = mapped_column(String(27))
    seen_at: Mapped[str] = mapped_column(String(27))
    expires_at: Mapped[str] = mapped_column(String(27))
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(256))


class ApiKey(Base):
    """A key of a program. ``prefix`` is shown in lists; ``secret_hash`` is SM3 of the key (256 random bits need no slow hash)."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    prefix: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[str] = mapped_column(String(8))  # read | write
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[str] = mapped_column(String(27))
    expires_at: Mapped[str] = mapped_column(String(27))
    used_at: Mapped[str | None] = mapped_column(String(27))
    revoked_at: Mapped[str | None] = mapped_column(String(27))

    __table_args__ = (Index("ix_api_keys_created", "created_at", "id"),)


class SetupToken(Base):
    """One-use ticket for creating the first account; only its hash is stored."""

    __tablename__ = "setup_tokens"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[str] = mapped_column(String(27))
    expires_at: Mapped[str] = mapped_column(String(27))
    used_at: Mapped[str | None] = mapped_column(String(27))
