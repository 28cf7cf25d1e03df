"""Evidence packages: whole ones open; every byte changed, links moved, cut off or swapped, and foreign payloads are noticed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.certificates import SIGNING, issue, make_root, name
from crypto.envelope import Signer
from crypto.sm2 import PrivateKey
from operations.evidence.custody import EvidenceError
from operations.evidence.package import MAGIC, Trust, add_link, open_evidence, seal_evidence, verify_evidence

AT = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
ROOT = make_root(name("City root"), PrivateKey.generate(), at=AT)
READER = PrivateKey.generate()
TRUST = Trust([ROOT.certificate])


def _signer(text: str) -> Signer:
    key = PrivateKey.generate()
    return Signer(issue(ROOT, name(text), key.public, SIGNING, 30, at=AT), key)


OFFICER, AUDITOR = _signer("officer"), _signer("auditor")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "mail.eml").write_bytes(b"From: attacker\n" * 20)
    target = tmp_path / "mail.evidence"
    seal_evidence(tmp_path / "mail.eml", target, [READER.public], OFFICER, "officer", "incident 7", "host 2001:db8::7", AT)
    add_link(target, TRUST, AUDITOR, "hand over", "auditor", "for the court", "192.0.2.7", AT + timedelta(hours=1))
    return target


def _parts(package: Path) -> tuple[list[bytes], bytes]:
    octets = package.read_bytes()
    at, links = len(MAGIC) + 4, []
    for _ in range(int.from_bytes(octets[len(MAGIC) : at])):
        size = int.from_bytes(octets[at : at + 4])
        links.append(octets[at + 4 : at + 4 + size])
        at += 4 + size
    return links, octets[at:]


def _join(package: Path, links: list[bytes], sealed: bytes) -> None:
    body = b"".join(len(one).to_bytes(4) + one for one in links)
    package.write_bytes(MAGIC + len(links).to_bytes(4) + body + sealed)


def test_whole(package: Path, tmp_path: Path) -> None:
    links, head = verify_evidence(package, TRUST)
    assert [(one.number, one.action, one.actor, one.at) for one in links] == [
        (1, "seal", "officer", "2026-06-01T08:30:00Z"),
        (2, "hand over", "auditor", "2026-06-01T09:30:00Z"),
    ]
    open_evidence(package, tmp_path / "out", replace(TRUST, head=head), READER)
    assert (tmp_path / "out").read_bytes() == (tmp_path / "mail.eml").read_bytes()
    assert package.stat().st_mode & 0o777 == 0o600


def test_every_flip_is_noticed(package: Path) -> None:
    octets = package.read_bytes()
    for at in range(len(octets)):
        package.write_bytes(octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :])
        with pytest.raises(EvidenceError):
            verify_evidence(package, TRUST)


def test_links_moved_removed_cut_off(package: Path) -> None:
    _, head = verify_evidence(package, TRUST)
    (first, second), sealed = _parts(package)
    for links in ([second, first], [second], [first, first], [first, second, second]):
        _join(package, links, sealed)
        with pytest.raises(EvidenceError, match="does not follow"):
            verify_evidence(package, TRUST)
    _join(package, [first], sealed)
    verify_evidence(package, TRUST)  # in itself whole; only who knows the head notices
    with pytest.raises(EvidenceError, match="known head"):
        verify_evidence(package, replace(TRUST, head=head))


def test_swapped_payload_and_strangers(package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.evidence"
    seal_evidence(tmp_path / "mail.eml", other, [READER.public], OFFICER, "officer", "x", "y", AT)
    links, sealed = _parts(package)
    _join(package, links, _parts(other)[1])
    with pytest.raises(EvidenceError, match="not the one of the custody record"):
        verify_evidence(package, TRUST)
    _join(package, [*links[:1], _parts(other)[0][0]], sealed)
    with pytest.raises(EvidenceError) as caught:
        verify_evidence(package, TRUST)
    assert caught.value.link == 2
    with pytest.raises(EvidenceError, match="no path"):
        verify_evidence(other, Trust([make_root(name("other"), PrivateKey.generate(), at=AT).certificate]))
    with pytest.raises(EvidenceError, match="does not open"):
        open_evidence(other, tmp_path / "out", TRUST, PrivateKey.generate())
    assert not (tmp_path / "out").exists()
