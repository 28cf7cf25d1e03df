"""A city for the pages of zones and assets: fourteen zones, conduits in every state, devices, and a day of traffic between them.

Plan, register, inventory, verdicts and detections come from the real parts (kernel.zones, operations, detectors), not from here.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from detectors.zones import RULES, ZoneDetector
from kernel.event import Event, event_id, timestamp
from kernel.store.contract import Commit
from kernel.zones.enrich import enrich
from kernel.zones.plan import Asset, Conduit, Zone, ZonePlan
from kernel.zones.sightings import Inventory
from kernel.zones.table import ZoneTable
from operations.alerts import service as alerts
from operations.assets import inventory
from operations.audit.schema import Actor
from operations.zones import service as zones
from soc_ui.services import RuleCatalogue, RuleInfo, Services

ADMIN = Actor("lin.mei", "10.20.0.15")

ZONES = (
    Zone(id="traffic-iot", name="交通感知网", name_en="Traffic sensors", layer="perception", owner="交通局", importance=4,
         ranges=("10.50.0.0/16",), vlans=(50,), internet="forbidden", admission="registered"),
    Zone(id="water-ot", name="水务工业控制网", name_en="Water control network", layer="perception", owner="水务局", importance=5,
         ranges=("10.60.0.0/16", "2001:db8:60::/48"), vlans=(60,), sensors=("sensor-water-01",), internet="forbidden",
         admission="registered"),
    Zone(id="env-sensor", name="环境监测网", name_en="Environment sensors", layer="perception", owner="生态环境局", importance=2,
         ranges=("10.65.0.0/16",), vlans=(65,)),
    Zone(id="egov-extranet", name="政务外网", name_en="Government extranet", layer="network", owner="大数据局", importance=4,
         ranges=("10.10.0.0/16", "2001:db8:10::/48")),
    Zone(id="fin-private", name="财政专网", name_en="Finance private net", layer="network", owner="财政局", importance=5,
         ranges=("10.21.0.0/16",), internet="forbidden"),
    Zone(id="tra-private", name="公安交管专网", name_en="Traffic police private net", layer="network", owner="公安局", importance=4,
         ranges=("10.22.0.0/16",), internet="forbidden"),
    Zone(id="hea-private", name="卫健专网", name_en="Health private net", layer="network", owner="卫健委", importance=4,
         ranges=("10.23.0.0/16",), internet="forbidden"),
    Zone(id="internet-edge", name="互联网出口区", name_en="Internet edge", layer="network", owner="大数据局", importance=4,
         ranges=("10.30.0.0/16",)),
    Zone(id="mobile-access", name="移动接入区", name_en="Mobile access", layer="network", owner="大数据局", importance=3,
         ranges=("10.31.0.0/16",)),
    Zone(id="gov-cloud", name="政务云", name_en="Government cloud", layer="cloud", owner="大数据局", importance=5,
         ranges=("10.70.0.0/16", "2001:db8:70::/48")),
    Zone(id="data-platform", name="城市数据平台", name_en="City data platform", layer="cloud", owner="大数据局", importance=5,
         ranges=("10.80.0.0/16",), internet="forbidden"),
    Zone(id="app-share", name="应用共享区", name_en="Shared applications", layer="application", owner="大数据局", importance=4,
         ranges=("10.90.0.0/16",)),
    Zone(id="citizen-dmz", name="市民服务区", name_en="Citizen services", layer="citizen", owner="政务服务中心", importance=4,
         ranges=("10.100.0.0/16", "203.0.113.0/25")),
    Zone(id="operations", name="运维管理区", name_en="Operations", layer="operations", owner="运维中心", importance=5,
         ranges=("10.200.0.0/16",), internet="forbidden", admission="registered"),
)  # fmt: skip

TRAFFIC = (
    # from, to, transport, port, share of the traffic
    ("internet", "citizen-dmz", "tcp", 443, 260),
    ("mobile-access", "citizen-dmz", "tcp", 443, 120),
    ("egov-extranet", "citizen-dmz", "tcp", 443, 40),
    ("citizen-dmz", "app-share", "tcp", 8443, 150),
    ("app-share", "data-platform", "tcp", 5236, 90),
    ("app-share", "gov-cloud", "tcp", 443, 70),
    ("egov-extranet", "app-share", "tcp", 443, 80),
    ("traffic-iot", "data-platform", "tcp", 8883, 110),
    ("env-sensor", "data-platform", "tcp", 8883, 60),
    ("water-ot", "data-platform", "tcp", 8883, 45),
    ("tra-private", "traffic-iot", "udp", 5060, 30),
    ("fin-private", "gov-cloud", "tcp", 443, 25),
    ("hea-private", "gov-cloud", "tcp", 443, 34),
    ("egov-extranet", "internet", "tcp", 443, 50),
    ("internet-edge", "internet", "udp", 53, 36),
    ("operations", "gov-cloud", "tcp", 22, 16),
    ("operations", "data-platform", "tcp", 22, 9),
    ("operations", "water-ot", "tcp", 22, 3),
    ("operations", "traffic-iot", "udp", 161, 18),
    ("gov-cloud", "operations", "udp", 514, 24),
    ("egov-extranet", "gov-cloud", "tcp", 443, 44),
    ("hea-private", "data-platform", "tcp", 9092, 12),  # through a conduit that has expired
    ("egov-extranet", "water-ot", "tcp", 502, 4),  # and what no conduit permits
    ("egov-extranet", "data-platform", "tcp", 3306, 6),
    ("water-ot", "internet", "tcp", 443, 3),
    ("traffic-iot", "water-ot", "tcp", 23, 3),
    ("mobile-access", "gov-cloud", "tcp", 3389, 5),
    ("unknown", "gov-cloud", "tcp", 445, 5),
    ("env-sensor", "operations", "tcp", 8088, 2),
)


def plan(now: datetime) -> ZonePlan:
    """The city's plan; validities are counted from ``now``."""

    def at(days: int) -> str:
        return timestamp((now + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0))

    def conduit(name: str, sources: str, targets: str, services: str, reason: str, **more: str) -> Conduit:
        split = [tuple(text.split()) for text in (sources, targets, services)]
        return Conduit(
            id=name, sources=split[0], targets=split[1], services=split[2], reason=reason, approver="大数据局 王工", **more
        )

    conduits = (
        conduit("internet-portal", "internet mobile-access", "citizen-dmz", "https", "市民访问一网通办门户"),
        conduit("extranet-portal", "egov-extranet", "citizen-dmz app-share gov-cloud", "https", "外网用户访问门户", until=at(200)),
        conduit("portal-apps", "citizen-dmz", "app-share", "https", "门户调用共享应用", until=at(21)),
        conduit("apps-data", "app-share", "data-platform gov-cloud", "dameng https", "应用读取城市数据", until=at(400)),
        conduit("iot-data", "traffic-iot env-sensor water-ot", "data-platform", "mqtts", "感知数据汇聚", until=at(120)),
        conduit("police-video", "tra-private", "traffic-iot", "sip rtp rtsp", "交管调阅视频 (GB/T 28181)"),
        conduit("bureaus-cloud", "fin-private hea-private", "gov-cloud", "https", "委办局专网使用政务云", until=at(9)),
        conduit("health-stream", "hea-private", "data-platform", "kafka", "卫健数据共享试点", since=at(-300), until=at(-12)),
        conduit("extranet-web", "egov-extranet internet-edge", "internet", "https dns", "外网办公上网"),
        conduit("administration", "operations", "*", "ssh snmp", "运维堡垒机", until=at(300)),
        conduit("logs", "*", "operations", "syslog ntp", "日志与校时"),
        conduit("finance-data", "fin-private", "data-platform", "dameng", "财政数据归集（待上线）", since=at(30), until=at(395)),
    )  # fmt: skip
    return ZonePlan(ZONES, conduits, tuple(_devices()))


