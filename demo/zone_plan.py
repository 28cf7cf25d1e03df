"""The zone plan of Lanting: zones, the conduits between them, and every machine of the estate as a registered asset.

`./liandun demo plan` writes it as a zone plan file. Two conduits are there to be seen: one that ends within the week and
one that ended last month and that somebody still uses (chain "plc").
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from demo.city import Host
from demo.estate import DATA, ECOLOGY, HEALTH, SERVICE, TRANSPORT, TREASURY, WATER, lanting
from kernel.event import SHANGHAI, timestamp
from kernel.zones import Asset, Conduit, Zone, ZonePlan
from kernel.zones.plan import normal_mac

MANAGED = (
    "traffic-iot", "env-sensor", "egov-extranet", "internet-edge", "mobile-access", "gov-cloud", "data-platform", "app-share",
    "citizen-dmz",
)  # fmt: skip
"""Zones that the operations zone administers; water-ot and the private networks are administered from inside."""
PRIVATE = ("fin-private", "tra-private", "hea-private")


def _zone(
    zone_id: str,
    name: str,
    name_en: str,
    layer: str,
    owner: str,
    importance: int,
    *nets: int,
    internet: str = "conduit",
    admission: str = "open",
) -> Zone:
    """A zone; ``nets`` are the second octets of its IPv4 ranges, the third groups of its IPv6 ranges and its VLANs."""
    return Zone(
        id=zone_id,
        name=name,
        name_en=name_en,
        layer=layer,
        owner=owner,
        importance=importance,
        ranges=(*(f"10.{net}.0.0/16" for net in nets), *(f"2001:db8:{net}::/48" for net in nets)),
        vlans=nets,
        sensors=(f"sensor-{zone_id}",),
        internet=internet,
        admission=admission,
    )


class Way(msgspec.Struct, frozen=True):
    """A conduit. ``ends`` is when it ends, in days from today (negative: it has ended)."""

    id: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    services: tuple[str, ...]
    reason: str
    approver: str
    ends: int | None = None


CLOSED: dict[str, Any] = {"internet": "forbidden", "admission": "registered"}
ZONES = (
    _zone("traffic-iot", "交通物联网", "Traffic IoT", "perception", TRANSPORT, 3, 61, **CLOSED),
    _zone("water-ot", "水务工业控制网", "Water control network", "perception", WATER, 5, 60, **CLOSED),
    _zone("env-sensor", "环境感知网", "Environment sensors", "perception", ECOLOGY, 2, 62, **CLOSED),
    _zone("egov-extranet", "政务外网", "E-government extranet", "network", DATA, 3, 20, 21, 22, 23),
    _zone("fin-private", "财政专网", "Treasury private network", "network", TREASURY, 5, 121, **CLOSED),
    _zone("tra-private", "交通专网", "Transport private network", "network", TRANSPORT, 4, 122, **CLOSED),
    _zone("hea-private", "卫生专网", "Health private network", "network", HEALTH, 5, 123, **CLOSED),
    _zone("internet-edge", "互联网接入区", "Internet edge", "network", DATA, 5, 10),
    _zone("mobile-access", "移动接入区", "Mobile access", "network", DATA, 3, 30, internet="forbidden"),
    _zone("gov-cloud", "政务云平台", "Government cloud", "cloud", DATA, 5, 45, admission="registered"),
    _zone("data-platform", "数据共享平台", "Data platform", "cloud", DATA, 5, 50, **CLOSED),
    _zone("app-share", "共享应用区", "Shared applications", "application", DATA, 4, 42),
    _zone("citizen-dmz", "便民服务区", "Citizen services", "citizen", SERVICE, 4, 40),
    _zone("operations", "运维管理区", "Operations", "operations", DATA, 5, 70, admission="registered"),
)

WANG, LIN, SUN = "大数据局 王工", "水务局 林工", "交通运输局 孙工"
WAYS = (
    Way("internet-portal", ("internet",), ("citizen-dmz",), ("http", "https"), "市民访问一网通办门户", WANG),
    Way("internet-vpn", ("internet",), ("internet-edge",), ("https", "udp/500", "udp/4500"), "远程办公 VPN", WANG),
    Way("vpn-office", ("internet-edge",), ("app-share",), ("https",), "VPN 用户访问协同办公", WANG),
    Way("edge-internet", ("internet-edge",), ("internet",), ("http", "https", "dns", "ntp"), "代理与出口设备上网", WANG),
    Way("extranet-internet", ("egov-extranet",), ("internet",), ("http", "https"), "办公终端经统一出口上网", WANG),
    Way("extranet-portal", ("egov-extranet",), ("citizen-dmz",), ("http", "https"), "政务外网用户访问门户", WANG),
    Way("extranet-apps", ("egov-extranet",), ("app-share",), ("https",), "协同办公与视频调阅", WANG),
    Way("extranet-data", ("egov-extranet",), ("data-platform",), ("https",), "部门查询共享数据目录", WANG),
    Way(
        "extranet-domain",
        ("egov-extranet",),
        ("operations",),
        ("kerberos", "ldap", "smb", "msrpc", "smtp", "imap", "https"),
        "域登录、邮件与软件分发",
        WANG,
    ),
    Way("mobile-apps", ("mobile-access",), ("app-share", "citizen-dmz"), ("https",), "移动执法与移动办公", SUN),
    Way("portal-data", ("citizen-dmz",), ("data-platform",), ("postgresql", "https"), "门户查询办件与个人数据", WANG),
    Way("portal-apps", ("citizen-dmz",), ("app-share", "gov-cloud"), ("http", "https"), "门户调用共享能力", WANG),
    Way("apps-data", ("app-share",), ("data-platform",), ("postgresql", "https", "kafka"), "应用读写共享数据", WANG),
    Way("apps-cloud", ("app-share",), ("gov-cloud",), ("https", "kubernetes-api"), "应用发布到政务云", WANG),
    Way("cloud-data", ("gov-cloud",), ("data-platform",), ("postgresql", "https", "s3"), "云上业务读写数据与对象存储", WANG),
    Way("data-cloud", ("data-platform",), ("gov-cloud",), ("https", "kubernetes-api"), "数据任务调度", WANG),
    Way("cloud-internet", ("gov-cloud",), ("internet",), ("https",), "拉取镜像与更新", WANG),
    Way("treasury-data", ("fin-private",), ("data-platform",), ("https",), "财政数据归集", WANG),
    Way("transport-data", ("tra-private",), ("data-platform",), ("https",), "交通数据归集", SUN),
    Way("health-data", ("hea-private",), ("data-platform",), ("https",), "卫生数据归集", WANG),
    Way("health-pilot", ("hea-private",), ("data-platform",), ("kafka",), "传染病监测数据共享试点", WANG, 6),
    Way("signal-control", ("tra-private",), ("traffic-iot",), ("snmp", "tcp/2000-2010", "https"), "信号机远程控制", SUN),
    Way("video-pull", ("app-share",), ("traffic-iot",), ("rtsp", "sip", "rtp"), "视频平台取流", SUN),
    Way("video-register", ("traffic-iot",), ("app-share",), ("sip", "rtp"), "摄像机注册与推流 GB/T 28181", SUN),
    Way("transport-video", ("tra-private",), ("app-share",), ("https", "rtsp"), "指挥中心调阅视频", SUN),
    Way("traffic-data", ("traffic-iot",), ("data-platform",), ("mqtts",), "路口流量数据上报", SUN),
    Way("sensor-data", ("env-sensor",), ("data-platform",), ("mqtt", "mqtts"), "环境监测数据上报", "生态环境局 何工"),
    Way("water-data", ("water-ot",), ("data-platform",), ("https", "opc-ua"), "水务运行数据上报(采集网关)", LIN),
    Way("water-maintenance", ("egov-extranet",), ("water-ot",), ("rdp",), "水泵变频器厂家远程调试", LIN, -26),
    Way(
        "operations-manage",
        ("operations",),
        MANAGED,
        ("ssh", "https", "rdp", "winrm", "snmp", "icmp", "smb", "tcp/10050"),
        "堡垒机运维与监控",
        WANG,
    ),
    Way("operations-backup", ("operations",), ("data-platform", "gov-cloud"), ("s3", "postgresql"), "夜间备份", WANG),
    Way("operations-internet", ("operations",), ("internet",), ("https", "dns", "ntp", "smtp"), "域名解析、邮件与软件源", WANG),
    Way("internet-mail", ("internet",), ("operations",), ("smtp",), "外部邮件投递", WANG),
    Way(
        "all-basics",
        tuple(zone.id for zone in ZONES if zone.id != "operations"),
        ("operations",),
        ("dns", "ntp", "syslog", "tcp/10051"),
        "域名解析、校时、日志与监控上报",
        WANG,
    ),
)

BEGUN = 400
"""Days before today since when the conduits are in force."""


def lanting_plan(today: datetime) -> ZonePlan:
    """The plan; conduits that end do so relative to ``today``."""
    return ZonePlan(ZONES, tuple(_conduit(way, today) for way in WAYS), tuple(_asset(host) for host in lanting().hosts))


def _conduit(way: Way, today: datetime) -> Conduit:
    midnight = today.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return Conduit(
        id=way.id,
        sources=way.sources,
        targets=way.targets,
        services=way.services,
        reason=way.reason,
        since=timestamp(midnight - timedelta(days=BEGUN)),
        until="" if way.ends is None else timestamp(midnight + timedelta(days=way.ends)),
        approver=way.approver,
    )


def _asset(host: Host) -> Asset:
    return Asset(
        id=host.name.lower(),
        name=host.title or host.name,
        kind=host.kind,
        addresses=tuple(address for address in (host.ip, host.ip6) if address),
        macs=(normal_mac(host.mac),),
        bureau=host.bureau,
        importance=host.importance,
    )
