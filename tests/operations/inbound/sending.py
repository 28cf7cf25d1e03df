"""A sender of messages: it signs by itself, with nothing of ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from operations import clock


def body(**data: Any) -> bytes:
    """A body that is taken, with ``data`` on top; a value None leaves the field out."""
    full = {"title": "Port scan", "level": "high", "host": "fw-1", "source_ip": "198.51.100.7"} | data
    told = {name: value for name, value in full.items() if value is not None}
    return json.dumps({"type": "alert", "timestamp": clock.now(), "data": told}).encode()


def signed(
    secret: str, message: bytes, *, message_id: str = "msg_1", at: float | None = None, scheme: str = "v1"
) -> dict[str, str]:
    """The three headers."""
    seconds = int(time.time() if at is None else at)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, b"%s.%d.%s" % (message_id.encode(), seconds, message), "sm3" if scheme == "v1sm3" else hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"{scheme},{base64.b64encode(digest.digest()).decode()}",
    }
