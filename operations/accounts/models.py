"""Tables of accounts. Secrets are stored only as hashes, or sealed under the master key. Times are @timestamp text."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_MOMENT = String(27)


class User(Base):
    """A person. ``name_key`` (casefolded) makes names unique without regard to case, also those of removed accounts.

    role           one of permissions.ROLES, "" while none was granted
    password_hash  "" while none was set, and for accounts of a directory
    organisations, zones  JSON lists: the scope, see schema.Reach
    active_since   made or switched on last; the count of unused days begins here
    disabled_for   why it is off: "" | hand | unused | expired
    subject        the directory's own id of the person
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(128), unique=True)
    display_name: Mapped[str] = mapped_column(String(128), default="")
    role: Mapped[str] = mapped_column(String(32))
    password_hash: Mapped[str] = mapped_column(String(256))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[str] = mapped_column(_MOMENT)
    password_changed_at: Mapped[str] = mapped_column(_MOMENT)
    last_login_at: Mapped[str | None] = mapped_column(_MOMENT)
    organisations: Mapped[str] = mapped_column(Text, default="[]")
    zones: Mapped[str] = mapped_column(Text, default="[]")
    origin: Mapped[str] = mapped_column(String(16), default="local")
    subject: Mapped[str] = mapped_column(String(512), default="")
    must_change: Mapped[bool] = mapped_column(default=False)
    active_since: Mapped[str] = mapped_column(_MOMENT)
    expires_at: Mapped[str | None] = mapped_column(_MOMENT)
    removed_at: Mapped[str | None] = mapped_column(_MOMENT)
    disabled_for: Mapped[str] = mapped_column(String(16), default="")
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (Index("ix_users_role", "role", "active"), Index("ix_users_subject", "origin", "subject"))


class Proposal(Base):
    """A change that takes effect when a second person confirms it; see schema.ProposalRecord.

    version      of the account when it was proposed: a change in between makes it void
    proposer_id  None = a directory, by its mapping of groups
    """

    __tablename__ = "account_proposals"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    role: Mapped[str] = mapped_column(String(32))
    before: Mapped[str] = mapped_column(String(32))
    organisations: Mapped[str] = mapped_column(Text)
    zones: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[str | None] = mapped_column(_MOMENT)
    reason: Mapped[str] = mapped_column(String(512))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    proposer_id: Mapped[int | None]
    proposed_by: Mapped[str] = mapped_column(String(160))
    proposed_at: Mapped[str] = mapped_column(_MOMENT)
    decided_by: Mapped[str] = mapped_column(String(160), default="")
    decided_at: Mapped[str | None] = mapped_column(_MOMENT)

    __table_args__ = (Index("ix_account_proposals_state", "state", "id"),)


class OldPassword(Base):
    """Hashes that may not be used again."""

    __tablename__ = "old_passwords"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    replaced_at: Mapped[str] = mapped_column(_MOMENT)


class Factor(Base):
    """A second factor.

    material    totp: the secret, sealed; webauthn: the public key, base64url; certificate: PEM
    credential  webauthn: the credential id, base64url; certificate: SM3 of the certificate; totp: the digest used
    counter     totp: the last time step that was accepted; webauthn: the sign count
    """

    __tablename__ = "second_factors"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    material: Mapped[str] = mapped_column(Text)
    credential: Mapped[str] = mapped_column(String(1400), default="")
    counter: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), default=0)
    created_at: Mapped[str] = mapped_column(_MOMENT)
    used_at: Mapped[str | None] = mapped_column(_MOMENT)


class RecoveryCode(Base):
    """A one-time code for the day the second factor is lost: salted SM3 of 80 random bits."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    salt: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[str | None] = mapped_column(_MOMENT)


class Challenge(Base):
    """Something to be answered once, by the browser that asked: WebAuthn, certificates, a TOTP secret being set up, OIDC.

    ``holder`` is the session's id, or the hash of the visitor's cookie before there is one.
    """

    __tablename__ = "login_challenges"

    id: Mapped[int] = mapped_column(primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[str] = mapped_column(_MOMENT)

    __table_args__ = (Index("ix_login_challenges_holder", "holder", "purpose"), Index("ix_login_challenges_end", "expires_at"))


class LoginFailure(Base):
    """Failed logins per account or address; in the database, so that restarts and several workers share them."""

    __tablename__ = "login_failures"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # account | address
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[str] = mapped_column(_MOMENT)
    locked_until: Mapped[str | None] = mapped_column(_MOMENT)


class LoginSession(Base):
    """A logged-in browser. ``id`` is the hash of the cookie's token: the table alone lets nobody in.

    factor     how the second factor was proven: "" (not yet, or none needed), totp, webauthn, certificate, recovery, external
    proved_at  when the person last proved who they are
    """

    __tablename__ = "login_sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[str] = mapped_column(_MOMENT)
    seen_at: Mapped[str] = mapped_column(_MOMENT)
    expires_at: Mapped[str] = mapped_column(_MOMENT)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(256))
    factor: Mapped[str] = mapped_column(String(16), default="")
    proved_at: Mapped[str] = mapped_column(_MOMENT)


class ApiKey(Base):
    """A key of a program. ``prefix`` is shown in lists; ``secret_hash`` is SM3 of the key (256 random bits need no slow hash).

    permissions  JSON list; empty = everything of the owner's role that ``scope`` (read, write) allows
    networks     JSON list: where it may be used from; empty = everywhere
    """

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    prefix: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[str] = mapped_column(String(8))  # read | write
    permissions: Mapped[str] = mapped_column(Text, default="[]")
    networks: Mapped[str] = mapped_column(Text, default="[]")
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[str] = mapped_column(_MOMENT)
    expires_at: Mapped[str] = mapped_column(_MOMENT)
    used_at: Mapped[str | None] = mapped_column(_MOMENT)
    revoked_at: Mapped[str | None] = mapped_column(_MOMENT)

    __table_args__ = (Index("ix_api_keys_created", "created_at", "id"),)


class SetupToken(Base):
    """One-use link; only its hash is stored.

    role     the first account of this role is made with it (set-up)
    user_id  or: this account's password is set with it (invitation, reset)
    """

    __tablename__ = "setup_tokens"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(32), default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[str] = mapped_column(_MOMENT)
    expires_at: Mapped[str] = mapped_column(_MOMENT)
    used_at: Mapped[str | None] = mapped_column(_MOMENT)
