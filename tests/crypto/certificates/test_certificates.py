"""Certificates of our own and of others: read, issued, asked for, revoked, followed to a root."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.certificates import (
    ENCRYPTION,
    ISSUING,
    SERVER,
    SIGNING,
    Authority,
    Certificate,
    CertificateError,
    Request,
    RevocationList,
    check_chain,
    issue,
    make_request,
    make_revocation_list,
    make_root,
    name,
    read_certificates,
)
from crypto.certificates.double import envelop_key, open_key
from crypto.certificates.revocation import Revoked
from crypto.errors import CryptoError, DecryptionError
from crypto.sm2 import PrivateKey

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "gm-vectors"
needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="needs the shared certificates")

AT = datetime(2026, 6, 1, tzinfo=UTC)
ROOT = make_root(name("City root", "City", "Trust", "CN"), PrivateKey.generate(), at=AT)
_key = PrivateKey.generate()
SUB = Authority(issue(ROOT, name("Issuing", "City"), _key.public, ISSUING, 3650, at=AT), _key)
LEAF_KEY = PrivateKey.generate()
NAMES = ["collector.city.example", "*.zone.city.example", "192.0.2.7", "2001:db8::7", "urn:liandun:collector:7"]
LEAF = issue(SUB, name("collector 7", "City"), LEAF_KEY.public, SERVER, 365, NAMES, ["http://pki.city.example/ca.crl"], at=AT)
NOW = AT + timedelta(days=10)


def _load(file: str) -> Certificate:
    return read_certificates((VECTORS / file).read_bytes())[0]


@pytest.mark.parametrize("wanted", ["collector.city.example", "A.zone.city.example", "192.0.2.7", "2001:DB8:0::7", NAMES[4]])
def test_path_and_names(wanted: str) -> None:
    path = check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW, wanted, "digital_signature", "server_auth")
    assert path == [LEAF, SUB.certificate, ROOT.certificate]


@pytest.mark.parametrize("wanted", ["zone.city.example", "a.b.zone.city.example", "192.0.2.8", "::7", "urn:x", ""])
def test_other_names(wanted: str) -> None:
    with pytest.raises(CertificateError, match="it is not of"):
        check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW, wanted)


def test_reads_what_it_wrote() -> None:
    again = read_certificates((LEAF.to_pem() + SUB.certificate.to_pem()).encode())
    assert again == [LEAF, SUB.certificate]
    assert LEAF.alternatives == tuple(NAMES)
    assert (LEAF.usage, LEAF.extended_usage) == ({"digital_signature"}, ("server_auth", "client_auth"))
    assert (LEAF.is_authority, SUB.certificate.is_authority, SUB.certificate.path_length) == (False, True, 0)
    assert LEAF.not_after == AT + timedelta(days=365)


@pytest.mark.parametrize("days", [-1, 366])
def test_validity(days: int) -> None:
    with pytest.raises(CertificateError, match=r"not valid before|expired") as caught:
        check_chain(LEAF, [SUB.certificate], [ROOT.certificate], AT + timedelta(days=days))
    assert "collector 7" in caught.value.where


def test_no_path() -> None:
    stranger = make_root(name("City root", "City", "Trust", "CN"), PrivateKey.generate(), at=AT)
    for others, trusted in (([], [ROOT]), ([SUB.certificate], [stranger]), ([SUB.certificate], [])):
        with pytest.raises(CertificateError, match="no path"):
            check_chain(LEAF, others, [one.certificate for one in trusted], NOW)


def test_usages() -> None:
    with pytest.raises(CertificateError, match="not for key_encipherment"):
        check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW, usage="key_encipherment")
    with pytest.raises(CertificateError, match="not for code_signing"):
        check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW, extended="code_signing")


def test_who_may_issue() -> None:
    with pytest.raises(CertificateError, match="may not issue"):
        issue(Authority(LEAF, LEAF_KEY), name("x"), LEAF_KEY.public, SIGNING, 1, at=NOW)
    with pytest.raises(CertificateError, match="path length"):
        issue(SUB, name("x"), LEAF_KEY.public, ISSUING, 1, at=NOW)
    with pytest.raises(CertificateError, match="itself valid only"):
        issue(SUB, name("x"), LEAF_KEY.public, SIGNING, 5000, at=NOW)
    with pytest.raises(CryptoError, match="does not belong"):
        Authority(LEAF, PrivateKey.generate())


def test_a_leaf_that_issued_is_refused() -> None:
    """A leaf's owner signs a certificate with his own key, outside of our issuing code."""
    forged_key = PrivateKey.generate()
    helper = make_root(name("collector 7", "City"), LEAF_KEY, at=AT)
    forged = issue(helper, name("forged"), forged_key.public, SERVER, 30, ["evil.example"], at=AT)
    with pytest.raises(CertificateError, match="it is no authority"):
        check_chain(forged, [LEAF, SUB.certificate], [ROOT.certificate], NOW, "evil.example")


