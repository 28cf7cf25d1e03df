"""Chain of custody: who did what with the evidence, when, why, from where; each link signed and bound to the one before.

A link is a SignedData of GB/T 35275 (one SM2 signature), so that other programs read it too. Its content is JSON in one form only::

    {"action":"seal","actor":"…","at":"2026-06-01T08:30:00Z","evidence":"<id>","number":1,"previous":"<SM3 of the link before>",
     "reason":"…","sealed_sm3":"…","size":123,"sm3":"…","source":"…"}

Links taken out, moved, changed or slipped in are noticed by ``number`` and ``previous``. Links cut off at the end are not, unless
the head (SM3 of the last link) is known from elsewhere: the audit log or a receipt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from crypto.certificates import Certificate, check_chain
from crypto.certificates.revocation import RevocationList
from crypto.envelope import Signer, read_signed, sign_data
from crypto.errors import CryptoError
from crypto.sm3 import sm3
from kernel.errors import LiandunError

GENESIS = "0" * 64
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class EvidenceError(LiandunError):
    """The evidence cannot be relied upon; ``link`` is the number of the first bad link, 0 for the payload or the file itself."""

    def __init__(self, message: str, hint: str = "", link: int = 0) -> None:
        super().__init__(message, hint)
        self.link = link


@dataclass(frozen=True)
class Link:
    """``at`` in UTC; ``sm3`` and ``size`` of the payload in bytes; ``sealed_sm3`` of the sealed payload."""

    evidence: str
    number: int
    previous: str
    action: str
    actor: str
    at: str
    reason: str
    source: str
    sm3: str
    size: int
    sealed_sm3: str

    def encoded(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign_link(link: Link, signer: Signer) -> bytes:
    return sign_data(link.encoded(), [signer], at=_moment(link.at))


def next_link(links: Sequence[Link], head: str, action: str, actor: str, reason: str, source: str, at: datetime) -> Link:
    """The link that follows ``links``, about the same payload."""
    last = links[-1]
    moment = at.astimezone(UTC).strftime(_TIME)
    return Link(last.evidence, last.number + 1, head, action, actor, moment, reason, source, last.sm3, last.size, last.sealed_sm3)


def first_link(
    evidence: str, action: str, actor: str, reason: str, source: str, at: datetime, digest: str, size: int, sealed: str
) -> Link:
    moment = at.astimezone(UTC).strftime(_TIME)
    return Link(evidence, 1, GENESIS, action, actor, moment, reason, source, digest, size, sealed)


def check_custody(
    signed: Sequence[bytes],
    trusted: Sequence[Certificate],
    others: Sequence[Certificate] = (),
    lists: Sequence[RevocationList] = (),
    head: str | None = None,
) -> list[Link]:
    """All links in order. Each signer's certificate was valid when he signed. Raises EvidenceError naming the first bad link."""
    links: list[Link] = []
    previous = GENESIS
    for number, octets in enumerate(signed, 1):
        link = _check_link(octets, number, trusted, others, lists)
        if (link.number, link.previous) != (number, previous):
            raise EvidenceError(f"link {number} does not follow the one before", "links were removed or moved", number)
        if links and _payload(link) != _payload(links[0]):
            raise EvidenceError(f"link {number} is about another payload", "", number)
        if links and link.at < links[-1].at:
            raise EvidenceError(f"link {number} is earlier than the one before", "", number)
        links.append(link)
        previous = head_of(octets)
    if not links:
        raise EvidenceError("there is no custody record")
    if head is not None and head != previous:
        raise EvidenceError("the custody record does not end with the known head", "links were cut off, or added", len(links))
    return links


def head_of(signed: bytes) -> str:
    return sm3(signed).hex()


def _check_link(
    octets: bytes,
    number: int,
    trusted: Sequence[Certificate],
    others: Sequence[Certificate],
    lists: Sequence[RevocationList],
) -> Link:
    try:
        verified = read_signed(octets, ber=False).verify()
        link = _read(verified.content)
        if len(verified.signers) != 1 or verified.signed_at != (_moment(link.at),):
            raise ValueError("it is not signed by one person at the time that it tells")
        check_chain(verified.signers[0], others, trusted, _moment(link.at), usage="digital_signature", lists=lists)
    except (CryptoError, ValueError, TypeError) as error:
        raise EvidenceError(f"link {number}: {error}", "", number) from error
    return link


def _read(content: bytes) -> Link:
    values = json.loads(content.decode())
    kinds = {field.name: int if field.type == "int" else str for field in fields(Link)}
    if not isinstance(values, dict) or set(values) != set(kinds) or any(type(values[key]) is not kinds[key] for key in kinds):
        raise ValueError("it is no custody record")
    link = Link(**values)
    if link.encoded() != content:
        raise ValueError("its JSON is not in the one form")
    return link


def _payload(link: Link) -> tuple[str, str, int, str]:
    return link.evidence, link.sm3, link.size, link.sealed_sm3


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
