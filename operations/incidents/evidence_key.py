"""The platform's key for evidence: it signs custody links and opens what it sealed; itself sealed under the master key.

Its certificate comes from an authority of the platform named ``evidence``, made with the first piece of evidence
(docs/certificates.md), so that other programs can verify a package with that authority's certificate alone. A key whose certificate
ends is followed by a new one; older packages stay readable by theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.certificates import make_request, name, read_certificates
from crypto.envelope import Signer
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from operations import clock
from operations.audit.schema import SYSTEM
from operations.certificates import service as certificates
from operations.certificates.models import AuthorityRow
from operations.errors import NotFound
from operations.evidence.package import Trust
from operations.incidents.models import EvidenceKey

LABEL = "evidence"
DAYS = 1825
_RENEW = timedelta(days=30)


@dataclass(frozen=True)
class Keys:
    """``signer`` is the key in use; ``all`` also older ones, newest first; ``trust`` what links are checked against."""

    signer: Signer
    all: tuple[PrivateKey, ...]
    trust: Trust


def keys(session: Session, master: MasterKey) -> Keys:
    """The keys, made where there is none yet or the newest ends soon. Needs a write transaction. Raises SecretError."""
    rows = list(session.execute(select(EvidenceKey).order_by(EvidenceKey.id.desc())).scalars())
    if not rows or read_certificates(rows[0].certificate.encode())[0].not_after - _RENEW < datetime.now(UTC):
        rows.insert(0, _make(session, master))
    private = tuple(PrivateKey(master.unseal(row.sealed, evidence_context(row.id))) for row in rows)
    signer = Signer(read_certificates(rows[0].certificate.encode())[0], private[0])
    return Keys(signer, private, trust(session))


def trust(session: Session) -> Trust:
    """What custody links are checked against: the roots that the platform trusts."""
    return Trust(certificates.trusted_roots(session))


def authority(session: Session) -> str:
    """The authority's certificate (PEM), with which a copy is verified elsewhere. Raises NotFound before there is any evidence."""
    row = session.get(AuthorityRow, LABEL)
    if row is None:
        raise NotFound("there is no evidence yet, and so no authority of it")
    return row.pem


def _make(session: Session, master: MasterKey) -> EvidenceKey:
    try:
        certificates.load_authority(session, master, LABEL)
    except NotFound:
        certificates.create_root(session, SYSTEM, master, LABEL, "Liandun evidence")
    private = PrivateKey.generate()
    request = make_request(private, name("Liandun evidence custody"))
    certificate = certificates.issue_requested(session, SYSTEM, master, LABEL, request, "signing", DAYS)
    last = session.execute(select(EvidenceKey.id).order_by(EvidenceKey.id.desc()).limit(1)).scalar_one_or_none() or 0
    row = EvidenceKey(
        id=last + 1,
        certificate=certificate.to_pem(),
        sealed=master.seal(private.to_bytes(), evidence_context(last + 1)),
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return row


def evidence_context(number: int) -> str:
    """What the sealed key of this number is bound to (operations.secrets seals it again when the master key is rotated)."""
    return f"incident evidence key:{number}"
