"""From the zone plan to what a sensor is told: ranges of the zones, and which zones hold servers and clients of which kind.

A zone is known to hold a kind of server when a registered asset of that kind stands in it, or when a conduit lets the service into
it. Clients are the zones a conduit lets the service out of, those with a registered client, and those with a server (polling within
a zone crosses no conduit). A conduit for ``any`` service makes its zones members of every group that is known at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from collectors.suricata.networks import Networks, ZoneRanges
from kernel.zones import ZonePlan, ZoneTable
from kernel.zones.plan import EVERY_ZONE, Conduit
from kernel.zones.services import PortRange, port_ranges

_SERVICES: dict[str, tuple[str, ...]] = {
    "HTTP_SERVERS": ("http", "https"),
    "SMTP_SERVERS": ("smtp",),
    "SQL_SERVERS": ("mssql", "mysql", "oracle", "postgresql", "dameng", "kingbase"),
    "DNS_SERVERS": ("dns",),
    "TELNET_SERVERS": ("telnet",),
    "DC_SERVERS": ("kerberos", "ldap"),
    "FTP_SERVERS": ("ftp",),
    "SIP_SERVERS": ("sip",),
    "MODBUS_SERVER": ("modbus",),
    "DNP3_SERVER": ("dnp3",),
    "ENIP_SERVER": ("enip",),
}

_OT_SERVERS = frozenset({"MODBUS_SERVER", "DNP3_SERVER", "ENIP_SERVER"})
_KINDS: dict[str, frozenset[str]] = {
    # kind of a registered asset → groups its zone belongs to
    **dict.fromkeys(("plc", "rtu", "ied", "dcs", "controller"), _OT_SERVERS),
    **dict.fromkeys(("web-server", "web"), frozenset({"HTTP_SERVERS"})),
    **dict.fromkeys(("mail-server", "mail"), frozenset({"SMTP_SERVERS"})),
    **dict.fromkeys(("database", "db-server"), frozenset({"SQL_SERVERS"})),
    **dict.fromkeys(("dns-server", "dns"), frozenset({"DNS_SERVERS"})),
    **dict.fromkeys(("domain-controller", "dc"), frozenset({"DC_SERVERS"})),
    **dict.fromkeys(("sip-server", "video-platform"), frozenset({"SIP_SERVERS"})),
}
_CLIENT_KINDS = frozenset({"hmi", "scada", "engineering-station", "historian"})


def networks_of(plan: ZonePlan, home: Sequence[str] = ()) -> Networks:
    """The networks of a plan; ``home`` are prefixes that are ours besides."""
    zones = tuple(ZoneRanges(zone.id, zone.layer, zone.ranges) for zone in plan.zones if zone.ranges)
    return Networks(tuple(home), zones, _roles(plan) if zones else {})


def zone_networks(table: Callable[[], ZoneTable], home: Sequence[str] = ()) -> Callable[[], Networks]:
    """The networks of the plan in force, worked out anew when it has changed."""
    known: list[tuple[ZoneTable, Networks]] = []

    def current() -> Networks:
        now = table()
        if not known or known[0][0] is not now:
            known[:] = [(now, networks_of(now.plan, home))]
        return known[0][1]

    return current


def _roles(plan: ZonePlan) -> dict[str, tuple[str, ...]]:
    holding = _zones_with_assets(plan)
    everywhere = {zone.id for zone in plan.zones}
    roles: dict[str, tuple[str, ...]] = {}
    for group, services in _SERVICES.items():
        servers = {zone for kind, zone in holding if group in _KINDS.get(kind, ())}
        clients: set[str] = set()
        for conduit in plan.conduits:
            if _carries(conduit, services):
                servers |= _named(conduit.targets, everywhere)
                clients |= _named(conduit.sources, everywhere)
        if not servers:
            continue
        for conduit in plan.conduits:
            if "any" in conduit.services:
                servers |= _named(conduit.targets, everywhere)
                clients |= _named(conduit.sources, everywhere)
        roles[group] = tuple(sorted(servers))
        if group in _OT_SERVERS:
            clients |= servers | {zone for kind, zone in holding if kind in _CLIENT_KINDS}
            roles[group.replace("_SERVER", "_CLIENT")] = tuple(sorted(clients))
    return roles


def _zones_with_assets(plan: ZonePlan) -> set[tuple[str, str]]:
    """(kind of a registered asset, zone it stands in)."""
    table = ZoneTable(plan)
    return {(asset.kind, table.zone_of(address)) for asset in plan.assets for address in asset.addresses} - {("", "")}


def _named(zones: Iterable[str], everywhere: set[str]) -> set[str]:
    return set(everywhere) if EVERY_ZONE in zones else everywhere & set(zones)


def _carries(conduit: Conduit, services: Iterable[str]) -> bool:
    """True when the conduit opens a first port of one of the services by name or number."""
    opened = [ports for service in conduit.services if service != "any" for ports in port_ranges(service)]
    return any(_covers(opened, port_ranges(service)[0]) for service in services)


def _covers(opened: Iterable[PortRange], wanted: PortRange) -> bool:
    return any(ports.covers(wanted.transport, wanted.first) for ports in opened)
