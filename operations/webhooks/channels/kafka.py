"""A topic of Apache Kafka: each message is a record, its key the message id, its value the same JSON that webhooks get.

``kafkas://host:9093`` is TLS, with SASL (PLAIN or SCRAM) where a user is named; ``kafka://`` is plain and goes to listed networks
only. A record counts as delivered when all replicas that keep up have it (acks=all); after a lost answer it is sent again, so that
who reads knows a repeated record by its key.

A broker names the other brokers, and clients go where it says. So every name and address is looked up here, and only what the guard
permits is connected to (``_GuardedSocket``).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
from collections.abc import Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from operations.errors import Invalid
from operations.webhooks.channels.contract import Destination, Item, Verdict, Ways, tls_context
from operations.webhooks.channels.settings import certificates, checked, line
from operations.webhooks.channels.streams import check_server, place_of
from operations.webhooks.guard import Network, WebhookPolicy, permitted

if TYPE_CHECKING:
    from kafka import KafkaProducer

PORTS = {"kafkas": 9093, "kafka": 9092}
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
SPACING = 0.5
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_SCHEME = "liandun-guard"
_TOO_LARGE = ("MessageSizeTooLargeError", "RecordListTooLargeError", "InvalidRecordError")

logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what fails stands in the log of deliveries


class Kafka:
    """One producer for each sending: what is due goes together."""

    kind = "kafka"
    credential: Literal["given"] = "given"
    hidden, chat = False, False
    batch, spacing = 500, SPACING

    def check(self, url: str, settings: Mapping[str, Any], policy: WebhookPolicy) -> dict[str, Any]:
        check_server(url, PORTS, policy)
        known = {"topic": (_topic, ""), "user": (line, ""), "mechanism": (_mechanism, MECHANISMS[0]), "ca": (certificates, "")}
        full = checked(settings, known)
        if not full["topic"]:
            raise Invalid("a Kafka target needs a topic", field="settings.topic")
        if full["user"] and not url.startswith("kafkas://"):
            raise Invalid("a password travels by TLS only: kafkas://", field="url")
        return full

    def fit(self, items: Sequence[Item], to: Destination) -> int:
        return min(len(items), self.batch)

    async def send(self, items: Sequence[Item], to: Destination, ways: Ways) -> Verdict:
        return await asyncio.to_thread(_deliver, items, to, ways.policy)


def _deliver(items: Sequence[Item], to: Destination, policy: WebhookPolicy) -> Verdict:
    from kafka.errors import KafkaError  # loaded where a target needs it

    scheme, _host, _port = place_of(to.url, PORTS)
    with _Guard(policy.networks(), scheme) as guard:
        try:
            producer = _producer(to, policy, guard)
        except (KafkaError, OSError, ValueError) as error:
            return Verdict(None, guard.refused or _told(error))
        try:
            waiting = [
                producer.send(to.settings["topic"], item.body, item.message_id.encode(), [("event-type", item.event_type.encode())])
                for item in items
            ]
            for one in waiting:
                one.get(timeout=policy.deadline)
        except (KafkaError, OSError, ValueError) as error:
            final = len(items) == 1 and type(error).__name__ in _TOO_LARGE
            return Verdict(None, guard.refused or _told(error), final=final)
        finally:
            producer.close(timeout=1)
    return Verdict(None, "", f"{len(items)} records")


def _producer(to: Destination, policy: WebhookPolicy, guard: _Guard) -> KafkaProducer:
    from kafka import KafkaProducer

    scheme, host, port = place_of(to.url, PORTS)
    secured, user = scheme == "kafkas", str(to.settings.get("user", ""))
    milliseconds = int(policy.deadline * 1000)
    return KafkaProducer(
        bootstrap_servers=[f"[{host}]:{port}" if ":" in host else f"{host}:{port}"],
        client_id="liandun",
        security_protocol=f"{'SASL_' if user else ''}{'SSL' if secured else 'PLAINTEXT'}",
        ssl_context=tls_context(str(to.settings.get("ca", ""))) if secured else None,
        sasl_mechanism=to.settings.get("mechanism", MECHANISMS[0]) if user else None,
        sasl_plain_username=user or None,
        sasl_plain_password=to.secret or None,
        acks=-1,
        enable_idempotence=True,
        allow_auto_create_topics=False,
        bootstrap_timeout_ms=milliseconds // 2,
        max_block_ms=milliseconds // 2,
        request_timeout_ms=milliseconds // 2,
        delivery_timeout_ms=milliseconds,
        metrics_enabled=False,
        proxy_url=guard.url,
    )


class _Guard:
    """What one producer may connect to, under a URL that its sockets are told. ``refused``: what was kept from it."""

    known: dict[str, _Guard] = {}
    _numbers = count(1)

    def __init__(self, allow: Sequence[Network], scheme: str) -> None:
        _register()
        self.url = f"{_SCHEME}://{next(self._numbers)}"
        self.refused = ""
        self._allow = allow
        self._scheme = "tls" if scheme == "kafkas" else scheme

    def __enter__(self) -> _Guard:
        self.known[self.url] = self
        return self

    def __exit__(self, *_: object) -> None:
        del self.known[self.url]

    def addresses(self, host: str, port: int) -> list[Any]:
        """What ``host`` is, as getaddrinfo says it, without what may not be connected to."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self.refused = f"{host[:200]} has no address: {error}"
            return []
        kept = [one for one in found if permitted(_address(one), self._scheme, self._allow)]
        if found and not kept:
            self.refused = f"{host[:200]} is {_address(found[0])}: not a public address, or asked for without TLS"
        return kept


def _address(answer: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(str(answer[4][0]).partition("%")[0])


def _register() -> None:
    """Sockets of kafka-python that ask the guard: the library takes classes of sockets by the scheme of a ``proxy_url``."""
    from kafka.net import KafkaNetSocket

    if _SCHEME in KafkaNetSocket._registry:
        return

    class _GuardedSocket(KafkaNetSocket):  # type: ignore[misc]  # registers itself
        SCHEMES = (_SCHEME,)

        def __init__(self, proxy_url: str) -> None:
            self._guard = _Guard.known[proxy_url]

        def dns_lookup(self, host: str, port: int, raise_error: bool = False) -> list[Any]:
            return self._guard.addresses(host, port)


def _topic(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _TOPIC.fullmatch(value) or value in (".", ".."):
        raise Invalid(f"{name} is 1 to 249 letters, digits and . _ -", field=f"settings.{name}")
    return value


def _mechanism(name: str, value: Any) -> str:
    if value not in MECHANISMS:
        raise Invalid(f"{name} is one of {', '.join(MECHANISMS)}", field=f"settings.{name}")
    return str(value)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:512]
