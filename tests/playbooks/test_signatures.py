"""Signatures: the published worked example, our own, and what breaks them."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from crypto.sm2 import PrivateKey
from kernel.errors import LiandunError
from playbooks.reading import read, read_document
from playbooks.signatures import AnyPrivate, sign, signed_octets, verify
from playbooks.signing_keys import fingerprint_of, read_signing_key
from tests.playbooks.documents import document, octets, playbook

IN_TIME = datetime(2023, 3, 1, tzinfo=UTC)
DIGEST = b"973bb6492184e4681b1eab9df1f56926fc1a91582e3529bfd0bfb231e1c51b0a"


@pytest.fixture(scope="module")
def example(shared: Path) -> str:
    return (shared / "cacao" / "examples" / "oasis-signature-example-rsa.md").read_text("utf-8")


@pytest.fixture(scope="module")
def signed(example: str) -> dict[str, Any]:
    """The playbook of the verifying part: one signature with its value."""
    found: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", example.split("## Verifying")[1], re.DOTALL)[0])
    return found


def test_canonical_octets_and_digest_are_those_published(example: str, signed: dict[str, Any]) -> None:
    signature = signed["signatures"][0]
    bare = {key: value for key, value in signature.items() if key != "value"}
    assert rfc8785.dumps({**signed, "signatures": [bare]}).decode() in example
    assert signed_octets(signed, signature) == DIGEST


def test_the_published_signature_is_valid(signed: dict[str, Any]) -> None:
    (verdict,) = verify(read_document(signed), now=IN_TIME)
    assert (verdict.state, verdict.signee, verdict.algorithm) == ("valid", "ACME Cyber Company", "RS256")
    assert not verdict.trusted
    (trusted,) = verify(read_document(signed), now=IN_TIME, trusted=[verdict.fingerprint])
    assert trusted.trusted


def test_the_published_key_signs_what_was_published(example: str, signed: dict[str, Any]) -> None:
    pem = re.search(r"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----", example, re.DOTALL)
    assert pem is not None
    key = read_signing_key(pem[0].encode())
    made = sign(read_document(signed), key, signee="we")
    assert [one.state for one in verify(read_document(made), now=IN_TIME)] == ["valid", "valid"]


def test_a_signature_beside_it_does_not_matter(example: str) -> None:
    both = [one for one in re.findall(r"```json\n(.*?)```", example, re.DOTALL) if one.count('"jss"') == 2]
    verdicts = verify(read_document(json.loads(both[-1])), now=IN_TIME)
    assert [one.state for one in verdicts] == ["invalid", "valid"]


def test_it_ends_with_its_validity(signed: dict[str, Any]) -> None:
    for moment in (datetime(2023, 7, 1, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC)):
        assert verify(read_document(signed), now=moment)[0].state == "expired"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda one: one.update(name="Playbook 2"), "invalid"),
        (lambda one: one.update(added=1), "invalid"),
        (lambda one: one["signatures"][0].update(valid_until="2099-01-01T00:00:00Z"), "invalid"),
        (lambda one: one["signatures"][0].update(value="gX" + one["signatures"][0]["value"][2:-1] + "A"), "invalid"),
        (lambda one: one["signatures"][0].update(value=one["signatures"][0]["value"] + "=="), "invalid"),
        (lambda one: one["signatures"][0].pop("value"), "invalid"),
        (lambda one: one["signatures"][0].update(public_key="AAAA"), "invalid"),
        (lambda one: one["signatures"][0].update(algorithm="HS256"), "unsupported"),
        (lambda one: one["signatures"][0].update(algorithm="none"), "unsupported"),
        (lambda one: one["signatures"][0].update(hash_algorithm="md5"), "unsupported"),
        (lambda one: one["signatures"][0].update(type="jsf"), "unsupported"),
        (lambda one: one["signatures"][0].pop("public_key"), "unsupported"),
        (lambda one: one["signatures"][0].update(algorithm="SM2-SM3"), "invalid"),
    ],
)
def test_every_change_is_seen(signed: dict[str, Any], change: Any, state: str) -> None:
    changed = json.loads(json.dumps(signed))
    change(changed)
    assert verify(read_document(changed), now=IN_TIME)[0].state == state


def _keys() -> list[tuple[str, AnyPrivate]]:
    return [
        ("SM2-SM3", PrivateKey.generate()),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("Ed25519", ed25519.Ed25519PrivateKey.generate()),
        ("RS256", rsa.generate_private_key(65537, 2048)),
    ]


def test_signatures_of_every_kind_stand_beside_each_other() -> None:
    found = playbook()
    for _, key in _keys():
        found = read(octets(sign(found, key, signee="市网安中心")))
    assert [(one.algorithm, one.state) for one in verify(found)] == [(name, "valid") for name, _ in _keys()]
    other = read(octets({**found.raw, "modified": "2026-11-28T06:30:00.000Z"}))
    assert {one.state for one in verify(other)} == {"invalid"}


def test_sm2_signs_the_sm3_digest_as_text() -> None:
    key = PrivateKey.generate()
    one = sign(playbook(), key, signee="x")["signatures"][0]
    assert one["hash_algorithm"] == "sm3"
    found = read(octets(document(signatures=[one])))
    assert verify(found)[0].fingerprint == hashlib.sha256(key.public.to_der()).hexdigest()
    assert fingerprint_of(key.public.to_pem().encode()) == verify(found)[0].fingerprint


def test_a_signature_of_another_playbook_is_none() -> None:
    key = PrivateKey.generate()
    one = sign(playbook(), key, signee="x")
    other = document(id="playbook--f81d4fae-7dec-41d0-a765-00a0c91e6bf6", signatures=one["signatures"])
    assert verify(read(octets(other)))[0].state == "invalid"


def test_weak_keys_and_numbers_that_no_double_holds_are_refused() -> None:
    with pytest.raises(LiandunError, match="kind of key"):
        sign(playbook(), rsa.generate_private_key(65537, 1024), signee="x")
    with pytest.raises(LiandunError, match="exceeds safe integer domain"):
        sign(playbook(document(x_own=2**60)), PrivateKey.generate(), signee="x")


def test_keys_are_read_with_their_password() -> None:
    key = PrivateKey.generate()
    again = read_signing_key(key.to_pem("a long password").encode(), "a long password")
    assert isinstance(again, PrivateKey)
    assert again.public == key.public
    with pytest.raises(LiandunError):
        read_signing_key(b"no key")
