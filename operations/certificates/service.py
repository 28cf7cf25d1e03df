"""Make authorities, issue, renew and revoke certificates, write revocation lists. Every act is audited.

The caller has the write transaction: what cannot be audited does not happen. Keys of authorities are sealed under the master key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.certificates import (
    ISSUING,
    Authority,
    Certificate,
    Request,
    RevocationList,
    issue,
    make_revocation_list,
    make_root,
    name,
    read_certificates,
)
from crypto.certificates.double import envelop_key
from crypto.certificates.profiles import BY_NAME
from crypto.certificates.revocation import REASONS, Revoked
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from kernel.event import timestamp
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.certificates.models import AuthorityRow, CertificateRow
from operations.errors import Conflict, Invalid, NotFound

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def create_root(
    session: Session, actor: Actor, key: MasterKey, label: str, common_name: str, organization: str = ""
) -> Certificate:
    """A self-signed authority named ``label``. Raises Invalid, Conflict."""
    authority = make_root(name(common_name, organization), PrivateKey.generate())
    _add_authority(session, actor, label, authority.certificate, _seal(key, label, authority.key), "")
    return authority.certificate


def create_issuing(
    session: Session,
    actor: Actor,
    key: MasterKey,
    label: str,
    parent: str,
    common_name: str,
    organization: str = "",
    days: int = 3650,
) -> Certificate:
    """An authority below ``parent``, for certificates of machines and people."""
    private = PrivateKey.generate()
    certificate = issue(load_authority(session, key, parent), name(common_name, organization), private.public, ISSUING, days)
    _add_authority(session, actor, label, certificate, _seal(key, label, private), parent)
    return certificate


def trust_authority(session: Session, actor: Actor, label: str, octets: bytes) -> Certificate:
    """Take in a root of the city (PEM or DER). Raises Invalid where it is no current, self-signed authority."""
    certificate = read_certificates(octets)[0]
    if not certificate.is_authority or certificate.subject_der != certificate.issuer_der:
        raise Invalid("this is no root: take the certificate at the end of the city's chain", field="certificate")
    if certificate.is_sm2 and not certificate.signed_by(certificate):
        raise Invalid("the certificate is not signed by its own key", field="certificate")
    if not certificate.not_before <= datetime.now(UTC) <= certificate.not_after:
        raise Invalid(f"the certificate is valid from {certificate.not_before} to {certificate.not_after}", field="certificate")
    _add_authority(session, actor, label, certificate, "", "")
    return certificate


def issue_requested(
    session: Session, actor: Actor, key: MasterKey, label: str, request: Request, profile: str, days: int = 365
) -> Certificate:
    """A certificate for the key of ``request``, whose proof of possession is checked. Raises Invalid, CertificateError."""
    request.check()
    if profile not in BY_NAME or profile == "encryption":
        raise Invalid(f"the kind {profile} is not known", "take signing, server or client", "profile")
    authority = load_authority(session, key, label)
    subject, names = request.subject_name, request.alternatives
    certificate = issue(authority, subject, request.public_key, BY_NAME[profile], days, names)
    _add_certificate(session, actor, label, certificate, profile)
    return certificate


def issue_encryption(
    session: Session, actor: Actor, key: MasterKey, label: str, request: Request, days: int = 365
) -> tuple[Certificate, bytes]:
    """The encryption half for the owner of ``request``'s (signing) key: certificate, and its key sealed to the signing key."""
    request.check()
    private = PrivateKey.generate()
    authority = load_authority(session, key, label)
    certificate = issue(authority, request.subject_name, private.public, BY_NAME["encryption"], days, request.alternatives)
    _add_certificate(session, actor, label, certificate, "encryption")
    return certificate, envelop_key(private, request.public_key)


def renew(session: Session, actor: Actor, key: MasterKey, serial: str, days: int = 365) -> Certificate:
    """The same key, subject and names for another ``days``; the old certificate stays valid until it ends. Revoked: Conflict."""
    row = get_certificate(session, serial)
    if row.revoked_at:
        raise Conflict("a revoked certificate is not renewed", "let its owner ask with a new key")
    old = read_certificates(row.pem.encode())[0]
    authority = load_authority(session, key, row.authority)
    certificate = issue(authority, old.subject_name, old.public_key, BY_NAME[row.profile], days, old.alternatives)
    _add_certificate(session, actor, row.authority, certificate, row.profile)
    return certificate


