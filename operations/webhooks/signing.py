"""Signatures of Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).

webhook-id: msg_…                 the same over all attempts: receivers drop repetitions by it
webhook-timestamp: 1763870400     seconds since the epoch, of this attempt
webhook-signature: v1,<base64 of HMAC-SHA256(secret, "{id}.{timestamp}.{body}")>

Where it is asked for, ``v1sm3,<base64 of HMAC-SM3(…)>`` over the same bytes follows after a blank. The specification has signatures
of several schemes side by side and lets a receiver pass over those it does not know.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from crypto.sm3 import hmac_sm3

_PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh signing secret in its exchange form ``whsec_<base64>`` (32 random bytes)."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(secret: str, message_id: str, seconds: int, body: bytes, *, sm3: bool = False) -> dict[str, str]:
    """The three headers for a message. Raises ValueError where ``secret`` is not in the exchange form."""
    key = _key(secret)
    signed = _signed(message_id, seconds, body)
    signature = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if sm3:
        signature += " v1sm3," + base64.b64encode(hmac_sm3(key, signed)).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": signature}


def verifies(secret: str, message_id: str, seconds: int, body: bytes, signatures: str) -> bool:
    """Whether one of the blank-separated ``signatures`` is ours, ``v1`` or ``v1sm3``; compared in constant time."""
    key, signed = _key(secret), _signed(message_id, seconds, body)
    schemes, expected = {"v1": _sha256, "v1sm3": hmac_sm3}, dict[str, bytes]()
    good = False
    for one in signatures.split(" ")[:16]:
        scheme, _, text = one.partition(",")
        if scheme not in schemes:
            continue
        try:
            given = base64.b64decode(text, validate=True)
        except ValueError:
            continue
        if scheme not in expected:
            expected[scheme] = schemes[scheme](key, signed)
        good |= hmac.compare_digest(given, expected[scheme])
    return good


def _sha256(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)


def _signed(message_id: str, seconds: int, body: bytes) -> bytes:
    return f"{message_id}.{seconds}.".encode() + body
