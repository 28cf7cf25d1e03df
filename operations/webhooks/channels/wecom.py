"""WeCom (企业微信) group robot (https://developer.work.weixin.qq.com/document/path/91770).

No signature: whoever has the ``key`` of the URL may write, so the URL is sealed. Text of at most 2,048 bytes.
"""

from __future__ import annotations

from typing import Literal

import orjson

from operations.webhooks.channels.chat import Robot
from operations.webhooks.channels.contract import Destination


class WeCom(Robot):
    """Text messages."""

    kind = "wecom"
    credential: Literal["none"] = "none"
    limit = 2048
    code_field, message_field = "errcode", "errmsg"
    busy = {-1: 5.0, 45009: 60.0, 45033: 5.0}
    refused = frozenset({40008, 40058, 44004, 45002})

    def request(self, text: str, to: Destination) -> tuple[str, bytes]:
        return to.url, orjson.dumps({"msgtype": "text", "text": {"content": text}})
