"""Tables of the service catalogue. Moments are UTC text."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import ColumnElement

from kernel.db.base import Base

STATES: tuple[str, ...] = (
    "applied",
    "accepted",
    "to_confirm",
    "issued",
    "renewed",
    "expired",
    "rejected",
    "withdrawn",
    "revoked",
)
OPEN: tuple[str, ...] = ("applied", "accepted", "to_confirm")
"""They wait for the operator."""

_OPEN = f"state IN ({', '.join(repr(state) for state in OPEN)})"
IS_OPEN: ColumnElement[bool] = literal_column(f"service_applications.{_OPEN}", Boolean)
"""Written out, because a database finds an index of some rows by the text of their condition."""

_Id = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class Application(Base):
    """An application of a bureau.

    subject       what it is about in one line, made from the form
    form          JSON, checked against the catalogue
    accept_due, issue_due  by when, from the terms that were in force
    confirmed_by  the second person, where one is needed
    grant_kind, grant_id   what was made: conduit, certificate, ticket, source, account, quota
    granted       JSON: what the applicant is told
    renews        the application whose grant this one continues
    """

    __tablename__ = "service_applications"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    service: Mapped[str] = mapped_column(String(32))
    bureau: Mapped[str] = mapped_column(String(128))
    applicant: Mapped[str] = mapped_column(String(160))
    subject: Mapped[str] = mapped_column(String(200))
    form: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")
    applied_at: Mapped[str] = mapped_column(_MOMENT)
    accept_due: Mapped[str] = mapped_column(_MOMENT)
    issue_due: Mapped[str | None] = mapped_column(_MOMENT)
    accepted_at: Mapped[str | None] = mapped_column(_MOMENT)
    accepted_by: Mapped[str] = mapped_column(String(160), default="")
    issued_at: Mapped[str | None] = mapped_column(_MOMENT)
    issued_by: Mapped[str] = mapped_column(String(160), default="")
    confirmed_by: Mapped[str] = mapped_column(String(160), default="")
    expires_at: Mapped[str | None] = mapped_column(_MOMENT)
    grant_kind: Mapped[str] = mapped_column(String(16), default="")
    grant_id: Mapped[str] = mapped_column(String(128), default="")
    granted: Mapped[str] = mapped_column(Text, default="{}")
    renews: Mapped[int | None] = mapped_column(_Id)
    updated_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_service_applications_updated", "updated_at", "id"),
        Index("ix_service_applications_state", "state", "updated_at", "id"),
        Index("ix_service_applications_service", "service", "state", "updated_at", "id"),
        Index("ix_service_applications_bureau", "bureau", "applied_at", "id"),
        Index("ix_service_applications_bureau_state", "bureau", "state"),
        Index("ix_service_applications_expiry", "state", "expires_at"),
        Index("ix_service_applications_applied", "applied_at"),
        Index("ix_service_applications_applicant", "applicant", "updated_at", "id"),
        Index("ix_service_applications_open", "updated_at", "id", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
        {"sqlite_autoincrement": True},
    )


class ApplicationZone(Base):
    """A zone that an application concerns."""

    __tablename__ = "service_application_zones"

    zone: Mapped[str] = mapped_column(String(64), primary_key=True)
    application_id: Mapped[int] = mapped_column(
        ForeignKey("service_applications.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )

    __table_args__ = (Index("ix_service_application_zones_application", "application_id"),)


class ApplicationHistory(Base):
    """What was done to an application."""

    __tablename__ = "service_history"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("service_applications.id", ondelete="CASCADE"))
    time: Mapped[str] = mapped_column(_MOMENT)
    actor: Mapped[str] = mapped_column(String(160))
    act: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_service_history_application", "application_id", "id"),)


class Terms(Base):
    """Changed periods of a service; without a row the catalogue's hold. ``source`` where they come from."""

    __tablename__ = "service_terms"

    service: Mapped[str] = mapped_column(String(32), primary_key=True)
    accept_hours: Mapped[int]
    issue_hours: Mapped[int]
    open: Mapped[bool]
    source: Mapped[str] = mapped_column(String(200))
    to_be_confirmed: Mapped[bool]
    changed_by: Mapped[str] = mapped_column(String(160))
    changed_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int] = mapped_column(default=1)
