"""Authorities in the state database: issue, renew, revoke, list, warn; the audit trail tells of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.certificates import CertificateError, check_chain, make_request, make_root, name
from crypto.certificates.double import open_key
from crypto.secret import MasterKey, SecretError
from crypto.sm2 import PrivateKey
from kernel.db import Database
from operations.audit.schema import Actor
from operations.audit.verify import verify
from operations.certificates import service
from operations.certificates.expiry import expiring
from operations.errors import Conflict, Invalid
from tests.state_database import migrated

ACTOR, KEY = Actor("alice"), MasterKey(bytes(16))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = migrated(f"sqlite:///{tmp_path / 'state.db'}")
    with database.write() as session:
        service.create_root(session, ACTOR, KEY, "root", "City root")
        service.create_issuing(session, ACTOR, KEY, "issuing", "root", "Issuing")
    return database


def test_life_of_a_certificate(database: Database) -> None:
    owner = PrivateKey.generate()
    request = make_request(owner, name("collector"), ["2001:db8::7"])
    with database.write() as session:
        leaf = service.issue_requested(session, ACTOR, KEY, "issuing", request, "server", 20)
        enc, sealed = service.issue_encryption(session, ACTOR, KEY, "issuing", request)
        roots = service.trusted_roots(session)
        between = [service.load_authority(session, KEY, "issuing").certificate]
        check_chain(leaf, between, roots, name="2001:db8::7")
        assert open_key(sealed, owner).public == enc.public_key
        now = datetime.now(UTC)
        serial = f"{leaf.serial:x}"
        assert [(one.serial, one.days_left) for one in expiring(session, now)] == [(serial, 30)]
        assert expiring(session, now + timedelta(days=19, hours=12))[0].days_left == 1
        assert expiring(session, now + timedelta(days=21))[0].days_left == 0
        newer = service.renew(session, ACTOR, KEY, serial, 365)
        assert (newer.public_key, newer.alternatives, newer.serial != leaf.serial) == (owner.public, leaf.alternatives, True)
        service.revoke(session, ACTOR, serial, "key_compromise")
        listed = service.write_list(session, ACTOR, KEY, "issuing")
        with pytest.raises(CertificateError, match="revoked"):
            check_chain(leaf, between, roots, listed.this_update, lists=[listed])
        check_chain(
            newer, between, roots, lists=[service.write_list(session, ACTOR, KEY, "issuing")], at=now + timedelta(minutes=1)
        )
        with pytest.raises(Conflict):
            service.renew(session, ACTOR, KEY, serial)
        assert expiring(session, now) == []
    with database.read() as session:
        assert verify(session).ok


def test_refusals(database: Database) -> None:
    foreign = make_root(name("Foreign"), PrivateKey.generate())
    with database.write() as session:
        with pytest.raises(SecretError):
            service.load_authority(session, MasterKey(bytes(15) + b"\1"), "root")
        service.trust_authority(session, ACTOR, "city", foreign.certificate.to_pem().encode())
        assert foreign.certificate in service.trusted_roots(session)
        with pytest.raises(Invalid, match="key is not here"):
            service.write_list(session, ACTOR, KEY, "city")
        with pytest.raises(Conflict):
            service.create_root(session, ACTOR, KEY, "root", "again")
        issuing = service.load_authority(session, KEY, "issuing").certificate
        with pytest.raises(Invalid, match="no root"):
            service.trust_authority(session, ACTOR, "other", issuing.to_pem().encode())
