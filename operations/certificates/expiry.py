"""What ends soon: authorities, issued certificates, city lists, people's certificates, and the files of links and others.

``days`` are the distances at which people are warned (30, 7 and 1 unless configured otherwise). What ended longer ago than the
longest of them is not told any more, except authorities: nothing that they issued is good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.certificates import Certificate, RevocationList, read_certificates
from crypto.certificates.certificate import pem_blocks
from crypto.errors import CryptoError
from crypto.sm3 import sm3
from kernel.event import timestamp
from operations.accounts.models import Factor, User
from operations.certificates.models import AuthorityRow, CertificateRow, RevocationListRow

WARN_DAYS = (30, 7, 1)


@dataclass(frozen=True)
class Expiry:
    """A certificate or revocation list that ends soon.

    kind       authority (ours), city (trusted root), issued, login (a person's), list, link or file (watched)
    place      name of the authority or person, or the path of the file
    serial     hexadecimal; of a list its number
    digest     SM3 of the whole, hexadecimal
    days_left  the smallest of the warning distances that it is within, 0 where it has ended
    """

    kind: str
    place: str
    subject: str
    serial: str
    digest: str
    not_after: datetime
    days_left: int


def stage(not_after: datetime, now: datetime, days: Sequence[int]) -> int | None:
    """The smallest of ``days`` that ``not_after`` is within, 0 where it is over, None where it is far."""
    left = not_after - now
    if left <= timedelta(0):
        return 0
    return min((one for one in days if left <= timedelta(days=one)), default=None)


def expiring(session: Session, now: datetime, days: Sequence[int] = WARN_DAYS) -> list[Expiry]:
    """What the state database knows of, soonest first. Revoked certificates, and those with a successor, are left out."""
    found = []
    for row in session.scalars(select(AuthorityRow)):
        certificate = read_certificates(row.pem.encode())[0]
        found.append(_certificate("authority" if row.sealed_key else "city", row.name, certificate, now, days))
    found += _issued(session, now, days)
    for taken in session.scalars(select(RevocationListRow).where(RevocationListRow.next_update != "")):
        found.append(_list(taken.authority, RevocationList(taken.pem.encode()), now, days))
    query = select(User.name, Factor.material).join(Factor, Factor.user_id == User.id).where(Factor.kind == "certificate")
    for name, pem in session.execute(query):
        try:
            found.append(_certificate("login", name, read_certificates(pem.encode())[0], now, days))
        except CryptoError:  # enrolled by a reader that is less strict: its sign-in says what is wrong
            continue
    return in_order(one for one in found if one is not None and _told(one, now, days))


def expiring_files(
    files: Iterable[tuple[str, Path]], now: datetime, days: Sequence[int] = WARN_DAYS
) -> tuple[list[Expiry], list[str]]:
    """The same of PEM files with certificates or revocation lists, each with its kind; and what cannot be read, one line each."""
    found: list[Expiry | None] = []
    problems = []
    for kind, path in dict.fromkeys(files):
        try:
            octets = path.read_bytes()
            lists = pem_blocks(octets, "X509 CRL")
            found += [_list(str(path), RevocationList(der), now, days) for der in lists]
            if not lists:
                found += [_certificate(kind, str(path), one, now, days) for one in read_certificates(octets)]
        except OSError as error:
            problems.append(f"{path}: {error.strerror}")
        except CryptoError as error:
            problems.append(f"{path}: {error}")
    return in_order(one for one in found if one is not None), problems


def in_order(found: Iterable[Expiry]) -> list[Expiry]:
    """Soonest first."""
    return sorted(found, key=lambda one: (one.not_after, one.kind, one.place, one.serial))


def _issued(session: Session, now: datetime, days: Sequence[int]) -> list[Expiry | None]:
    latest, horizon = timestamp(now + timedelta(days=max(days))), timestamp(now - timedelta(days=max(days)))
    query = select(CertificateRow).where(
        CertificateRow.not_after <= latest, CertificateRow.not_after >= horizon, CertificateRow.revoked_at == ""
    )
    found: list[Expiry | None] = []
    for row in session.scalars(query):
        later = select(CertificateRow.serial).where(
            CertificateRow.not_after > row.not_after,
            CertificateRow.authority == row.authority,
            CertificateRow.subject == row.subject,
            CertificateRow.profile == row.profile,
            CertificateRow.revoked_at == "",
        )
        if session.execute(later.limit(1)).first() is None:
            found.append(_certificate("issued", row.authority, read_certificates(row.pem.encode())[0], now, days))
    return found


def _certificate(kind: str, place: str, one: Certificate, now: datetime, days: Sequence[int]) -> Expiry | None:
    left = stage(one.not_after, now, days)
    return None if left is None else Expiry(kind, place, one.subject, f"{one.serial:x}", one.fingerprint, one.not_after, left)


def _list(place: str, one: RevocationList, now: datetime, days: Sequence[int]) -> Expiry | None:
    """A list is replaced some days or hours before its end, not a month: a third of its life counts as soon, at most a day."""
    if one.next_update is None:
        return None
    end = one.next_update.astimezone(UTC)
    left = stage(end, now, days)
    if left and end - now > min(timedelta(days=1), (end - one.this_update) / 3):
        return None
    return None if left is None else Expiry("list", place, one.issuer, str(one.number or ""), sm3(one.der).hex(), end, left)


def _told(one: Expiry, now: datetime, days: Sequence[int]) -> bool:
    return one.kind in ("authority", "city", "list") or now - one.not_after <= timedelta(days=max(days))
