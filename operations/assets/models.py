"""Tables of assets."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

STATUSES: tuple[str, ...] = ("registered", "observed", "retired")
_Id = BigInteger().with_variant(Integer, "sqlite")


class AssetRow(Base):
    """A device. ``key`` is the id people and events use; ``addresses``, ``macs``, ``names`` and ``services`` are JSON lists.

    registered  somebody entered it: it belongs here
    observed    it was seen, nobody has said that it belongs here
    retired     it was registered once and must not be here any more
    """

    __tablename__ = "assets"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    name: Mapped[str] = mapped_column(String(256))
    kind: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    zone: Mapped[str] = mapped_column(String(64))
    bureau: Mapped[str] = mapped_column(String(128))
    importance: Mapped[int]
    addresses: Mapped[str] = mapped_column(Text)
    macs: Mapped[str] = mapped_column(Text)
    names: Mapped[str] = mapped_column(Text)
    services: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)  # what a search looks through: key, name, addresses, macs, names, folded
    note: Mapped[str] = mapped_column(Text)
    first_seen: Mapped[str] = mapped_column(String(27))  # "" = never seen
    last_seen: Mapped[str] = mapped_column(String(27))
    changed_at: Mapped[str] = mapped_column(String(27))
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_assets_seen", "last_seen", "id"),
        Index("ix_assets_status", "status", "last_seen", "id"),
        Index("ix_assets_zone", "zone", "status", "last_seen", "id"),
        Index("ix_assets_first", "first_seen", "id"),
        Index("ix_assets_importance", "importance", "id"),
        Index("ix_assets_kind", "kind", "id"),
        Index("ix_assets_bureau", "bureau", "id"),
    )


class AssetMark(Base):
    """What an asset is known by: an address (32 hex digits), a MAC or a folded host name. One mark belongs to one asset."""

    __tablename__ = "asset_marks"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # address | mac | name
    value: Mapped[str] = mapped_column(String(256), primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