def test_revocation() -> None:
    revoked = [Revoked(LEAF.serial, NOW, "key_compromise")]
    fresh = make_revocation_list(SUB, revoked, 7, NOW, NOW + timedelta(days=7))
    again = RevocationList(fresh.to_pem().encode())
    assert (again.number, again.next_update, list(again.entries.values())) == (7, NOW + timedelta(days=7), revoked)
    with pytest.raises(CertificateError, match=r"revoked on .*key_compromise"):
        check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW, lists=[again])
    with pytest.raises(CertificateError, match="out of date"):
        check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW + timedelta(days=8), lists=[again])
    empty = make_revocation_list(SUB, [], 8, NOW, NOW + timedelta(days=7))
    assert len(check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW, lists=[empty])) == 3
    with pytest.raises(CertificateError, match="no revocation list"):
        check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW, lists=[empty], lists_needed=True)
    root_list = make_revocation_list(ROOT, [], 1, NOW, NOW + timedelta(days=90))
    check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW, lists=[empty, root_list], lists_needed=True)
    other = Authority(make_root(name("Issuing", "City"), LEAF_KEY, at=AT).certificate, LEAF_KEY)
    forged = make_revocation_list(other, [], 9, NOW, NOW + timedelta(days=7))
    with pytest.raises(CertificateError, match="bad signature"):
        check_chain(LEAF, [SUB.certificate], [ROOT.certificate], NOW, lists=[forged])


def test_requests() -> None:
    request = Request(make_request(LEAF_KEY, name("bureau 3"), NAMES).to_pem().encode())
    request.check()
    assert (request.alternatives, request.public_key) == (tuple(NAMES), LEAF_KEY.public)
    assert make_request(LEAF_KEY, name("bureau 3")).alternatives == ()
    other = request.der.replace(LEAF_KEY.public.to_bytes(), SUB.key.public.to_bytes())
    with pytest.raises(CertificateError, match="not signed by its own key"):
        Request(other).check()


def test_double_certificates() -> None:
    key = PrivateKey.generate()
    certificate = issue(SUB, name("collector 7"), key.public, ENCRYPTION, 365, at=AT)
    check_chain(certificate, [SUB.certificate], [ROOT.certificate], NOW, usage="key_encipherment")
    sealed = envelop_key(key, LEAF_KEY.public)
    assert open_key(sealed, LEAF_KEY).to_bytes() == key.to_bytes()
    with pytest.raises(DecryptionError):
        open_key(sealed, SUB.key)
    for at in range(len(sealed)):
        with pytest.raises(CryptoError):
            open_key(sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :], LEAF_KEY)


@pytest.mark.parametrize("at", range(0, len(LEAF.der), 3))
def test_every_flip_is_noticed(at: int) -> None:
    changed = LEAF.der[:at] + bytes((LEAF.der[at] ^ 1,)) + LEAF.der[at + 1 :]
    with pytest.raises(CryptoError):
        check_chain(Certificate(changed), [SUB.certificate], [ROOT.certificate], NOW)


SOURCES = {
    Certificate: LEAF.der,
    Request: make_request(LEAF_KEY, name("b"), NAMES).der,
    RevocationList: make_revocation_list(SUB, [Revoked(5, NOW)], 1, NOW, NOW + timedelta(1)).der,
}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([Certificate, Request, RevocationList]), st.data())
def test_damage_is_a_typed_error(reader: type, data: st.DataObject) -> None:
    octets = bytearray(SOURCES[reader])
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        reader(bytes(octets[: data.draw(st.integers(0, len(octets)))]))
        reader(bytes(octets))
    except CryptoError:
        pass


@needs_vectors
@pytest.mark.parametrize("end", ["client_sign", "client_enc", "server_sign", "server_enc"])
def test_tongsuo(end: str) -> None:
    bundle = read_certificates((VECTORS / "certs/chain-ca.crt").read_bytes())
    root = next(one for one in bundle if one.subject_der == one.issuer_der)
    assert check_chain(_load(f"certs/{end}.crt"), bundle, [root], NOW)[-1] == root
    with pytest.raises(CertificateError, match="expired"):
        check_chain(_load(f"certs/{end}_expire.crt"), bundle, [root], NOW)


@needs_vectors
@pytest.mark.parametrize("end", ["ssign", "senc", "csign", "cenc"])
def test_tlcp_certificates(end: str) -> None:
    root = _load("tlcp-certs/ca.crt")
    leaf = _load(f"tlcp-certs/{end}.crt")
    assert check_chain(leaf, [], [root], datetime(2027, 1, 1, tzinfo=UTC)) == [leaf, root]
    with pytest.raises(CertificateError, match="expired"):
        check_chain(leaf, [], [root], datetime(2029, 6, 1, tzinfo=UTC))
    assert PrivateKey.from_pem((VECTORS / f"tlcp-certs/{end}.key").read_bytes()).public == leaf.public_key
