"""What the robots of chat services have in common: text within a number of bytes, 20 messages a minute, a code in the answer.

The services answer 200 to nearly everything; whether a message was taken stands in the body. More than 20 messages a minute are
refused (DingTalk: for ten minutes), so a sending keeps SPACING from the one before, and what came in between goes as one digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import orjson

from operations.webhooks.channels.contract import Answer, Destination, Item, Verdict, Ways, http_verdict
from operations.webhooks.channels.settings import certificates, checked, language
from operations.webhooks.channels.text import message_text, template
from operations.webhooks.guard import WebhookPolicy, check_url

SPACING = 3.2
"""Seconds; at most 19 sendings in any 60 s."""


class Robot:
    """A group robot. Subclasses say where code and message stand, and what is signed how."""

    kind: str
    hidden = chat = True
    batch, spacing = 200, SPACING
    limit: int
    """Bytes of text."""
    code_field: ClassVar[str]
    message_field: ClassVar[str]
    busy: ClassVar[Mapping[int, float]]
    """Codes that say "later": seconds to stay away."""
    refused: ClassVar[frozenset[int]]
    """Codes that say: not this message, whenever."""

    def check(self, url: str, settings: Mapping[str, Any], policy: WebhookPolicy) -> dict[str, Any]:
        check_url(url, policy)
        return checked(settings, {"language": (language, "zh"), "ca": (certificates, ""), "template": (template, "")})

    def fit(self, items: Sequence[Item], to: Destination) -> int:
        low, high = 1, min(len(items), self.batch)
        while low < high:  # the text grows with every message
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._size(items[:middle], to) <= self.limit else (low, middle - 1)
        return low

    def text(self, items: Sequence[Item], to: Destination) -> str:
        """The text, cut to the limit where even one message is too long."""
        whole = self.escape(message_text(items, to))
        raw = whole.encode()
        return whole if len(raw) <= self.limit else raw[: self.limit - 3].decode("utf-8", "ignore") + "…"

    def escape(self, text: str) -> str:
        """Text that means nothing but itself."""
        return text

    def request(self, text: str, to: Destination) -> tuple[str, bytes]:
        """URL and body of a sending, signed for this moment."""
        raise NotImplementedError

    async def send(self, items: Sequence[Item], to: Destination, ways: Ways) -> Verdict:
        url, body = self.request(self.text(items, to), to)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return self.judge(await ways.post(url, headers, body, ca=str(to.settings.get("ca", ""))))

    def judge(self, answer: Answer) -> Verdict:
        """Success is 2xx and code 0; a body without a code is a failure (a proxy or login page answered)."""
        verdict = http_verdict(answer)
        if verdict.error:
            return verdict
        try:
            body = orjson.loads(answer.text)
            code = body[self.code_field]
        except (ValueError, KeyError, TypeError):
            return Verdict(answer.status_code, f"the answer names no {self.code_field}: not the robot's", answer.text)
        if code == 0 and not isinstance(code, bool):
            return verdict
        told = str(body.get(self.message_field, ""))[:256]
        error = f"{self.code_field} {str(code)[:32]}: {told}"
        known = code if isinstance(code, int) else None
        return Verdict(
            answer.status_code,
            error,
            answer.text,
            final=known in self.refused,
            retry_after=self.busy.get(known) if known is not None else None,
        )

    def _size(self, items: Sequence[Item], to: Destination) -> int:
        return len(self.escape(message_text(items, to)).encode())
