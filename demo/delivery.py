"""How the demo's bytes leave: a syslog connection, datagrams, a growing file, a folder of pcaps."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from demo.plan import Route

ROTATE_AT = 64 * 1024 * 1024
"""Bytes after which the JSON file is renamed to ``<name>.1`` and begun anew, as a log shipper does."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where to send. ``syslog`` (host, port) takes TCP and UDP; the folder of ``json`` and ``pcap_dir`` are made if absent."""

    syslog: tuple[str, int]
    json: Path
    pcap_dir: Path


class Delivery:
    """Sends to :class:`Targets`; a syslog server that is away is tried again every second until ``stop`` is set."""

    def __init__(self, targets: Targets, stop: threading.Event) -> None:
        self.sent: dict[Route, int] = dict.fromkeys(Route, 0)
        self._targets = targets
        self._stop = stop
        self._tcp: socket.socket | None = None
        self._udp: socket.socket | None = None
        targets.json.parent.mkdir(parents=True, exist_ok=True)
        targets.pcap_dir.mkdir(parents=True, exist_ok=True)
        self._file = targets.json.open("ab")

    def send(self, route: Route, payload: bytes) -> None:
        """Deliver one record; returns early, without sending, only when ``stop`` is set."""
        if route is Route.TCP:
            self._send_tcp(payload)
        elif route is Route.UDP:
            self._send_udp(payload)
        elif route is Route.JSON:
            self._append(payload)
        else:
            self._drop_pcap(payload)
        self.sent[route] += 1

    def flush(self) -> None:
        """Make what was appended visible to the follower of the file."""
        self._file.flush()

    def close(self) -> None:
        """Flush the file and close the connection in order (the receiver has all bytes)."""
        self._file.close()
        for one in (self._tcp, self._udp):
            if one is not None:
                one.close()

    def _send_tcp(self, payload: bytes) -> None:
        frame = b"%d %s" % (len(payload), payload)  # octet counting, RFC 6587 §3.4.1
        while not self._stop.is_set():
            try:
                if self._tcp is None:
                    self._tcp = socket.create_connection(self._targets.syslog, timeout=10)
                self._tcp.sendall(frame)
                return
            except OSError:
                if self._tcp is not None:
                    self._tcp.close()
                self._tcp = None
                self._stop.wait(1.0)

    def _send_udp(self, payload: bytes) -> None:
        if self._udp is None:
            family = socket.getaddrinfo(*self._targets.syslog, type=socket.SOCK_DGRAM)[0][0]
            self._udp = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._udp.sendto(payload, self._targets.syslog)
        except ConnectionRefusedError:
            return  # nobody listens yet; UDP promises nothing

    def _append(self, payload: bytes) -> None:
        self._file.write(payload + b"\n")
        if self._file.tell() >= ROTATE_AT:
            self._file.close()
            os.replace(self._targets.json, self._targets.json.with_name(self._targets.json.name + ".1"))
            self._file = self._targets.json.open("ab")

    def _drop_pcap(self, payload: bytes) -> None:
        number = self.sent[Route.PCAP] + 1
        name = f"mirror-{os.getpid()}-{number:04d}.pcap"
        partial = self._targets.pcap_dir / f".{name}.part"  # the folder's watcher must never see half a file
        partial.write_bytes(payload)
        partial.replace(self._targets.pcap_dir / name)
