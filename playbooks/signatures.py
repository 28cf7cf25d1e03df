"""Who stands behind a playbook: signatures of the JSON Signature Scheme (CACAO 2.0, 10.15 and appendix A).

The workflow, as the published worked example does it:

1. take all signatures out of the playbook and put in the one in question, without its ``value``;
2. canonical JSON of the whole (RFC 8785);
3. its hash by ``hash_algorithm``, as lower-case hexadecimal text;
4. sign **that text** by ``algorithm`` (which hashes once more); base64url without padding is ``value``.

So every signature covers the whole playbook and stands alone: adding another one changes neither. A valid signature says that the
holder of its key signed; whether that key is trusted the caller says by its fingerprint. Nothing is fetched (``cert_url``).

Ours beyond the listed algorithms: ``SM2-SM3`` (GB/T 32918.2, value r and s in 64 octets, the usual identifier) over ``sm3``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import uuid
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec
import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from crypto.certificates.certificate import Certificate
from crypto.errors import CryptoError
from crypto.sm2 import PrivateKey, PublicKey
from crypto.sm3 import sm3
from kernel.errors import LiandunError
from playbooks.model import Json, Playbook
from playbooks.timestamps import read_timestamp

State = Literal["valid", "invalid", "expired", "revoked", "unsupported"]
ForeignPublic: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
AnyPublic: TypeAlias = PublicKey | ForeignPublic
AnyPrivate: TypeAlias = PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
SM2 = "SM2-SM3"
SHORTEST_RSA = 2048
MOST_SIGNATURES = 20
_HASHES: dict[str, Callable[[bytes], bytes]] = {
    "sha-256": lambda octets: hashlib.sha256(octets).digest(),
    "sha-384": lambda octets: hashlib.sha384(octets).digest(),
    "sha-512": lambda octets: hashlib.sha512(octets).digest(),
    "sm3": sm3,
}
_BITS: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: dict[str, tuple[str, int]] = {"ES256": ("secp256r1", 32), "ES384": ("secp384r1", 48), "ES512": ("secp521r1", 66)}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature is worth. ``fingerprint`` is SHA-256 of the key's SubjectPublicKeyInfo, in hex ("" where there is none)."""

    id: str
    signee: str
    algorithm: str
    state: State
    reason: str = ""
    fingerprint: str = ""
    trusted: bool = False


class _Unsupported(Exception):
    """Nobody can say here whether the signature is right."""


def verify(playbook: Playbook, *, trusted: Collection[str] = (), now: datetime | None = None) -> list[Verdict]:
    """A verdict for each signature, in order. ``trusted`` are fingerprints of keys; ``now`` decides over validity."""
    moment = now or datetime.now(UTC)
    found = [_verdict(playbook.raw, one, moment) for one in playbook.signatures[:MOST_SIGNATURES]]
    return [msgspec.structs.replace(one, trusted=one.state == "valid" and one.fingerprint in trusted) for one in found]


def signed_octets(document: Json, signature: Json) -> bytes:
    """What the algorithm signs: the hash of the canonical playbook as hexadecimal text. Raises ValueError, KeyError."""
    bare = {key: value for key, value in signature.items() if key != "value"}
    whole = rfc8785.dumps({**document, "signatures": [bare]})
    return _HASHES[signature["hash_algorithm"]](whole).hex().encode()


def sign(playbook: Playbook, key: AnyPrivate, *, signee: str, created_by: str = "", now: datetime | None = None) -> Json:
    """A copy of the document with one signature more; the other ones stay as they are. Raises LiandunError."""
    algorithm, hashed = _algorithm(key)
    moment = _timestamp(now or datetime.now(UTC))
    signature: Json = {
        "type": "jss",
        "id": f"jss--{uuid.UUID(bytes=secrets.token_bytes(16), version=4)}",
        "created_by": created_by or playbook.created_by,
        "created": moment,
        "modified": moment,
        "signee": signee,
        "related_to": playbook.id,
        "related_version": playbook.modified,
        "hash_algorithm": hashed,
        "algorithm": algorithm,
        "public_key": base64.b64encode(_spki(_public(key))).decode(),
    }
    try:
        octets = signed_octets(playbook.raw, signature)
    except ValueError as error:
        raise LiandunError(f"the playbook cannot be signed: {error}") from error
    signature["value"] = base64.urlsafe_b64encode(_signed(key, octets)).decode().rstrip("=")
    return {**playbook.raw, "signatures": [*playbook.signatures, signature]}


def _verdict(document: Json, signature: Json, now: datetime) -> Verdict:
    state: State
    fingerprint = ""
    try:
        key = _key_of(signature)
        fingerprint = hashlib.sha256(_spki(key)).hexdigest()
        state, reason = _judged(document, signature, key, now)
    except _Unsupported as error:
        state, reason = "unsupported", str(error)
    except (ValueError, CryptoError, UnsupportedAlgorithm) as error:
        state, reason = "invalid", str(error)[:200]
    return Verdict(
        id=str(signature.get("id", "")),
        signee=str(signature.get("signee", "")),
        algorithm=str(signature.get("algorithm", "")),
        state=state,
        reason=reason,
        fingerprint=fingerprint,
    )


