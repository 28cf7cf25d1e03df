"""What a channel is: it checks a target's settings, says how many messages one sending takes, sends, and judges the answer.

A channel touches the network only through the ``Ways`` it is handed, so that all of them pass the same guard. It knows neither the
database nor how often something is tried: that is the sender's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from operations.webhooks.guard import WebhookPolicy


class Item(msgspec.Struct, frozen=True):
    """One message: ``body`` is what the outbox fixed when it was written, ``{"type", "timestamp", "data"}`` as JSON."""

    delivery_id: int
    message_id: str
    event_type: str
    body: bytes


class Destination(msgspec.Struct, frozen=True):
    """A target with its secrets open, for the time of one sending.

    url       the full URL, tokens included
    secret    signing secret or password; "" = none
    settings  what else its kind needs (already checked)
    """

    url: str
    secret: str = ""
    settings: Mapping[str, Any] = {}


class Verdict(msgspec.Struct, frozen=True):
    """How a sending ended.

    status_code  of HTTP or SMTP; None where there was no answer
    error        "" only on success
    answer       the first bytes of what the other side said
    final        trying again cannot help: this message is refused for what it says
    retry_after  seconds that the other side wants us to stay away; None = it did not say
    """

    status_code: int | None
    error: str = ""
    answer: str = ""
    final: bool = False
    retry_after: float | None = None


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer: its first bytes."""

    status_code: int
    text: str
    retry_after: float | None = None


class Ways(Protocol):
    """The guarded network."""

    policy: WebhookPolicy
    processes: asyncio.Semaphore
    """For channels that start a process for a sending: so many at the same time."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, ca: str = "") -> Answer:
        """POST, never following a redirect. Raises Refused, TimeoutError, OSError, httpx.HTTPError, ValueError."""

    async def address(self, host: str, port: int, scheme: str) -> str:
        """The address of ``host`` that may be connected to. Raises Refused."""


class Channel(Protocol):
    """One kind of target.

    kind        its name in the table
    credential  ``made``: we make it and tell it once; ``given``: a person enters it, and may leave it out; ``none``
    hidden      the URL itself carries a token: it is sealed, and shown without its path
    chat        a person reads it: language and templates matter
    batch       most messages of one sending
    spacing     least seconds from one sending to the next (0 = as many at the same time as there are)
    """

    @property
    def kind(self) -> str: ...
    @property
    def credential(self) -> Literal["made", "given", "none"]: ...
    @property
    def hidden(self) -> bool: ...
    @property
    def chat(self) -> bool: ...
    @property
    def batch(self) -> int: ...
    @property
    def spacing(self) -> float: ...

    def check(self, url: str, settings: Mapping[str, Any], policy: WebhookPolicy) -> dict[str, Any]:
        """The settings in full form. Raises Invalid."""

    def fit(self, items: Sequence[Item], to: Destination) -> int:
        """How many of ``items``, from the first, go into one sending; at least 1."""

    async def send(self, items: Sequence[Item], to: Destination, ways: Ways) -> Verdict:
        """Send what ``fit`` let in. Raises what ``Ways`` raises."""


def http_verdict(answer: Answer) -> Verdict:
    """What a status code says; only 2xx is success (Standard Webhooks, "Operational considerations")."""
    code = answer.status_code
    if 200 <= code < 300:
        return Verdict(code, "", answer.text)
    error = f"HTTP {code}: redirects are not followed; enter the final URL" if 300 <= code < 400 else f"HTTP {code}"
    return Verdict(code, error, answer.text, retry_after=answer.retry_after)


def tls_context(ca: str) -> ssl.SSLContext:
    """A verifying context: the system's roots, or only ``ca`` (PEM) where the target names its own. Raises ssl.SSLError."""
    return ssl.create_default_context(cadata=ca) if ca else ssl.create_default_context()
