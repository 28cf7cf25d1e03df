"""Syslog over TLS (RFC 5424 in the framing of RFC 5425, default port 6514); what a message says is CEF or LEEF.

Syslog acknowledges nothing. What is sent counts as taken when the receiver, told that nothing more comes, closes its side in peace:
one that still has unread bytes resets the connection, and the messages are sent again under the same ids.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from operations.webhooks.channels.contract import Destination, Item, Verdict, Ways, tls_context
from operations.webhooks.channels.settings import certificates, checked
from operations.webhooks.channels.streams import Cutter, check_server, connected, place_of
from operations.webhooks.guard import WebhookPolicy

PORTS = {"tls": 6514}
FACILITY = 4
"""Security messages (RFC 5424, table 1)."""
SEVERITIES = {"critical": 2, "red": 2, "high": 3, "orange": 3, "medium": 4, "yellow": 4, "low": 5, "blue": 5}
"""Our levels as syslog severities (table 2); what has none is informational (6)."""
RANKS = {"critical": 10, "red": 10, "high": 8, "orange": 8, "medium": 5, "yellow": 5, "low": 3, "blue": 3, "informational": 1}
"""Our levels from 0 to 10, as CEF and LEEF count."""


class Syslog:
    """Both formats; subclasses write the message."""

    kind: str
    credential: Any = "none"
    hidden = chat = False
    batch, spacing = 200, 1.0

    def check(self, url: str, settings: Mapping[str, Any], policy: WebhookPolicy) -> dict[str, Any]:
        check_server(url, PORTS, policy)
        return checked(settings, {"ca": (certificates, "")})

    def fit(self, items: Sequence[Item], to: Destination) -> int:
        return min(len(items), self.batch)

    def message(self, item: Item, stamp: str, data: Mapping[str, Any]) -> str:
        """The message of one item; ``stamp`` is @timestamp text."""
        raise NotImplementedError

    async def send(self, items: Sequence[Item], to: Destination, ways: Ways) -> Verdict:
        scheme, host, port = place_of(to.url, PORTS)
        address = await ways.address(host, port, scheme)
        frames = b"".join(self._frame(item) for item in items)
        return await asyncio.to_thread(_deliver, frames, to, address, ways.policy)

    def _frame(self, item: Item) -> bytes:
        told = orjson.loads(item.body)
        severity = SEVERITIES.get(level_of(told["data"]), 6)
        header = f"<{FACILITY * 8 + severity}>1 {told['timestamp']} {_host()} liandun - {_name(item.event_type)} - "
        line = (header + self.message(item, told["timestamp"], told["data"])).encode()
        return b"%d %s" % (len(line), line)


def level_of(data: Mapping[str, Any]) -> str:
    """The level of a message, in the words of alerts or of warnings; "" = none."""
    return str(data.get("severity") or data.get("level") or "")


def _deliver(frames: bytes, to: Destination, address: str, policy: WebhookPolicy) -> Verdict:
    _, host, port = place_of(to.url, PORTS)
    with Cutter(policy.deadline) as cutter:
        try:
            context = tls_context(str(to.settings.get("ca", "")))
            with connected(address, host, port, context, cutter, policy.deadline) as sock:
                sock.sendall(frames)
                _end(sock)
        except OSError as error:
            told = f"no answer within {policy.deadline:g} s" if cutter.over else f"{type(error).__name__}: {error}"
            return Verdict(None, told[:512])
        if cutter.over:
            return Verdict(None, f"no answer within {policy.deadline:g} s")
    return Verdict(None)


def _end(sock: ssl.SSLSocket) -> None:
    """Say that nothing more comes, and wait for the receiver's end."""
    try:
        sock.unwrap().close()
    except ssl.SSLEOFError:
        return  # closed without close_notify: all was read, or the kernel would have answered with a reset


def _host() -> str:
    return socket.gethostname().encode("ascii", "replace").decode()[:255].replace(" ", "-") or "-"


def _name(event_type: str) -> str:
    """MSGID: 1 to 32 printable signs without blanks."""
    return "".join(sign if 33 <= ord(sign) <= 126 else "-" for sign in event_type)[:32] or "-"
