"""SM2: by the product's keys where the case is on its curve with SM3, else by the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crypto.der import OCTET_STRING, Reader
from crypto.errors import CryptoError
from crypto.reference import weierstrass
from crypto.sm2 import PrivateKey, PublicKey
from crypto.sm2.exchange import Exchange, shared_point
from crypto.sm3 import sm3

Case = dict[str, Any]
octets = bytes.fromhex
_ACCEPTED = "accepted"


def verify(case: Case) -> tuple[str, str]:
    public = PublicKey.from_bytes(octets(case["public_key"]))
    ident, message, encoding = octets(case["ident"]), octets(case["message"]), case["format"]
    if not public.verify(message, octets(case["signature"]), ident, encoding):
        raise CryptoError("the signature does not verify")
    if "private_key" in case:  # its own key signs anew, too
        private = PrivateKey.from_scalar(octets(case["private_key"]))
        if private.public != public or not public.verify(message, private.sign(message, ident, encoding), ident, encoding):
            return _ACCEPTED, "the private key does not sign"
    return _ACCEPTED, _ACCEPTED


def verify_digest(case: Case) -> tuple[str, str]:
    public = PrivateKey.from_scalar(octets(case["private_key"])).public
    if not public.verify_digest(octets(case["digest"]), octets(case["signature"]), case["format"]):
        raise CryptoError("the signature does not verify")
    return _ACCEPTED, _ACCEPTED


def sign_with_nonce(case: Case) -> tuple[str, str]:
    """The reference makes the signature with the nonce; the product (on its curve) and the reference verify it."""
    curve, hashed = _curve(case), _hash(case)
    d, message, ident = int(case["private_key"], 16), octets(case["message"]), octets(case["ident"])
    e = int.from_bytes(message) if case["hash"] == "Raw" else weierstrass.digest(curve, d, message, ident, hashed)
    signature = weierstrass.sign(curve, d, e, int(case["nonce"], 16))
    if not weierstrass.verify(curve, curve.multiply(d, curve.g), e, signature):
        return case["signature"], "does not verify"
    if curve is weierstrass.SM2P256V1:
        public = PrivateKey.from_scalar(octets(case["private_key"])).public
        if not public.verify_digest(e.to_bytes(32), signature, "raw"):
            return case["signature"], "does not verify"
    return case["signature"], signature.hex()


def decrypt(case: Case) -> tuple[str, str]:
    """Decrypted; and encrypted again, with the nonce by the reference where there is one, else by the product."""
    if _curve(case) is not weierstrass.SM2P256V1 or _hash(case) is not sm3:
        return case.get("plaintext", ""), _decrypt_by_reference(case)
    private = PrivateKey.from_scalar(octets(case["private_key"]))
    plaintext = private.decrypt(octets(case["ciphertext"]), case["format"])
    if private.decrypt(private.public.encrypt(plaintext, case["format"]), case["format"]) != plaintext:
        return case.get("plaintext", ""), "its own ciphertext does not decrypt"
    return case.get("plaintext", ""), plaintext.hex()


def key_import(case: Case) -> tuple[str, str]:
    encoding = octets(case["encoding"])
    if case["kind"] in ("public", "spki-der"):
        public = PublicKey.from_bytes(encoding) if case["kind"] == "public" else PublicKey.from_der(encoding)
        if "private_key" in case and PrivateKey.from_scalar(octets(case["private_key"])).public != public:
            return _ACCEPTED, "another key"
        return case.get("expanded", _ACCEPTED), public.to_bytes().hex() if "expanded" in case else _ACCEPTED
    private = PrivateKey.from_scalar(encoding) if case["kind"] == "private" else PrivateKey.from_der(encoding)
    if not private.public.verify(b"imported", private.sign(b"imported")):
        return _ACCEPTED, "does not sign"
    return case.get("private_key", _ACCEPTED), private.to_bytes().hex() if "private_key" in case else _ACCEPTED


def exchange(case: Case) -> tuple[str, str]:
    keys = [
        PrivateKey.from_scalar(octets(case[f"{role}_{kind}"]))
        for role in ("initiator", "responder")
        for kind in ("private", "ephemeral")
    ]
    idents = [octets(case[f"{role}_ident"]) for role in ("initiator", "responder")]
    initiator = Exchange(keys[0], keys[2].public, "initiator", idents[0], idents[1], keys[1])
    responder = Exchange(keys[2], keys[0].public, "responder", idents[1], idents[0], keys[3])
    shared = shared_point(keys[0], keys[1], keys[2].public.to_bytes(), responder.message)
    ours, theirs = (
        initiator.agree(responder.message, case["key_bytes"]),
        responder.agree(initiator.message, case["key_bytes"]),
    )
    ours.check(theirs.confirmation)
    theirs.check(ours.confirmation)
    stated = {
        "shared_point": shared,
        "key": ours.key,
        "confirm_responder": theirs.confirmation,
        "confirm_initiator": ours.confirmation,
    }
    same = "" if ours.key == theirs.key else " but the sides differ"
    return " ".join(case[name] for name in stated), " ".join(value.hex() for value in stated.values()) + same


def _curve(case: Case) -> weierstrass.Curve:
    """The named curve; cases call all others the test curve, and ``curve_p`` or the point C1 tells which one it is."""
    if case.get("curve", "sm2p256v1") == "sm2p256v1":
        return weierstrass.SM2P256V1
    if "curve_p" in case:
        return next(curve for curve in weierstrass.CURVES if curve.p == int(case["curve_p"], 16))
    try:
        c1 = _der_parts(octets(case["ciphertext"]))[0]
    except CryptoError:
        return weierstrass.DRAFT_2010
    return next((curve for curve in weierstrass.CURVES if curve.contains(*c1)), weierstrass.DRAFT_2010)


def _hash(case: Case) -> Callable[[bytes], bytes]:
    return weierstrass.sha256 if case.get("hash") == "SHA-256" else sm3


def _decrypt_by_reference(case: Case) -> str:
    curve, hashed, d = _curve(case), _hash(case), int(case["private_key"], 16)
    c1, c2, c3 = _der_parts(octets(case["ciphertext"]))
    plaintext = weierstrass.decrypt(curve, d, c1, c2, c3, hashed)
    if "nonce" in case:
        again = weierstrass.encrypt(curve, curve.multiply(d, curve.g), plaintext, int(case["nonce"], 16), hashed)
        if again != (c1, c2, c3):
            return "the nonce gives another ciphertext"
    return plaintext.hex()


def _der_parts(ciphertext: bytes) -> tuple[tuple[int, int], bytes, bytes]:
    """C1, C2, C3; C1 may be on any curve."""
    outer = Reader(ciphertext, "SM2 ciphertext")
    inner = outer.sequence()
    c1, c3, c2 = (inner.integer(), inner.integer()), inner.read(OCTET_STRING), inner.read(OCTET_STRING)
    inner.end()
    outer.end()
    return c1, c2, c3
