"""Tables of advisories and their matches."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

STATES: tuple[str, ...] = ("open", "accepted", "fixed", "false")
VERDICTS: tuple[str, ...] = ("affected", "possibly", "fixed")
NO_DUE = "9999-12-31"
_Id = BigInteger().with_variant(Integer, "sqlite")


class AdvisoryRow(Base):
    """One vulnerability. ``key`` is its CVE number, else the number of the document that tells of it.

    sources    JSON: source (kev, nvd, csaf:<number>) → what it says; the other columns follow from them
    kev_added  day on which it was put into KEV; ``due`` until when KEV wants it mended (NO_DUE = no day)
    rank       orders the list: "0" + due with open matches, "1" + due without
    affected, possible  open matches of the whole city by verdict
    """

    __tablename__ = "advisories"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    title: Mapped[str] = mapped_column(String(512))
    summary: Mapped[str] = mapped_column(Text)
    vendor: Mapped[str] = mapped_column(String(128))
    product: Mapped[str] = mapped_column(String(160))
    kev: Mapped[bool]
    ransomware: Mapped[bool]
    cvss: Mapped[float | None]
    published: Mapped[str] = mapped_column(String(10))
    kev_added: Mapped[str] = mapped_column(String(10))
    due: Mapped[str] = mapped_column(String(10))
    action: Mapped[str] = mapped_column(Text)
    aliases: Mapped[str] = mapped_column(Text)  # JSON list
    sources: Mapped[str] = mapped_column(Text)
    rank: Mapped[str] = mapped_column(String(11))
    affected: Mapped[int]
    possible: Mapped[int]
    text: Mapped[str] = mapped_column(Text)  # what a search looks through, folded
    changed_at: Mapped[str] = mapped_column(String(27))
    version: Mapped[int]

    __table_args__ = (
        Index("ix_advisories_rank", "rank", "id"),
        Index("ix_advisories_due", "due", "id"),
        Index("ix_advisories_vendor", "vendor", "rank"),
        {"sqlite_autoincrement": True},
    )


class AdvisoryProduct(Base):
    """A statement of a source about versions of a product.

    status     affected | fixed | clear (not affected); ``whole``: without bounds every version is meant, else none is told
    condition  JSON list of products (vendor:product) of which one has to be on the asset too, "[]" = none
    """

    __tablename__ = "advisory_products"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    advisory_id: Mapped[int] = mapped_column(ForeignKey("advisories.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(160))
    vendor_key: Mapped[str] = mapped_column(String(128))
    product_key: Mapped[str] = mapped_column(String(160))
    product: Mapped[str] = mapped_column(String(320))
    cpe: Mapped[str] = mapped_column(String(512))
    scheme: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(8))
    low: Mapped[str] = mapped_column(String(128))
    low_in: Mapped[bool]
    high: Mapped[str] = mapped_column(String(128))
    high_in: Mapped[bool]
    whole: Mapped[bool]
    condition: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_advisory_products_product", "product_key"), Index("ix_advisory_products_advisory", "advisory_id"))


class AdvisoryMatch(Base):
    """An advisory that concerns an asset.

    verdict   affected | possibly | fixed; ``reason`` JSON: code and the words of its sentence
    state     open | accepted (with reason, until ``expires_at``) | fixed | false
    evidence  what the verdict was made from; a person's ``fixed`` or ``false`` holds for that only
    """

    __tablename__ = "advisory_matches"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    advisory_id: Mapped[int] = mapped_column(ForeignKey("advisories.id", ondelete="CASCADE"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    verdict: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(String(400))
    state: Mapped[str] = mapped_column(String(8))
    note: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[str | None] = mapped_column(String(27))
    created_at: Mapped[str] = mapped_column(String(27))
    changed_at: Mapped[str] = mapped_column(String(27))
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int]

    __table_args__ = (
        Index("uq_advisory_matches", "advisory_id", "asset_id", unique=True),
        Index("ix_advisory_matches_asset", "asset_id", "state"),
        Index("ix_advisory_matches_state", "state", "expires_at"),
        {"sqlite_autoincrement": True},
    )


class AdvisoryRound(Base):
    """One row: how often software or advisories changed (``wanted``), up to where matching came (``done``), how often matches
    changed (``changed``)."""

    __tablename__ = "advisory_rounds"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wanted: Mapped[int]
    done: Mapped[int]
    plan: Mapped[int]
    changed: Mapped[int]
