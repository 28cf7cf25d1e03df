"""The links role: protected inputs in a process of their own (OpenSSL's groups are set for a whole process).

Its listening sockets are the supervisor's too: attempts that come while the role starts anew wait in the kernel's queue (run by
itself the role opens them). It has no spool: records go to ingest through :mod:`kernel.spool.gate`.
"""

from __future__ import annotations

import functools
import logging
import os
import socket
from typing import Any

from cli.roles.health import tell_health
from cli.roles.ingest import Collector, Source
from cli.roles.process import stop_event
from collectors.links.http import http_speaker
from collectors.links.listener import Context, Limits, LinkListener
from collectors.links.syslog import syslog_speaker
from collectors.sockets import listen_tcp
from crypto.channel.link import Credentials, Revoked, Suite
from crypto.channel.process import enter
from crypto.channel.revocations import RevocationSource
from kernel.config import Config, Links
from kernel.config import LinkListener as Settings
from kernel.handover import inherited_sockets
from kernel.layout import Layout
from kernel.spool.gate import GateSink

SHOWN = {"domestic": "TLS 1.3, SM2/SM4/SM3", "classic": "TLS 1.3, CLASSIC", "tlcp": "TLCP"}


def credentials_of(links: Links, own: Settings | None = None) -> Credentials:
    """Files of a listener: its own, else those of [links]. The configuration has been checked for what is missing."""
    found = {}
    for name in Credentials._fields:
        found[name] = (getattr(own, name) if own is not None else None) or getattr(links, name)
    return Credentials(**found)


def make_context(credentials: Credentials, *, suite: Suite, server: bool, revoked: Revoked | None = None) -> Context:
    """Imported late: OpenSSL reads its settings when it is first loaded."""
    if suite == "tlcp":
        from crypto.channel.tlcp import TlcpContext

        return TlcpContext(credentials, server=server, revoked=revoked)
    from crypto.channel.tls13 import Tls13Context

    return Tls13Context(credentials, server=server, suite=suite, revoked=revoked)


class LinkInputs:
    """All listeners of [[links.listener]]; ``inherited``: sockets that the supervisor holds."""

    def __init__(self, config: Config, inherited: dict[str, socket.socket] | None = None) -> None:
        self.sink = GateSink(Layout(config.data_dir).spool_socket)
        links = config.links
        self._limits = Limits(
            links.max_connections, links.per_address, links.max_handshakes, links.handshake_seconds, links.idle_seconds
        )
        self.revocations = RevocationSource(Layout(config.data_dir).revocations)
        self._sockets = {name.removeprefix("listen:"): listening for name, listening in (inherited or {}).items()}
        self._suites = {listener.id: listener.suite for listener in links.listener}
        self.sources = [self._source(links, listener) for listener in links.listener]

    def _source(self, links: Links, settings: Settings) -> Source:
        speaker = syslog_speaker if settings.kind == "syslog" else http_speaker

        def make(_failed: Collector | None) -> Collector:
            if settings.id not in self._sockets:
                self._sockets[settings.id] = listen_tcp(settings.host, settings.port)
            return LinkListener(
                self._sockets[settings.id],
                credentials_of(links, settings),
                functools.partial(make_context, suite=settings.suite, server=True, revoked=self.revocations),
                speaker(settings.id, self.sink),
                limits=self._limits,
                peers=frozenset(settings.peers),
                revoked=self.revocations,
            )

        kind = "syslog" if settings.kind == "syslog" else "HTTPS"
        return Source(settings.id, f"{kind} ({SHOWN[settings.suite]})", make)

    def details(self) -> dict[str, Any]:
        sources = {source.name: {**source.report(), "suite": self._suites[source.name]} for source in self.sources}
        return {"sources": sources, "revoked": self.revocations.known}

    @property
    def problem(self) -> str:
        return self.sink.blocked or self.revocations.problem

    def close(self) -> None:
        for source in self.sources:
            source.stop()
        for source in self.sources:
            source.join(7)
        self.sink.close()
        for listening in self._sockets.values():
            listening.close()


def run(config: Config) -> int:
    layout = Layout(config.data_dir)
    enter(layout.links, classic=any(listener.suite == "classic" for listener in config.links.listener))
    stop = stop_event()
    inputs = LinkInputs(config, inherited_sockets(os.environ))
    for source in inputs.sources:
        source.start()
    tell_health(layout, "links", inputs.details, lambda: inputs.problem)
    stop.wait()
    inputs.close()
    logging.shutdown()
    # Threads may still be in the middle of a handshake: were Python taken down around them, one that holds a lock of OpenSSL would
    # keep the process for ever. Nothing is left to be written here.
    os._exit(0)
