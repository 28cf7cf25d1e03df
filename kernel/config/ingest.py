"""[ingest]: what comes in."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kernel.config.mistakes import Mistakes
from kernel.config.names import is_name

PACKETS = ("alerts", "all")
LEAST_PACKETS_MIB, MOST_PACKETS_MIB = 16, 1 << 20


class Syslog(msgspec.Struct, forbid_unknown_fields=True):
    """[ingest.syslog] — RFC 3164/5424 over UDP and TCP. Port 0 switches a listener off."""

    host: str = "127.0.0.1"
    udp_port: int = 5514
    tcp_port: int = 5514


class Tail(msgspec.Struct, forbid_unknown_fields=True):
    """[[ingest.tail]] — files to follow; ``paths`` may hold globs, ``format`` is a parser name (json, syslog, auditd, …)."""

    id: str
    paths: list[str]
    format: str = "json"


class PacketFolder(msgspec.Struct, forbid_unknown_fields=True):
    """[[ingest.pcap_folder]] — a folder whose new pcap files are read through Suricata."""

    id: str
    path: Path


class Interface(msgspec.Struct, forbid_unknown_fields=True):
    """[[ingest.interface]] — a network interface to watch live through Suricata.

    home_net       prefixes that are ours besides the ranges of the zone plan; with neither, the private ones
    vlan_tracking  false for a mirror whose two directions carry different VLAN tags
    packets        which packets are kept for looking at alerts: "alerts" (of connections with a Suricata alert) or "all"
    packets_mib    bound of what is kept, the oldest goes first; 0 = none are kept
    """

    id: str
    name: str
    home_net: list[str] = []
    vlan_tracking: bool = True
    packets: str = "alerts"
    packets_mib: int = 512


class Ingest(msgspec.Struct, forbid_unknown_fields=True):
    """[ingest] — what comes in. ``spool_gib`` bounds the records waiting for detection; beyond it senders are held back."""

    syslog: Syslog = msgspec.field(default_factory=Syslog)
    tail: list[Tail] = []
    pcap_folder: list[PacketFolder] = []
    interface: list[Interface] = []
    spool_gib: float = 8.0
    time_zone: str = "Asia/Shanghai"  # of time stamps that name none (RFC 3164, many devices)


def check_ingest(ingest: Ingest, mistakes: Mistakes) -> None:
    for name in ("udp_port", "tcp_port"):
        port = getattr(ingest.syslog, name)
        if not 0 <= port <= 65535:
            mistakes.add(f"ingest.syslog.{name}", f"{port} is no port (0 to 65535)")
    if ingest.spool_gib < 0.05:
        mistakes.add("ingest.spool_gib", "must be at least 0.05")
    try:
        ZoneInfo(ingest.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        mistakes.add("ingest.time_zone", f"{ingest.time_zone!r} is no time zone (write e.g. Asia/Shanghai or UTC)")
    for index, interface in enumerate(ingest.interface):
        if interface.packets not in PACKETS:
            mistakes.add(f"ingest.interface.{index}.packets", f"{interface.packets!r}: write one of {', '.join(PACKETS)}")
        if interface.packets_mib and not LEAST_PACKETS_MIB <= interface.packets_mib <= MOST_PACKETS_MIB:
            mistakes.add(f"ingest.interface.{index}.packets_mib", f"{LEAST_PACKETS_MIB} to {MOST_PACKETS_MIB}, or 0 to keep none")
    seen: set[str] = set()
    for kind in ("tail", "pcap_folder", "interface"):
        for index, source in enumerate(getattr(ingest, kind)):
            key = f"ingest.{kind}.{index}.id"
            if source.id in seen:
                mistakes.add(key, f"{source.id!r} is used twice; every source needs a name of its own")
            if not is_name(source.id):
                mistakes.add(key, f"{source.id!r}: use lower-case letters, digits, - and _")
            seen.add(source.id)
