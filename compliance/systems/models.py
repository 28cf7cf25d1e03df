"""Tables of MLPS systems, their objects, and what people decided about applicability."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

STATES: tuple[str, ...] = ("planned", "building", "running", "changing", "retired")
"""规划, 建设, 运行, 变更, 废止 (GB/T 25058-2019)."""

_ID = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class SystemRow(Base):
    """A 定级对象.

    organisation        who is responsible for it (运营使用单位), an owner of the zone plan, "" = the operator
    s, a, g, level      1 to 5 each; ``level`` the highest
    extensions, zones, people  JSON lists: read whole and never searched
    filing_number … filing_organisation   the record of 备案, "" = none yet
    """

    __tablename__ = "mlps_systems"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    organisation: Mapped[str] = mapped_column(String(128))
    description: Mapped[str] = mapped_column(Text)
    s: Mapped[int]
    a: Mapped[int]
    g: Mapped[int]
    level: Mapped[int]
    extensions: Mapped[str] = mapped_column(Text)
    zones: Mapped[str] = mapped_column(Text)
    people: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    filing_number: Mapped[str] = mapped_column(String(64))
    filing_date: Mapped[str] = mapped_column(String(10))
    filing_authority: Mapped[str] = mapped_column(String(128))
    filing_organisation: Mapped[str] = mapped_column(String(128))
    created_by: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[str] = mapped_column(_MOMENT)
    updated_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int]

    __table_args__ = (
        Index("ix_mlps_systems_updated", "updated_at", "id"),
        Index("ix_mlps_systems_organisation", "organisation", "updated_at", "id"),
        {"sqlite_autoincrement": True},
    )


class ObjectRow(Base):
    """An object that is assessed.

    asset       key of the asset of the inventory, "" = entered by hand
    importance  1 to 5, 0 = not said
    removed_at  when it was taken out (its verdicts stay in the history), None = it is in
    """

    __tablename__ = "mlps_objects"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(256))
    asset: Mapped[str] = mapped_column(String(128))
    importance: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    removed_at: Mapped[str | None] = mapped_column(_MOMENT)
    created_by: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[str] = mapped_column(_MOMENT)
    updated_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int]

    __table_args__ = (
        UniqueConstraint("system_id", "kind", "name", name="uq_mlps_objects_name"),
        Index("ix_mlps_objects_asset", "asset", "id"),
        {"sqlite_autoincrement": True},
    )


class ApplicabilityRow(Base):
    """What a person decided about an item on an object; ``object_id`` 0: on the whole system."""

    __tablename__ = "mlps_applicability"

    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"), primary_key=True)
    item: Mapped[str] = mapped_column(String(24), primary_key=True)
    object_id: Mapped[int] = mapped_column(_ID, primary_key=True, autoincrement=False)
    applies: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(String(160))
    decided_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int]
