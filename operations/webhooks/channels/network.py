"""The guarded network that channels send through: every name is resolved once a round, and the connection goes to that address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from operations.webhooks.channels.contract import Answer, tls_context
from operations.webhooks.guard import WebhookPolicy, resolve

MAX_RETRY_AFTER = 86_400.0
PROCESSES = 4


class Network:
    """The ways of one round. Use as an asynchronous context manager.

    Each name is asked for once: lookups share a few threads, and a name service that hangs for all messages of one target would
    take every one of them.
    """

    def __init__(self, policy: WebhookPolicy) -> None:
        self.policy = policy
        self.processes = asyncio.Semaphore(PROCESSES)
        self._asked: dict[tuple[str, int, str], asyncio.Task[str]] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def __aenter__(self) -> Network:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def address(self, host: str, port: int, scheme: str) -> str:
        """guard.resolve. Raises Refused."""
        key = (host, port, scheme)
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(resolve(host, port, scheme, self.policy))
        return await asyncio.shield(self._asked[key])  # a message that gives up does not end it for the others

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, ca: str = "") -> Answer:
        """POST to the checked address; redirects are answers like any other."""
        client, place = self._client(ca), httpx.URL(url)
        address = await self.address(place.host, place.port or (443 if place.scheme == "https" else 80), place.scheme)
        request = client.build_request(
            "POST",
            place.copy_with(host=address),
            content=body,
            headers={**headers, "Host": place.netloc.decode(), "User-Agent": "Liandun-Webhook/1"},
            extensions={"sni_hostname": place.raw_host.decode()} if place.scheme == "https" else None,
        )
        response = await client.send(request, stream=True)
        try:
            kept = b""
            async for chunk in response.aiter_raw():
                kept += chunk
                if len(kept) >= self.policy.max_answer:
                    break
        finally:
            await response.aclose()
        text = kept[: self.policy.max_answer].decode("utf-8", "replace").replace("\0", "")
        return Answer(response.status_code, text, retry_after(response.headers.get("retry-after", "")))

    def _client(self, ca: str) -> httpx.AsyncClient:
        if ca not in self._clients:
            # trust_env would send through a proxy of the environment, past the guard.
            self._clients[ca] = httpx.AsyncClient(
                verify=tls_context(ca) if ca else True,
                follow_redirects=False,
                trust_env=False,
                limits=httpx.Limits(max_keepalive_connections=0),
                timeout=self.policy.deadline,
            )
        return self._clients[ca]


def retry_after(text: str) -> float | None:
    """Seconds of a Retry-After header (RFC 9110 10.2.3: seconds or a date), at most a day; None where it says neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), MAX_RETRY_AFTER)
