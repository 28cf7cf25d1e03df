"""Feishu (飞书) group robot (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot).

Signature, where the robot has a secret: ``timestamp`` in seconds and ``sign`` = base64 of
HMAC-SHA256(key = "{timestamp}\\n{secret}", message = "") in the body. Key and message stand the other way
round than DingTalk's. The clock may be an hour off at most.
Its text knows ``<at user_id="all">``: angle brackets of a message become fullwidth, so that no event calls everybody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any, Literal

import orjson

from operations.webhooks.channels.chat import Robot
from operations.webhooks.channels.contract import Answer, Destination, Verdict

BAD_REQUEST = 9499


class Feishu(Robot):
    """Text messages."""

    kind = "feishu"
    credential: Literal["given"] = "given"
    limit = 15_000  # the whole request may have 20 kB
    code_field, message_field = "code", "msg"
    busy = {11232: 60.0, 99991400: 60.0}
    refused = frozenset({BAD_REQUEST, 19002})

    def escape(self, text: str) -> str:
        return text.replace("<", "＜").replace(">", "＞")

    def request(self, text: str, to: Destination) -> tuple[str, bytes]:
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if to.secret:
            moment = str(int(time.time()))
            digest = hmac.new(f"{moment}\n{to.secret}".encode(), b"", hashlib.sha256).digest()
            body |= {"timestamp": moment, "sign": base64.b64encode(digest).decode()}
        return to.url, orjson.dumps(body)

    def judge(self, answer: Answer) -> Verdict:
        verdict = super().judge(answer)
        if verdict.final and "too many" in verdict.error.lower():  # 9499 has stood for both
            return Verdict(verdict.status_code, verdict.error, verdict.answer, retry_after=60.0)
        return verdict
