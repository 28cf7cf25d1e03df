"""The estate of Lanting (兰亭市), a city that does not exist: hosts, zones, bureaus, people.

Addresses come from private ranges and from the documentation ranges of RFC 5737 (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24)
and RFC 3849 (2001:db8::/32), names from the reserved domain ``.example`` (RFC 2606), so nothing of the demo points to a real host.
"""

from __future__ import annotations

import msgspec

DOMAIN = "lanting.example"
WINDOWS_DOMAIN = "LANTING"


class Host(msgspec.Struct, frozen=True):
    """One machine. ``kind``: workstation, dc, file, web, app, db, data, jump, dns, mail, hmi, plc, camera, firewall, switch."""

    name: str
    ip: str
    kind: str
    zone: str
    bureau: str
    ip6: str = ""
    user: str = ""

    @property
    def fqdn(self) -> str:
        return f"{self.name.lower()}.{DOMAIN}"


class City(msgspec.Struct, frozen=True):
    """All hosts, and short ways to them."""

    hosts: tuple[Host, ...]

    def of(self, *kinds: str) -> tuple[Host, ...]:
        """Hosts of these kinds, in the order of the estate."""
        return tuple(host for host in self.hosts if host.kind in kinds)

    def named(self, name: str) -> Host:
        """The host called ``name``; KeyError if there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)


BUREAUS = (("FIN", "财政局", 21), ("TRA", "交通运输局", 22), ("HEA", "卫生健康委", 23))
PEOPLE = (
    "chen.wei", "li.na", "wang.fang", "zhang.min", "liu.yang", "zhao.lei",
    "huang.jing", "zhou.tao", "wu.xia", "xu.jun", "sun.li", "hu.bin",
    "zhu.yan", "gao.feng", "lin.hui", "he.ping", "guo.rui", "ma.chao",
)  # fmt: skip

SERVERS: tuple[tuple[str, str, str, str, str], ...] = (
    # name, IPv4, kind, zone, bureau
    ("OPS-DC-01", "10.70.0.10", "dc", "operations", "大数据局"),
    ("OPS-DC-02", "10.70.0.11", "dc", "operations", "大数据局"),
    ("ops-jump-01", "10.70.0.20", "jump", "operations", "大数据局"),
    ("ops-dns-01", "10.70.0.53", "dns", "operations", "大数据局"),
    ("ops-mail-01", "10.70.0.25", "mail", "operations", "大数据局"),
    ("FIN-FS-01", "10.21.0.200", "file", "egov-extranet", "财政局"),
    ("HEA-FS-01", "10.23.0.200", "file", "egov-extranet", "卫生健康委"),
    ("portal-web-01", "10.40.0.11", "web", "citizen-dmz", "政务服务局"),
    ("portal-web-02", "10.40.0.12", "web", "citizen-dmz", "政务服务局"),
    ("portal-app-01", "10.40.0.21", "app", "citizen-dmz", "政务服务局"),
    ("portal-db-01", "10.50.0.31", "db", "data-platform", "政务服务局"),
    ("data-node-01", "10.50.0.41", "data", "data-platform", "大数据局"),
    ("data-node-02", "10.50.0.42", "data", "data-platform", "大数据局"),
    ("data-share-01", "10.50.0.51", "data", "data-platform", "大数据局"),
    ("WTR-HMI-01", "10.60.0.10", "hmi", "water-ot", "水务局"),
    ("wtr-scada-01", "10.60.0.11", "hmi", "water-ot", "水务局"),
    ("wtr-plc-01", "10.60.0.101", "plc", "water-ot", "水务局"),
    ("wtr-plc-02", "10.60.0.102", "plc", "water-ot", "水务局"),
    ("tra-signal-01", "10.61.0.101", "plc", "traffic-iot", "交通运输局"),
    ("tra-cam-01", "10.61.0.151", "camera", "traffic-iot", "交通运输局"),
    ("USG-EDGE-01", "10.70.0.1", "firewall", "operations", "大数据局"),
    ("FW-EXTNET-01", "10.70.0.2", "firewall", "operations", "大数据局"),
    ("SW-CORE-01", "10.70.0.3", "switch", "operations", "大数据局"),
)


def lanting() -> City:
    """The estate: 18 workstations in three bureaus and 23 servers and devices; two thirds have IPv6 as well."""
    hosts: list[Host] = []
    people = iter(PEOPLE)
    for prefix, bureau, number_of_net in BUREAUS:
        for number in range(1, 7):
            hosts.append(
                Host(
                    name=f"{prefix}-WS-{number:02d}",
                    ip=f"10.{number_of_net}.0.{20 + number}",
                    kind="workstation",
                    zone="egov-extranet",
                    bureau=bureau,
                    ip6=f"2001:db8:{number_of_net}::{20 + number:x}",
                    user=next(people),
                )
            )
    for name, ip, kind, zone, bureau in SERVERS:
        _, net, _, last = ip.split(".")
        ip6 = "" if zone in ("water-ot", "traffic-iot") else f"2001:db8:{net}::{int(last):x}"
        hosts.append(Host(name=name, ip=ip, kind=kind, zone=zone, bureau=bureau, ip6=ip6))
    return City(hosts=tuple(hosts))
