"""Revocation lists of the city: who may write them, which replace which, and what processes with links are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from crypto.certificates import (
    CLIENT,
    ISSUING,
    Authority,
    Certificate,
    RevocationList,
    issue,
    make_request,
    make_revocation_list,
    make_root,
    name,
)
from crypto.certificates.revocation import Revoked
from crypto.channel.identity import issuer_id, read_identity
from crypto.channel.revocations import RevocationSource, write_revocations
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from kernel.db import Database
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.certificates import service
from operations.certificates.lists import lists_in_force, take_list
from operations.certificates.publish import RevocationPublisher
from operations.errors import Conflict, Invalid
from tests.state_database import migrated

ACTOR, KEY = Actor("alice"), MasterKey(bytes(16))
NOW = datetime.now(UTC)
ROOT = make_root(name("City root"), PrivateKey.generate())


def _below(authority: Authority, text: str) -> Authority:
    key = PrivateKey.generate()
    return Authority(issue(authority, name(text), key.public, ISSUING, 100), key)


def _client(authority: Authority) -> Certificate:
    return issue(authority, name("client"), PrivateKey.generate().public, CLIENT, 30)


def _list(authority: Authority, number: int, *revoked: Certificate, days: float = 1) -> bytes:
    entries = [Revoked(one.serial, NOW, "key_compromise") for one in revoked]
    begun = min(NOW - timedelta(hours=1), NOW + timedelta(days=days - 1))
    return make_revocation_list(authority, entries, number, begun, NOW + timedelta(days=days)).to_pem().encode()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = migrated(f"sqlite:///{tmp_path / 'state.db'}")
    with database.write() as session:
        service.create_root(session, ACTOR, KEY, "root", "Own root")
        service.create_issuing(session, ACTOR, KEY, "issuing", "root", "Own issuing")
        service.trust_authority(session, ACTOR, "city", ROOT.certificate.der)
    return database


def test_what_is_published(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "revoked.msgpack"
    sub = _below(ROOT, "City issuing")
    theirs, other = _client(sub), _client(sub)
    source = RevocationSource(path)
    source._next_look = float("inf")  # looked at when told
    publish = RevocationPublisher(database, path)

    def known() -> list[bool]:
        publish()
        source._next_look = 0.0
        peers = [read_identity(ours.der, [issuing.der]), read_identity(theirs.der, [sub.certificate.der]), read_identity(other.der)]
        return [source(peer) for peer in peers]

    with database.write() as session:
        request = make_request(PrivateKey.generate(), name("collector"), ["collector.example"])
        ours = service.issue_requested(session, ACTOR, KEY, "issuing", request, "client")
        issuing = service.load_authority(session, KEY, "issuing").certificate
    assert known() == [False, False, False]
    written = path.stat().st_mtime_ns
    assert known() == [False, False, False]
    assert path.stat().st_mtime_ns == written, "written again although nothing changed"
    with database.write() as session:
        service.revoke(session, ACTOR, f"{ours.serial:x}", "superseded")
        take_list(session, ACTOR, "city", _list(sub, 1, theirs), [sub.certificate])
    assert known() == [True, True, False]
    with database.write() as session:  # an authority in between is revoked: everything that stands on it is
        take_list(session, ACTOR, "city", _list(ROOT, 1, sub.certificate))
        take_list(session, ACTOR, "city", _list(sub, 2), [sub.certificate])
        assert sorted(row.number for row in lists_in_force(session)) == ["1", "2"]
    assert known() == [True, True, False]  # ``other`` was looked at without what it stands on
    path.write_bytes(b"\xc1")
    source._next_look = 0.0
    assert source(read_identity(ours.der))
    assert "cannot be read" in source.problem
    path.unlink()
    assert known() == [True, True, False]
    assert source.problem == ""


def test_refused_lists(database: Database) -> None:
    sub, stranger = _below(ROOT, "City issuing"), make_root(name("City root"), PrivateKey.generate())
    good = _list(ROOT, 5)
    with database.write() as session:
        with pytest.raises(Invalid, match="at once"):
            take_list(session, ACTOR, "issuing", good)
        with pytest.raises(Invalid, match="bad signature"):
            take_list(session, ACTOR, "city", _list(stranger, 5))
        with pytest.raises(Invalid, match="give the certificate"):
            take_list(session, ACTOR, "city", _list(sub, 5))
        below = _below(make_root(name("Other"), PrivateKey.generate()), "City issuing")
        with pytest.raises(Invalid, match="no path"):
            take_list(session, ACTOR, "city", _list(below, 5), [below.certificate])
        with pytest.raises(Invalid, match="out of date"):
            take_list(session, ACTOR, "city", _list(ROOT, 5, days=-1))
        with pytest.raises(Invalid, match="not taken"):
            take_list(session, ACTOR, "city", b"no list")
        take_list(session, ACTOR, "city", good)
        take_list(session, ACTOR, "city", good)
        with pytest.raises(Conflict, match="newer list"):
            take_list(session, ACTOR, "city", _list(ROOT, 4))
    with database.read() as session:
        told = [entry for entry in audit.listing(session).entries if entry.action == "certificate.take_list"]
        assert [(entry.object_id, entry.detail["number"]) for entry in told] == [("city", "5")] * 2


def test_a_city_with_ordinary_algorithms(database: Database, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ordinary root")])
    root = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, SHA256())
    )
    entry = x509.RevokedCertificateBuilder().serial_number(0xABC).revocation_date(NOW).build()

    def listed(signer: ec.EllipticCurvePrivateKey) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(who).last_update(NOW - timedelta(hours=1))
        return (
            builder.next_update(NOW + timedelta(days=1))
            .add_revoked_certificate(entry)
            .sign(signer, SHA256())
            .public_bytes(Encoding.DER)
        )

    octets = listed(key)
    with database.write() as session:
        service.trust_authority(session, ACTOR, "ordinary", root.public_bytes(Encoding.DER))
        with pytest.raises(Invalid, match="bad signature"):
            take_list(session, ACTOR, "ordinary", listed(ec.generate_private_key(ec.SECP256R1())))
        take_list(session, ACTOR, "ordinary", octets)
    RevocationPublisher(database, tmp_path / "revoked")()
    source = RevocationSource(tmp_path / "revoked")
    peer = read_identity(root.public_bytes(Encoding.DER))
    assert not source(peer)
    assert source(peer._replace(path=((issuer_id(RevocationList(octets).issuer_der), "abc"),)))


def test_authorities_of_one_name_keep_their_revocations(database: Database, tmp_path: Path) -> None:
    """As after a change of an authority's key: what the one has revoked is not forgotten for the other's sake."""
    serials = set()
    with database.write() as session:
        for label in ("one", "two"):
            service.create_root(session, ACTOR, KEY, label, "City root of one name")
            request = make_request(PrivateKey.generate(), name("client"))
            leaf = service.issue_requested(session, ACTOR, KEY, label, request, "client")
            service.revoke(session, ACTOR, f"{leaf.serial:x}", "key_compromise")
            serials.add(f"{leaf.serial:x}")
    path = tmp_path / "revoked"
    RevocationPublisher(database, path)()
    assert set().union(*msgspec.msgpack.decode(path.read_bytes()).values()) == serials


def test_no_other_root_replaces_a_list_by_a_name(database: Database) -> None:
    good, other = _below(ROOT, "City issuing"), make_root(name("Other root"), PrivateKey.generate())
    false = _below(other, "City issuing")
    with database.write() as session:
        service.trust_authority(session, ACTOR, "other", other.certificate.der)
        take_list(session, ACTOR, "city", _list(good, 1, _client(good)), [good.certificate])
    with database.write() as session, pytest.raises(Conflict, match="below city"):
        take_list(session, ACTOR, "other", _list(false, 9), [false.certificate])


def test_nothing_comes_back_because_the_file_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crypto.channel.revocations._LOOK_SECONDS", 0)
    leaf, path = _client(ROOT), tmp_path / "revoked"
    source, peer = RevocationSource(path), read_identity(leaf.der)
    assert (source(peer), source.problem) == (False, "")
    write_revocations(path, {issuer_id(leaf.issuer_der): [f"{leaf.serial:x}"]})
    assert source(peer)
    path.unlink()
    assert source(peer)
    assert "gone" in source.problem
    write_revocations(path, {})
    assert (source(peer), source.problem) == (False, "")
