"""The manifest of a report's files, and the platform's signature over it (SM2 with SM3, GB/T 32918.2, default identifier, DER).

    liandun operations report v1
    kind daily
    first_day 2026-11-25
    organisation "\\u6c34\\u52a1\\u5c40"
    issued_at 2026-11-26T00:00:03.123456Z
    data_sm3 …
    pdf_sm3 …
    docx_sm3 …
    xlsx_sm3 …

The key is the platform's key for evidence, whose certificate comes from the authority
``evidence`` (docs/evidence.md). ``openssl dgst -sm3 -verify`` checks the signature too (docs/reports.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from sqlalchemy.orm import Session

from crypto.certificates import check_chain, read_certificates
from crypto.errors import CryptoError
from crypto.sm3 import sm3
from operations import clock
from operations.certificates import service as certificates
from operations.reports.models import OperationsReport

FILES: tuple[str, ...] = ("data", "pdf", "docx", "xlsx")


class Verdict(msgspec.Struct, frozen=True):
    """What became of a check: ``signature`` and ``certificate`` in order, and each file as it was signed."""

    signature: bool
    certificate: bool
    files: dict[str, bool]

    @property
    def good(self) -> bool:
        return self.signature and self.certificate and all(self.files.values())


def manifest(kind: str, first_day: str, organisation: str, issued_at: str, files: Mapping[str, bytes]) -> str:
    """The text to be signed. The organisation stands as JSON, so that no line end of it can make a line of its own."""
    lines = [("kind", kind), ("first_day", first_day), ("organisation", json.dumps(organisation)), ("issued_at", issued_at)]
    lines += [(f"{name}_sm3", sm3(files[name]).hex()) for name in FILES]
    return "liandun operations report v1\n" + "".join(f"{name} {value}\n" for name, value in lines)


def digests(text: str) -> dict[str, str]:
    """File → SM3 (hex) of a manifest."""
    rows = dict(line.split(" ", 1) for line in text.splitlines()[1:])
    return {name: rows.get(f"{name}_sm3", "") for name in FILES}


def verify(session: Session, row: OperationsReport) -> Verdict:
    """Is the report what was issued? Its row, its files, its signature, and the certificate at the moment of issue."""
    files = {name: octets_of(row, name) for name in FILES}
    same = manifest(row.kind, row.first_day, row.organisation, row.issued_at, files) == row.manifest
    try:
        certificate = read_certificates(row.certificate.encode())[0]
        signed = same and certificate.public_key.verify(row.manifest.encode(), bytes.fromhex(row.signature))
        try:
            when = clock.moment(row.issued_at)
            check_chain(certificate, (), certificates.trusted_roots(session), _whole(when), usage="digital_signature")
            trusted = True
        except CryptoError:
            trusted = False
    except (CryptoError, ValueError, IndexError):
        signed = trusted = False
    kept = digests(row.manifest)
    return Verdict(signed, trusted, {name: sm3(octets).hex() == kept[name] for name, octets in files.items()})


def octets_of(row: OperationsReport, name: str) -> bytes:
    """One of FILES."""
    found = getattr(row, name)
    return found.encode() if isinstance(found, str) else bytes(found)


def _whole(when: datetime) -> datetime:
    """Certificates begin at a whole second; a report issued within the first one must not be before it."""
    return when.astimezone(UTC).replace(microsecond=999_999)