def _devices() -> list[Asset]:
    kinds = {
        "traffic-iot": ("camera", "路口摄像机", 14), "water-ot": ("plc", "泵站 PLC", 8), "env-sensor": ("sensor", "空气监测站", 6),
        "gov-cloud": ("server", "政务云主机", 9), "data-platform": ("database", "数据库", 5), "operations": ("server", "堡垒机", 3),
        "citizen-dmz": ("server", "门户前置机", 4), "egov-extranet": ("workstation", "办公终端", 10),
    }  # fmt: skip
    owners = {zone.id: zone for zone in ZONES}
    return [
        Asset(
            id=f"{zone_id}-{number:02d}",
            name=f"{number} 号{name}",
            kind=kind,
            addresses=(_address(zone_id, 100 + number),),
            macs=(f"02-4C-00-{position:02X}-00-{number:02X}",),
            bureau=owners[zone_id].owner,
        )
        for position, (zone_id, (kind, name, count)) in enumerate(kinds.items())
        for number in range(1, count + 1)
    ]


def fill_zones(services: Services, *, events: int = 1200, end: datetime | None = None, seed: int = 11) -> None:
    """Plan, devices, traffic of the last day and the alerts it gives, on top of what ``services`` hold."""
    end = end or datetime.now(UTC)
    chance = random.Random(seed)
    city = plan(end)
    with services.database.write() as session:
        zones.import_plan(session, ADMIN, city)
    table = ZoneTable(city)
    found = [_flow(chance, end - timedelta(seconds=86_400 * chance.random() ** 1.2)) for _ in range(events)]
    found += [_intruder(number, end - timedelta(minutes=7 * number + 1)) for number in range(3)]
    found.sort(key=lambda event: event["@timestamp"])
    for event in found:
        enrich(event, table)
    services.store.commit(Commit(found, consumer="seed-zones", position=1))
    detections = ZoneDetector(lambda: table).process(found)
    with services.database.write() as session:
        inventory.record_sightings(session, Inventory(lambda: table).sightings(found))
        alerts.record_detections(session, detections)
    before = services.rules()
    services.rules = lambda: RuleCatalogue((*before.rules, *rules()), before.failures)


