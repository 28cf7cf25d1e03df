"""The ingest role: every collector of this host, one spool.

It outlives a killed supervisor (its sockets would be lost with it) and waits ``ORPHAN_SECONDS`` for the next one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from cli.roles.audit_feed import AuditFeed
from cli.roles.health import tell_health
from cli.roles.process import stop_event
from cli.roles.rates import STEP_SECONDS, Rates
from cli.ruleset import suricata_rules
from collectors.packet_folder import PacketFolder
from collectors.sockets import listen_tcp, listen_udp
from collectors.suricata import LiveSuricata, SuricataMissing
from collectors.suricata.zone_roles import zone_networks
from collectors.syslog import TcpSyslog, UdpSyslog
from collectors.tail import FileTail
from kernel.config import Config, Interface, Tail
from kernel.config import PacketFolder as PacketFolderSettings
from kernel.db import open_database, upgrade
from kernel.errors import StoreError
from kernel.handover import SocketOffice, inherited_sockets
from kernel.layout import Layout
from kernel.pipeline import CONSUMER
from kernel.record import RawRecord, encode_record
from kernel.spool import SpoolClosedError, SpoolWriter
from kernel.spool.gate import SpoolGate
from kernel.store.open import open_store
from kernel.zones.snapshot import ZoneSource

log = logging.getLogger("liandun.ingest")

ORPHAN_SECONDS = 60.0
SHOWN_PROBLEMS = 200
"""Refused rules that the health file names; the counter ``rules_failed`` has them all."""

RESTART_SECONDS = 5.0
"""Pause before a collector that failed is made and run anew."""


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


class Source(threading.Thread):
    """One collector in a thread of its own, as the sources page shows it. A collector that fails is made and run anew.

    make  a new collector; given the one that failed, None at first
    """

    def __init__(self, name: str, kind: str, make: Callable[[Collector | None], Collector]) -> None:
        super().__init__(name=name, daemon=True)
        self.kind = kind
        self.error = ""
        self._make = make
        self._collector: Collector | None = None
        self._rates = Rates()
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._collector = self._make(self._collector)
                self.error = ""
                if not self._stopping.is_set():
                    self._collector.run()
                return
            except SpoolClosedError:
                return
            except SuricataMissing as error:
                self.error = str(error)
                log.warning("%s: %s", self.name, error)
                return
            except Exception as error:  # one collector must not take the others down; the sources page shows it
                self.error = f"{type(error).__name__}: {error}"
                log.exception("collector %s failed; it starts again in %.0f s", self.name, RESTART_SECONDS)
            self._stopping.wait(RESTART_SECONDS)

    def stop(self) -> None:
        """Make the thread end at a batch boundary."""
        self._stopping.set()
        if self._collector is not None:
            self._collector.stop()

    def report(self) -> dict[str, Any]:
        counters = self._collector.counters if self._collector is not None else {}
        self._rates.note(int(counters.get("received", 0)))
        return {
            "kind": self.kind,
            "error": self.error or getattr(self._collector, "error", ""),
            "problems": list(getattr(self._collector, "problems", ()))[:SHOWN_PROBLEMS],
            "rates": self._rates.history(),
            "rate_step_seconds": STEP_SECONDS,
            **counters,
        }


def _committed(config: Config) -> int:
    """Spool position that the pipeline has reached; 0 where the store cannot say it (then the worker says what is wrong)."""
    try:
        with contextlib.closing(open_store(config, writable=False)) as store:
            return store.consumer(CONSUMER)[0]
    except StoreError as error:
        log.warning("%s", error)
        return 0


class Ingest:
    """All collectors and their threads."""

    def __init__(self, config: Config) -> None:
        self.layout = Layout(config.data_dir)
        limit = int(config.ingest.spool_gib * (1 << 30))
        self.writer = SpoolWriter(self.layout.spool, max_bytes=limit, after=_committed(config))
        self.sources: list[Source] = []
        self.office = SocketOffice(self.layout.ingest_socket)
        self.gate = SpoolGate(self.layout.spool_socket, self.writer.put)
        self._sink = SpoolSink(self.writer)
        self._zones = ZoneSource(self.layout.zones)
        self._database = open_database(self.layout.state_url)
        upgrade(self._database)
        self._config = config

    def open(self, inherited: dict[str, socket.socket]) -> None:
        """Start every configured collector; ``inherited`` are the sockets that an earlier ingest left behind."""
        ingest = self._config.ingest
        self._open_syslog(inherited)
        audit = self.layout.checkpoints / "audit"
        self._start("platform-audit", "audit trail", lambda _failed: AuditFeed(self._database, self._sink, audit))
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
            self._open_udp(udp or listen_udp(settings.host, settings.udp_port))
        if settings.tcp_port:
            left = [(name.removeprefix("conn:"), sock) for name, sock in inherited.items() if name.startswith("conn:")]
            self._open_tcp(tcp or listen_tcp(settings.host, settings.tcp_port), left)

    def _open_udp(self, bound: socket.socket) -> None:
        self.office.hold("listen:syslog-udp", bound)
        self._start("syslog-udp", "syslog UDP", lambda _failed: UdpSyslog(bound, self._sink))

    def _open_tcp(self, listener: socket.socket, left: list[tuple[str, socket.socket]]) -> None:
        self.office.hold("listen:syslog-tcp", listener)
        for name, sock in left:
            self.office.hold(f"conn:{name}", sock)

        def make(failed: Collector | None) -> Collector:
            return TcpSyslog(
                listener,
                self._sink,
                adopted=failed.connections() if isinstance(failed, TcpSyslog) else left,
                on_accept=lambda name, sock: self.office.hold(f"conn:{name}", sock),
                on_close=lambda name: self.office.drop(f"conn:{name}"),
            )

        self._start("syslog-tcp", "syslog TCP", make)

    def _open_tail(self, tail: Tail) -> None:
        checkpoint = self.layout.checkpoints / f"{tail.id}.json"
        self._start(
            tail.id,
            f"file ({tail.format})",
            lambda _failed: FileTail(tail.paths, self._sink, checkpoint, source=tail.id, format=tail.format),
        )

    def _open_packet_folder(self, settings: PacketFolderSettings) -> None:
        def make(_failed: Collector | None) -> Collector:
            settings.path.mkdir(parents=True, exist_ok=True)
            return PacketFolder(
                settings.path,
                self._sink,
                self.layout.checkpoints / f"{settings.id}.json",
                self.layout.suricata / settings.id,
                source=settings.id,
                rules=lambda: suricata_rules(self._config),
                networks=zone_networks(self._zones),
            )

        self._start(settings.id, "pcap folder", make)

    def _open_interface(self, interface: Interface) -> None:
        def make(_failed: Collector | None) -> Collector:
            return LiveSuricata(
                interface.name,
                self._sink,
                self.layout.suricata / interface.id,
                source=interface.id,
                rules=lambda: suricata_rules(self._config),
                networks=zone_networks(self._zones, interface.home_net),
                vlan_tracking=interface.vlan_tracking,
                packets=interface.packets_mib << 20,
                all_packets=interface.packets == "all",
            )

        self._start(interface.id, f"interface {interface.name}", make)

    def _start(self, name: str, kind: str, make: Callable[[Collector | None], Collector]) -> None:
        source = Source(name, kind, make)
        self.sources.append(source)
        source.start()

    def details(self) -> dict[str, Any]:
        """For the health file."""
        return {
            "sources": {source.name: source.report() for source in self.sources},
            "spool_written_records": self.writer.written_records,
            "spool_end": self.writer.end,
        }

    def close(self) -> None:
        """Stop at a batch boundary. Connections stay open for whoever holds duplicates."""
        for source in self.sources:
            source.stop()
        deadline = time.monotonic() + 8
        for source in self.sources:
            source.join(max(0.0, deadline - time.monotonic()))
        self.gate.close()
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
