"""The ingest role: every collector of this host, one spool.

It outlives a killed supervisor (its sockets would be lost with it) and waits ``ORPHAN_SECONDS`` for the next one.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from cli.roles.audit_feed import AuditFeed
from cli.roles.health import tell_health
from cli.roles.process import stop_event
from cli.roles.rates import STEP_SECONDS, Rates
from cli.ruleset import suricata_rules
from collectors.packet_folder import PacketFolder
from collectors.suricata import LiveSuricata, SuricataMissing
from collectors.syslog import TcpSyslog, UdpSyslog, listen_tcp, listen_udp
from collectors.tail import FileTail
from kernel.config import Config, Interface, Tail
from kernel.config import PacketFolder as PacketFolderSettings
from kernel.db import open_database, upgrade
from kernel.handover import SocketOffice, inherited_sockets
from kernel.layout import Layout
from kernel.record import RawRecord, encode_record
from kernel.spool import SpoolClosedError, SpoolWriter

log = logging.getLogger("liandun.ingest")

ORPHAN_SECONDS = 60.0


class SpoolSink:
    """Puts records into the spool: returns when they are on disk."""

    def __init__(self, writer: SpoolWriter) -> None:
        self._writer = writer

    def put(self, records: Sequence[RawRecord]) -> None:
        self._writer.put([encode_record(record) for record in records])


class Collector(Protocol):
    """What every live collector offers. ``run`` blocks until ``stop``."""

    counters: dict[str, Any]

    def run(self) -> None: ...

    def stop(self) -> None: ...


class Source(msgspec.Struct):
    """A running collector as the sources page shows it."""

    id: str
    kind: str
    collector: Collector
    rates: Rates
    thread: threading.Thread
    error: str = ""

    def report(self) -> dict[str, Any]:
        self.rates.note(int(self.collector.counters.get("received", 0)))
        return {
            "kind": self.kind,
            "error": self.error or getattr(self.collector, "error", ""),
            "rates": self.rates.history(),
            "rate_step_seconds": STEP_SECONDS,
            **self.collector.counters,
        }


class Ingest:
    """All collectors and their threads."""

    def __init__(self, config: Config) -> None:
        self.layout = Layout(config.data_dir)
        self.writer = SpoolWriter(self.layout.spool, max_bytes=int(config.ingest.spool_gib * (1 << 30)))
        self.sources: list[Source] = []
        self.office = SocketOffice(self.layout.ingest_socket)
        self._sink = SpoolSink(self.writer)
        self._database = open_database(self.layout.state_url)
        upgrade(self._database)
        self._config = config

    def open(self, inherited: dict[str, socket.socket]) -> None:
        """Start every configured collector; ``inherited`` are the sockets that an earlier ingest left behind."""
        ingest = self._config.ingest
        self._open_syslog(inherited)
        self._start("platform-audit", "audit trail", AuditFeed(self._database, self._sink, self.layout.checkpoints / "audit"))
        tails, folders = list(ingest.tail), list(ingest.pcap_folder)
        if self._config.platform.demo:
            tails.append(Tail("demo-windows", [str(self.layout.demo_json)], "json"))
            folders.append(PacketFolderSettings("demo-packets", self.layout.demo_packets))
        for tail in tails:
            self._open_tail(tail)
        for folder in folders:
            self._open_packet_folder(folder)
        for interface in ingest.interface:
            self._open_interface(interface)

    def _open_syslog(self, inherited: dict[str, socket.socket]) -> None:
        settings = self._config.ingest.syslog
        udp, tcp = inherited.pop("listen:syslog-udp", None), inherited.pop("listen:syslog-tcp", None)
        if settings.udp_port:
            udp = udp or listen_udp(settings.host, settings.udp_port)
            self.office.hold("listen:syslog-udp", udp)
            self._start("syslog-udp", "syslog UDP", UdpSyslog(udp, self._sink))
        if settings.tcp_port:
            tcp = tcp or listen_tcp(settings.host, settings.tcp_port)
            self.office.hold("listen:syslog-tcp", tcp)
            adopted = [(name.removeprefix("conn:"), sock) for name, sock in inherited.items() if name.startswith("conn:")]
            for name, sock in adopted:
                self.office.hold(f"conn:{name}", sock)
            collector = TcpSyslog(
                tcp,
                self._sink,
                adopted=adopted,
                on_accept=lambda name, sock: self.office.hold(f"conn:{name}", sock),
                on_close=lambda name: self.office.drop(f"conn:{name}"),
            )
            self._start("syslog-tcp", "syslog TCP", collector)

    def _open_tail(self, tail: Tail) -> None:
        collector = FileTail(
            tail.paths, self._sink, self.layout.checkpoints / f"{tail.id}.json", source=tail.id, format=tail.format
        )
        self._start(tail.id, f"file ({tail.format})", collector)

    def _open_packet_folder(self, settings: PacketFolderSettings) -> None:
        settings.path.mkdir(parents=True, exist_ok=True)
        collector = PacketFolder(
            settings.path,
            self._sink,
            self.layout.checkpoints / f"{settings.id}.json",
            self.layout.suricata / settings.id,
            source=settings.id,
            rules=lambda: suricata_rules(self._config),
        )
        self._start(settings.id, "pcap folder", collector)

    def _open_interface(self, interface: Interface) -> None:
        collector = LiveSuricata(
            interface.name,
            self._sink,
            self.layout.suricata / interface.id,
            source=interface.id,
            rules=lambda: suricata_rules(self._config),
            home_net=interface.home_net,
        )
        self._start(interface.id, f"interface {interface.name}", collector)

    def _start(self, name: str, kind: str, collector: Collector) -> None:
        def guarded() -> None:
            try:
                collector.run()
            except SpoolClosedError:
                return
            except SuricataMissing as error:
                source.error = str(error)
                log.warning("%s: %s", name, error)
            except Exception as error:  # one collector must not take the others down; the sources page shows it
                source.error = f"{type(error).__name__}: {error}"
                log.exception("collector %s stopped", name)

        source = Source(name, kind, collector, Rates(), threading.Thread(target=guarded, name=name, daemon=True))
        self.sources.append(source)
        source.thread.start()

    def details(self) -> dict[str, Any]:
        """For the health file."""
        return {
            "sources": {source.id: source.report() for source in self.sources},
            "spool_written_records": self.writer.written_records,
            "spool_end": self.writer.end,
        }

    def close(self) -> None:
        """Stop at a batch boundary. Connections stay open for whoever holds duplicates."""
        for source in self.sources:
            source.collector.stop()
        deadline = time.monotonic() + 8
        for source in self.sources:
            source.thread.join(max(0.0, deadline - time.monotonic()))
        self.writer.close()
        self.office.close()
        self._database.close()


def run(config: Config) -> int:
    stop = stop_event()
    inherited = inherited_sockets(os.environ)
    supervised = bool(inherited)
    ingest = Ingest(config)
    ingest.open(inherited)
    tell_health(ingest.layout, "ingest", ingest.details, lambda: ingest.writer.blocked)
    orphan_since: float | None = None
    while not stop.wait(0.5):
        if not supervised or ingest.office.kept:
            orphan_since = None
            continue
        orphan_since = orphan_since or time.monotonic()
        if time.monotonic() - orphan_since > ORPHAN_SECONDS:
            log.warning("no supervisor for %.0f s: ending", ORPHAN_SECONDS)
            break
    ingest.close()
    return 0
