"""DingTalk group robot (https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages).

Signature, where the robot has a secret (``SEC…``): ``timestamp`` in milliseconds and ``sign`` = URL-encoded base64 of
HMAC-SHA256(key = secret, message = "{timestamp}\\n{secret}"), both in the query. The clock may be an hour off at most.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Literal
from urllib.parse import quote

import orjson

from operations.webhooks.channels.chat import Robot
from operations.webhooks.channels.contract import Destination


class DingTalk(Robot):
    """Text messages."""

    kind = "dingtalk"
    credential: Literal["given"] = "given"
    limit = 18_000
    code_field, message_field = "errcode", "errmsg"
    busy = {-1: 5.0, 130101: 60.0, 410100: 600.0, 660026: 60.0}
    refused = frozenset({40035, 43004, 400105, 400106, 430101, 430102, 430103, 430104})

    def request(self, text: str, to: Destination) -> tuple[str, bytes]:
        body = orjson.dumps({"msgtype": "text", "text": {"content": text}})
        if not to.secret:
            return to.url, body
        moment = str(int(time.time() * 1000))
        digest = hmac.new(to.secret.encode(), f"{moment}\n{to.secret}".encode(), hashlib.sha256).digest()
        sign = quote(base64.b64encode(digest).decode(), safe="")  # once: "+" and "/" would be read as something else
        return f"{to.url}{'&' if '?' in to.url else '?'}timestamp={moment}&sign={sign}", body
