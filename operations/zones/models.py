"""Tables of the zone plan. Lists are JSON texts: they are read whole and never searched by the database."""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base


class ZoneRow(Base):
    """A zone, see kernel.zones.plan.Zone."""

    __tablename__ = "zones"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    name_en: Mapped[str] = mapped_column(String(128))
    layer: Mapped[str] = mapped_column(String(16))
    owner: Mapped[str] = mapped_column(String(128))
    importance: Mapped[int]
    ranges: Mapped[str] = mapped_column(Text)
    vlans: Mapped[str] = mapped_column(Text)
    sensors: Mapped[str] = mapped_column(Text)
    internet: Mapped[str] = mapped_column(String(16))
    admission: Mapped[str] = mapped_column(String(16))
    changed_at: Mapped[str] = mapped_column(String(27))
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)


class ConduitRow(Base):
    """A conduit, see kernel.zones.plan.Conduit."""

    __tablename__ = "conduits"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sources: Mapped[str] = mapped_column(Text)
    targets: Mapped[str] = mapped_column(Text)
    services: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[str] = mapped_column(String(27))
    until: Mapped[str] = mapped_column(String(27))
    approver: Mapped[str] = mapped_column(String(128))
    changed_at: Mapped[str] = mapped_column(String(27))
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)


class PlanRevision(Base):
    """One row; ``revision`` grows with every change of zones, conduits and registered assets, ``inventory`` with new devices."""

    __tablename__ = "plan_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    inventory: Mapped[int]
