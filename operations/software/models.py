"""Table of the software of assets."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_Id = BigInteger().with_variant(Integer, "sqlite")


class SoftwareRow(Base):
    """One product in one version on one asset.

    release                  the version as its maker or packager writes it, "" = not known
    scheme                   how its versions are compared: generic, dpkg or rpm
    cpe                      CPE 2.3 name, "" = not known
    vendor_key, product_key  the names under which advisories are looked up (operations.software.names)
    source                   hand | import | sensor | sbom
    version                  of the entry, for changes
    """

    __tablename__ = "asset_software"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    vendor: Mapped[str] = mapped_column(String(128))
    product: Mapped[str] = mapped_column(String(160))
    release: Mapped[str] = mapped_column(String(128))
    scheme: Mapped[str] = mapped_column(String(8))
    cpe: Mapped[str] = mapped_column(String(512))
    vendor_key: Mapped[str] = mapped_column(String(128))
    product_key: Mapped[str] = mapped_column(String(160))
    source: Mapped[str] = mapped_column(String(8))
    first_seen: Mapped[str] = mapped_column(String(27))
    last_seen: Mapped[str] = mapped_column(String(27))
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int]

    __table_args__ = (
        Index("uq_asset_software", "asset_id", "vendor", "product", "release", "cpe", unique=True),
        Index("ix_asset_software_product", "product_key"),
        {"sqlite_autoincrement": True},
    )
