"""Signed JSON after Standard Webhooks 1.0; beside HMAC-SHA256 on wish HMAC-SM3 (GB/T 15852.2) as ``v1sm3,<base64>``."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from operations.webhooks.channels.contract import Destination, Item, Verdict, Ways, http_verdict
from operations.webhooks.channels.settings import certificates, checked, flag
from operations.webhooks.guard import WebhookPolicy, check_url
from operations.webhooks.signing import headers


class Standard:
    """The stored bytes as they are."""

    kind = "standard"
    credential: Literal["made"] = "made"
    hidden = chat = False
    batch, spacing = 1, 0.0
    content_type = "application/json"

    def check(self, url: str, settings: Mapping[str, Any], policy: WebhookPolicy) -> dict[str, Any]:
        check_url(url, policy)
        return checked(settings, {"sm3": (flag, False), "ca": (certificates, "")})

    def fit(self, items: Sequence[Item], to: Destination) -> int:
        return 1

    def body(self, item: Item) -> bytes:
        """What is signed and sent: the same over all attempts."""
        return item.body

    async def send(self, items: Sequence[Item], to: Destination, ways: Ways) -> Verdict:
        body = self.body(items[0])
        signed = headers(to.secret, items[0].message_id, int(time.time()), body, sm3=bool(to.settings.get("sm3")))
        answer = await ways.post(to.url, {**signed, "Content-Type": self.content_type}, body, ca=str(to.settings.get("ca", "")))
        return http_verdict(answer)