def _judged(document: Json, signature: Json, key: AnyPublic, now: datetime) -> tuple[State, str]:
    algorithm, hashed = str(signature.get("algorithm", "")), str(signature.get("hash_algorithm", ""))
    if signature.get("type") != "jss":
        raise _Unsupported(f"signatures of the type {str(signature.get('type'))[:40]!r} cannot be verified")
    if hashed not in _HASHES:
        raise _Unsupported(f"the hash algorithm {hashed[:40]!r} cannot be verified here: one of {', '.join(_HASHES)}")
    value = _base64url(str(signature.get("value", "")))
    if not _verified(key, algorithm, signed_octets(document, signature), value):
        return "invalid", "the playbook or the signature was changed after it was signed"
    if signature.get("related_to") != document.get("id") or signature.get("related_version") != document.get("modified"):
        return "invalid", "it was made for another playbook or another version: related_to, related_version"
    if signature.get("revoked"):
        return "revoked", "its maker has revoked it"
    if (since := signature.get("valid_from")) and now < read_timestamp(since):
        return "expired", f"it is valid from {since}"
    if (until := signature.get("valid_until")) and now >= read_timestamp(until):
        return "expired", f"it was valid until {until}"
    return "valid", ""


def _key_of(signature: Json) -> AnyPublic:
    """The key that stands in the signature. Raises ValueError, CryptoError, _Unsupported."""
    chain = signature.get("public_cert_chain")
    sm2 = signature.get("algorithm") == SM2
    if given := signature.get("public_key"):
        der = _base64(str(given))
    elif chain:
        certificate = _base64(str(chain[0]))
        if sm2:
            return Certificate(certificate).public_key
        return _foreign(x509.load_der_x509_certificate(certificate).public_key())
    else:
        raise _Unsupported("the key does not stand in the signature: public_key or public_cert_chain is needed")
    return PublicKey.from_der(der) if sm2 else _foreign(serialization.load_der_public_key(der))


def _foreign(key: Any) -> ForeignPublic:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise _Unsupported("keys of this kind cannot be verified here")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < SHORTEST_RSA:
        raise _Unsupported(f"an RSA key of {key.key_size} bits proves nothing: {SHORTEST_RSA} are the least")
    return key


def _verified(key: AnyPublic, algorithm: str, octets: bytes, value: bytes) -> bool:
    if algorithm == SM2:
        return isinstance(key, PublicKey) and key.verify(octets, value, encoding="raw")
    family, bits = algorithm[:2], algorithm[2:]
    try:
        if family in ("RS", "PS") and bits in _BITS and isinstance(key, rsa.RSAPublicKey):
            digest = _BITS[bits]
            pss = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
            key.verify(value, octets, padding.PKCS1v15() if family == "RS" else pss, digest)
        elif algorithm in _CURVES and isinstance(key, ec.EllipticCurvePublicKey):
            curve, size = _CURVES[algorithm]
            if key.curve.name != curve or len(value) != 2 * size:
                return False
            pair = int.from_bytes(value[:size]), int.from_bytes(value[size:])
            key.verify(encode_dss_signature(*pair), octets, ec.ECDSA(_BITS[bits]))
        elif algorithm == "Ed25519" and isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(value, octets)
        else:
            raise _Unsupported(f"the algorithm {algorithm[:40]!r} with this kind of key cannot be verified here")
    except InvalidSignature:
        return False
    return True


def _algorithm(key: AnyPrivate) -> tuple[str, str]:
    if isinstance(key, PrivateKey):
        return SM2, "sm3"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= SHORTEST_RSA:
        return "RS256", "sha-256"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
        return "ES256", "sha-256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "Ed25519", "sha-256"
    raise LiandunError("this kind of key cannot sign playbooks", "SM2, RSA of 2,048 bits, P-256 or Ed25519")


def _signed(key: AnyPrivate, octets: bytes) -> bytes:
    if isinstance(key, PrivateKey):
        return key.sign(octets, encoding="raw")
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(octets)
    left, right = decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA256())))
    return left.to_bytes(32) + right.to_bytes(32)


def _public(key: AnyPrivate) -> AnyPublic:
    return key.public if isinstance(key, PrivateKey) else key.public_key()


def _spki(key: AnyPublic) -> bytes:
    if isinstance(key, PublicKey):
        return key.to_der()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _base64(text: str) -> bytes:
    return _decoded(lambda: base64.b64decode("".join(text.split()), validate=True))


def _base64url(text: str) -> bytes:
    if set(text) & set("+/="):
        raise ValueError("the value is base64url without padding")
    return _decoded(lambda: base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))


def _decoded(decode: Callable[[], bytes]) -> bytes:
    try:
        return decode()
    except (binascii.Error, ValueError) as error:
        raise ValueError("the key, certificate or value is no base64") from error


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
