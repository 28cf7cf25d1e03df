"""Names of network services, as conduits and events use them.

Ports after the IANA Service Name and Transport Protocol Port Number Registry, and the makers' documentation where IANA has none.
"""

from __future__ import annotations

import re

import msgspec

SERVICES: dict[str, tuple[str, ...]] = {
    # management
    "ssh": ("tcp/22",),
    "telnet": ("tcp/23", "tcp/2323"),
    "rdp": ("tcp/3389", "udp/3389"),
    "vnc": ("tcp/5900-5909",),
    "winrm": ("tcp/5985-5986",),
    "snmp": ("udp/161-162", "tcp/161-162"),
    "ipmi": ("udp/623",),
    "tftp": ("udp/69",),
    "netconf": ("tcp/830",),
    "kubernetes-api": ("tcp/6443",),
    "bastion": ("tcp/60022",),
    # infrastructure
    "dns": ("udp/53", "tcp/53", "tcp/853"),
    "dhcp": ("udp/67-68", "udp/546-547"),
    "ntp": ("udp/123",),
    "ldap": ("tcp/389", "udp/389", "tcp/636", "tcp/3268-3269"),
    "kerberos": ("tcp/88", "udp/88", "tcp/464", "udp/464"),
    "msrpc": ("tcp/135", "tcp/49152-65535"),
    "netbios": ("udp/137-138", "tcp/139"),
    "smb": ("tcp/445", "tcp/139"),
    "syslog": ("udp/514", "tcp/514", "tcp/6514", "tcp/5514", "udp/5514"),
    "icmp": ("icmp", "ipv6-icmp"),
    # web and mail
    "http": ("tcp/80", "tcp/8080"),
    "https": ("tcp/443", "udp/443", "tcp/8443"),
    "smtp": ("tcp/25", "tcp/465", "tcp/587"),
    "imap": ("tcp/143", "tcp/993"),
    "ftp": ("tcp/20-21",),
    # databases and data platforms
    "postgresql": ("tcp/5432",),
    "mysql": ("tcp/3306",),
    "oracle": ("tcp/1521",),
    "mssql": ("tcp/1433",),
    "dameng": ("tcp/5236",),  # 达梦 DM8
    "kingbase": ("tcp/54321",),  # 人大金仓 KingbaseES
    "redis": ("tcp/6379",),
    "kafka": ("tcp/9092-9094",),
    "elasticsearch": ("tcp/9200", "tcp/9300"),
    "s3": ("tcp/9000",),
    # things
    "modbus": ("tcp/502",),
    "s7": ("tcp/102",),
    "dnp3": ("tcp/20000", "udp/20000"),
    "iec-104": ("tcp/2404",),
    "enip": ("tcp/44818", "udp/2222"),
    "bacnet": ("udp/47808",),
    "opc-ua": ("tcp/4840",),
    "mqtt": ("tcp/1883",),
    "mqtts": ("tcp/8883",),
    "coap": ("udp/5683-5684",),
    "sip": ("udp/5060", "tcp/5060-5061"),  # GB/T 28181
    "rtsp": ("tcp/554", "udp/554", "tcp/8554"),
    "rtp": ("udp/10000-20000", "udp/30000-40000"),
    "onvif-discovery": ("udp/3702",),
}
"""Name → ``transport/port`` or ``transport/first-last``; transports without ports stand alone."""

MANAGEMENT: frozenset[str] = frozenset(
    {"ssh", "telnet", "rdp", "vnc", "winrm", "snmp", "ipmi", "tftp", "netconf", "kubernetes-api", "bastion"}
)
"""Services that administer a machine or device: who may use them across zones is decided apart (GB/T 22239-2019 8.1.4.2)."""

_SPEC = re.compile(r"(tcp|udp|sctp)/(\d{1,5})(?:-(\d{1,5}))?")
_BARE = frozenset({"icmp", "ipv6-icmp", "gre", "esp", "sctp", "ipip", "ipv6"})


class PortRange(msgspec.Struct, frozen=True):
    """Ports ``first`` to ``last`` of a transport; transport "" = every transport; 0-65535 = every port, or none at all."""

    transport: str
    first: int = 0
    last: int = 65535

    def covers(self, transport: str, port: int) -> bool:
        """True when traffic to this port belongs to the range."""
        return self.transport in ("", transport) and self.first <= port <= self.last


def port_ranges(service: str) -> tuple[PortRange, ...]:
    """The ranges of a service name or of ``tcp/8080``, ``udp/5000-5010``, ``any``. Raises ValueError."""
    if service == "any":
        return (PortRange(""),)
    return tuple(_port_range(spec) for spec in SERVICES.get(service, (service,)))


def _port_range(spec: str) -> PortRange:
    if spec in _BARE:
        return PortRange(spec)
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(
            f"{spec!r} is no service: write a name ({', '.join(sorted(SERVICES)[:4])}, …), tcp/8080, udp/5000-5010 or any"
        )
    first, last = int(match[2]), int(match[3] or match[2])
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"{spec!r} names no ports (1 to 65535, lower one first)")
    return PortRange(match[1], first, last)


def service_name(transport: str, port: int) -> str:
    """``ssh`` for (tcp, 22); ``tcp/8123`` where no name is known; the transport alone where it has no ports."""
    name = _NAMES.get((transport, port))
    if name is not None:
        return name
    return f"{transport or 'ip'}/{port}" if port else (transport or "ip")


def _names() -> dict[tuple[str, int], str]:
    """Every port of the short ranges; a port of several services has the first one's name."""
    names: dict[tuple[str, int], str] = {}
    for name in SERVICES:
        for ports in port_ranges(name):
            if ports.transport in _BARE:
                names.setdefault((ports.transport, 0), name)
            elif ports.last - ports.first < 64:
                for port in range(ports.first, ports.last + 1):
                    names.setdefault((ports.transport, port), name)
    return names


_NAMES = _names()