def revoke(session: Session, actor: Actor, serial: str, reason: str) -> None:
    """From the next revocation list on. Raises NotFound, Conflict, Invalid."""
    if reason not in REASONS:
        raise Invalid(f"the reason {reason} is not known", f"take one of {', '.join(REASONS)}", "reason")
    row = get_certificate(session, serial)
    if row.revoked_at:
        raise Conflict(f"it was revoked at {row.revoked_at}")
    row.revoked_at, row.reason = clock.now(), reason
    audit.append(session, actor, "certificate.revoke", "certificate", serial, detail={"reason": reason, "subject": row.subject})


def write_list(session: Session, actor: Actor, key: MasterKey, label: str, days: int = 7) -> RevocationList:
    """The next revocation list of an authority, until ``days`` from now."""
    authority, row = load_authority(session, key, label), _authority(session, label)
    query = select(CertificateRow).where(CertificateRow.authority == label, CertificateRow.revoked_at != "")
    revoked = [Revoked(int(one.serial, 16), clock.moment(one.revoked_at), one.reason) for one in session.scalars(query)]
    row.list_number += 1
    now = datetime.now(UTC)
    written = make_revocation_list(authority, revoked, row.list_number, now, now + timedelta(days=days))
    audit.append(session, actor, "certificate.list", "authority", label, detail={"number": row.list_number})
    return written


def load_authority(session: Session, key: MasterKey, label: str) -> Authority:
    """With its key. Raises NotFound, Invalid (an authority of others), SecretError."""
    row = _authority(session, label)
    if not row.sealed_key:
        raise Invalid(f"{label} is trusted, but its key is not here")
    private = PrivateKey(key.unseal(row.sealed_key, authority_context(label)))
    return Authority(read_certificates(row.pem.encode())[0], private)


def trusted_roots(session: Session) -> list[Certificate]:
    """Own roots and the city's."""
    rows = session.scalars(select(AuthorityRow).where(AuthorityRow.parent == ""))
    return [read_certificates(row.pem.encode())[0] for row in rows]


def list_certificates(session: Session) -> Sequence[CertificateRow]:
    return session.scalars(select(CertificateRow).order_by(CertificateRow.not_after, CertificateRow.serial)).all()


def get_certificate(session: Session, serial: str) -> CertificateRow:
    row = session.get(CertificateRow, serial.lower())
    if row is None:
        raise NotFound(f"there is no certificate with the serial number {serial}")
    return row


def _add_authority(session: Session, actor: Actor, label: str, certificate: Certificate, sealed: str, parent: str) -> None:
    if not _NAME.fullmatch(label):
        raise Invalid("the name of an authority has small letters, digits and hyphens", field="name")
    if session.get(AuthorityRow, label) is not None:
        raise Conflict(f"there is an authority {label} already")
    row = AuthorityRow(
        name=label,
        pem=certificate.to_pem(),
        sealed_key=sealed,
        parent=parent,
        list_number=0,
        made_at=clock.now(),
        made_by=actor.name[:160],
    )
    session.add(row)
    detail = {"subject": certificate.subject, "sm3": certificate.fingerprint, "own": bool(sealed)}
    audit.append(session, actor, "authority.add", "authority", label, detail=detail)
    session.flush()


def _add_certificate(session: Session, actor: Actor, label: str, certificate: Certificate, profile: str) -> None:
    serial = f"{certificate.serial:x}"
    row = CertificateRow(
        serial=serial,
        authority=label,
        subject=certificate.subject[:512],
        profile=profile,
        pem=certificate.to_pem(),
        not_after=timestamp(certificate.not_after),
        issued_at=clock.now(),
        issued_by=actor.name[:160],
        revoked_at="",
        reason="",
    )
    session.add(row)
    detail = {"subject": certificate.subject, "profile": profile, "authority": label, "sm3": certificate.fingerprint}
    audit.append(session, actor, "certificate.issue", "certificate", serial, detail=detail)
    session.flush()


def _authority(session: Session, label: str) -> AuthorityRow:
    row = session.get(AuthorityRow, label)
    if row is None:
        raise NotFound(f"there is no authority {label}")
    return row


def _seal(key: MasterKey, label: str, private: PrivateKey) -> str:
    return key.seal(private.to_bytes(), authority_context(label))


def authority_context(label: str) -> str:
    """What the sealed key of an authority is bound to."""
    return f"authority:{label}"
