"""Tables of authorities and certificates. Moments are UTC text; empty text stands for "not"."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base


class AuthorityRow(Base):
    """``sealed_key`` is the private key under the master key (crypto.secret); empty for an authority of others that is trusted."""

    __tablename__ = "certificate_authorities"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    pem: Mapped[str] = mapped_column(Text)
    sealed_key: Mapped[str] = mapped_column(Text)
    parent: Mapped[str] = mapped_column(String(64))
    list_number: Mapped[int]
    made_at: Mapped[str] = mapped_column(String(27))
    made_by: Mapped[str] = mapped_column(String(160))


class CertificateRow(Base):
    """One issued certificate; ``serial`` in hex."""

    __tablename__ = "certificates"
    __table_args__ = (Index("ix_certificates_expiry", "not_after"), Index("ix_certificates_revoked", "revoked_at"))

    serial: Mapped[str] = mapped_column(String(40), primary_key=True)
    authority: Mapped[str] = mapped_column(ForeignKey("certificate_authorities.name"))
    subject: Mapped[str] = mapped_column(String(512))
    profile: Mapped[str] = mapped_column(String(16))
    pem: Mapped[str] = mapped_column(Text)
    not_after: Mapped[str] = mapped_column(String(27))
    issued_at: Mapped[str] = mapped_column(String(27))
    issued_by: Mapped[str] = mapped_column(String(160))
    revoked_at: Mapped[str] = mapped_column(String(27))
    reason: Mapped[str] = mapped_column(String(32))


class RevocationListRow(Base):
    """The newest list of an issuer of the city, as it was taken in.

    issuer     SM3 of the issuer's name (crypto.channel.identity.issuer_id); ``subject`` is that name for people
    authority  the trusted root that it descends from
    number     cRLNumber in decimal digits; empty where the list has none
    """

    __tablename__ = "revocation_lists"

    issuer: Mapped[str] = mapped_column(String(64), primary_key=True)
    authority: Mapped[str] = mapped_column(ForeignKey("certificate_authorities.name"))
    subject: Mapped[str] = mapped_column(String(512))
    pem: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(String(48))
    this_update: Mapped[str] = mapped_column(String(27))
    next_update: Mapped[str] = mapped_column(String(27))
    taken_at: Mapped[str] = mapped_column(String(27))
    taken_by: Mapped[str] = mapped_column(String(160))