def rules() -> list[RuleInfo]:
    """The zone rules as the composition root shows them."""
    return [
        RuleInfo(
            rule.id,
            rule.name,
            rule.level,
            "zone",
            rule.tags,
            description=rule.description,
            title_zh=rule.name_zh,
            description_zh=rule.description_zh,
        )
        for rule in RULES.values()
    ]


def _address(zone: str, host: int) -> str:
    if zone == "internet":
        return f"198.51.100.{host % 250 + 1}"
    if zone == "unknown":
        return f"192.168.77.{host % 250 + 1}"
    network = next(one for one in ZONES if one.id == zone).ranges[0].split(".")
    return f"{network[0]}.{network[1]}.0.{host % 250 + 1}"


def _flow(chance: random.Random, at: datetime) -> Event:
    source, target, transport, port, _ = chance.choices(TRAFFIC, [share for *_, share in TRAFFIC])[0]
    client, server = _address(source, 100 + chance.randrange(1, 9)), _address(target, 100 + chance.randrange(1, 4))
    return {
        "@timestamp": timestamp(at),
        "event.id": event_id("zone-flow", chance.random()),
        "event.dataset": "suricata.flow",
        "event.action": "flow",
        "source.ip": client,
        "source.port": chance.randrange(40_000, 60_000),
        "destination.ip": server,
        "destination.port": port,
        "client.ip": client,
        "network.transport": transport,
        "source.bytes": chance.randrange(10**5),
    }


def _intruder(number: int, at: datetime) -> Event:
    """A device that nobody registered, inside a zone that admits registered ones only."""
    return {
        "@timestamp": timestamp(at),
        "event.id": event_id("intruder", number),
        "event.dataset": "suricata.dhcp",
        "source.ip": f"10.60.0.{230 + number}",
        "source.mac": f"A4-11-62-0B-7C-{number:02X}",
        "host.hostname": f"laptop-{number}",
        "network.vlan.id": "60",
    }
