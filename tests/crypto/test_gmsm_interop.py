"""Both ways with Go's gmsm: what one makes, the other reads, and what one refuses, so does the other."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from crypto.pbes2 import KeyScheme
from crypto.sm2 import DEFAULT_IDENT, PrivateKey, PublicKey
from crypto.sm2.ciphertext import CiphertextEncoding
from crypto.sm2.exchange import Exchange
from crypto.sm3 import sm3
from crypto.sm4 import decrypt_ccm, decrypt_gcm, encrypt_ccm, encrypt_gcm
from tests.crypto.gmsm_peer import Peer, build

IDENTS = [DEFAULT_IDENT, b"officer@example.gov.cn", "值班员".encode(), b"x" * 8191]


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with Peer(build(tmp_path_factory.mktemp("gmsm"))) as running:
        yield running


@pytest.mark.parametrize("ident", IDENTS, ids=len)
def test_signatures_verify_on_the_other_side(peer: Peer, ident: bytes) -> None:
    for size in (0, 1, 55, 1000):
        key, message = PrivateKey.generate(), secrets.token_bytes(size)
        point = key.public.to_bytes()
        ours = key.sign(message, ident)
        assert peer.ask("verify", Public=point, Ident=ident, Message=message, Signature=ours) == b""
        assert peer.ask("verify", Public=point, Ident=ident + b".", Message=message, Signature=ours) is None
        if size == 0:  # gmsm signs no empty message
            continue
        theirs = peer.must("sign", Key=key.to_bytes(), Ident=ident, Message=message)
        assert key.public.verify(message, theirs, ident)
        assert not key.public.verify(message + b".", theirs, ident)


@pytest.mark.parametrize("form", ["der", "c1c3c2", "c1c2c3"])
def test_ciphertexts_open_on_the_other_side(peer: Peer, form: CiphertextEncoding) -> None:
    for size in (1, 16, 31, 32, 33, 1000):
        key, message = PrivateKey.generate(), secrets.token_bytes(size)
        assert peer.must("decrypt", Key=key.to_bytes(), Ciphertext=key.public.encrypt(message, form), Form=form) == message
        if size == 1:  # once in 256 times its key stream is zero, and gmsm does not draw again (GB/T 32918.4-2016, 6.1, A5)
            continue
        theirs = peer.must("encrypt", Public=key.public.to_bytes(), Message=message, Form=form)
        assert key.decrypt(theirs, form) == message


def test_a_compressed_first_point_is_read(peer: Peer) -> None:
    key = PrivateKey.generate()
    theirs = peer.must("encrypt", Public=key.public.to_bytes(), Message=b"message", Form="c1c3c2-compressed")
    assert key.decrypt(theirs, "c1c3c2") == b"message"


def test_a_changed_ciphertext_opens_nowhere(peer: Peer) -> None:
    key = PrivateKey.generate()
    ciphertext = bytearray(key.public.encrypt(b"message"))
    ciphertext[-1] ^= 1
    assert peer.ask("decrypt", Key=key.to_bytes(), Ciphertext=bytes(ciphertext), Form="der") is None


def test_keys_are_the_same(peer: Peer) -> None:
    theirs = PrivateKey.from_scalar(peer.must("generate"))
    point = theirs.public.to_bytes()
    assert peer.must("public", Key=theirs.to_bytes()) == point
    assert peer.must("read-public", Public=theirs.public.to_der()) == point
    assert peer.must("write-public", Public=point) == theirs.public.to_der()
    assert PublicKey.from_der(peer.must("write-public", Public=point)) == theirs.public


@pytest.mark.parametrize("scheme", ["plain", "pbes2-sm3", "pbes2-sm4", "pbes2-sha256", "aes128-sha1", "gmt0091"])
def test_their_key_files_are_read(peer: Peer, scheme: str) -> None:
    key = PrivateKey.generate()
    theirs = peer.must("write-key", Key=key.to_bytes(), Scheme=scheme, Password="口令 secret")
    password = None if scheme == "plain" else "口令 secret"
    assert PrivateKey.from_der(theirs, password).public == key.public


@pytest.mark.parametrize("scheme", ["plain", "pbes2-sm3", "pbes2-sm4", "pbes2-sha256", "gmt0091"])
def test_our_key_files_are_read(peer: Peer, scheme: KeyScheme) -> None:
    key = PrivateKey.generate()
    if scheme == "plain":
        assert peer.must("read-key", Key=key.to_der()) == key.to_bytes()
        return
    ours = key.to_der("口令 secret", scheme)
    assert peer.must("read-key", Key=ours, Password="口令 secret") == key.to_bytes()
    assert peer.ask("read-key", Key=ours, Password="another") is None


def test_the_same_digest_and_aead(peer: Peer) -> None:
    key, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    for size in (0, 1, 63, 64, 65, 5000):
        message, aad = secrets.token_bytes(size), secrets.token_bytes(size % 40)
        assert peer.must("digest", Message=message) == sm3(message)
        for form, seal, opened in (("gcm", encrypt_gcm, decrypt_gcm), ("ccm", encrypt_ccm, decrypt_ccm)):
            ours = seal(key, nonce, message, aad)
            assert peer.must("seal", Key=key, Nonce=nonce, Message=message, Aad=aad, Form=form) == ours
            assert opened(key, nonce, ours, aad) == message


@pytest.mark.parametrize("initiating", [True, False])
def test_a_key_is_agreed(peer: Peer, initiating: bool) -> None:
    ours, theirs, ephemeral = PrivateKey.generate(), PrivateKey.generate(), PrivateKey.generate()
    exchange = Exchange(ours, theirs.public, "initiator" if initiating else "responder", b"ALICE", b"BOB")
    agreed = exchange.agree(ephemeral.public.to_bytes(), 48)
    key = peer.must(
        "exchange",
        Key=theirs.to_bytes(),
        Ephemeral=ephemeral.to_bytes(),
        PeerPublic=ours.public.to_bytes(),
        PeerEphemeral=exchange.message,
        Ident=b"BOB",
        PeerIdent=b"ALICE",
        Responder=initiating,
        Size=48,
    )
    assert key == agreed.key
