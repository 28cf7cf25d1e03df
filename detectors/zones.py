"""Zone policy → detections: crossings that no conduit permits, illegal outbound links, devices that do not belong.

GB/T 22239-2019 8.1.3.1 asks that traffic crosses a boundary through controlled interfaces only (a), that devices joining the inside
without permission are found (b, 非法接入), and that inside users reaching the outside without permission are found (c, 违规外联).
The verdicts stand in the events (kernel.zones.enrich); this detector turns them into detections, once per offender, boundary,
service and ``QUIET_SECONDS``: a stream of flows or a sweep over a network is one fact, not thousands (every event keeps its
verdict).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

import msgspec

from detectors.quiet import Quiet
from kernel.addresses import without_scope
from kernel.detection import LEVELS, Detection, MatchedField, detection_id
from kernel.event import Event
from kernel.zones.neighbours import own_mac, relayed_client
from kernel.zones.plan import INTERNET, UNKNOWN
from kernel.zones.services import MANAGEMENT
from kernel.zones.table import EXPIRED, PERMITTED, ZoneTable


class ZoneRule(msgspec.Struct, frozen=True):
    """One of the fixed rules of this detector. ``level`` is that for a zone of importance 3."""

    id: str
    name: str
    name_zh: str
    level: str
    description: str
    description_zh: str
    tags: tuple[str, ...]
    falsepositives: tuple[str, ...]
    falsepositives_zh: tuple[str, ...]


def _rule(
    rule_id: str, level: str, name: str, name_zh: str, text: str, text_zh: str, tags: Sequence[str], false: str, false_zh: str
) -> tuple[str, ZoneRule]:
    return rule_id, ZoneRule(rule_id, name, name_zh, level, text, text_zh, tuple(tags), (false,), (false_zh,))


RULES: dict[str, ZoneRule] = dict(
    (
        _rule(
            "zone-crossing-denied",
            "medium",
            "Zone boundary crossed without a permit",
            "未经许可跨越安全区域边界",
            "Traffic between two security zones that no conduit of the zone plan permits (GB/T 22239-2019 8.1.3.1 a).",
            "两个安全区域之间出现了区域规划中未许可的流量（GB/T 22239-2019 8.1.3.1 a）。",
            ("attack.lateral-movement", "attack.t1021"),
            "A permitted use that nobody has entered as a conduit yet",
            "获准的用途，但尚未登记为通道",
        ),
        _rule(
            "zone-conduit-expired",
            "medium",
            "Zone boundary crossed through an expired permit",
            "使用已过期的跨区许可",
            "The conduit that permitted this traffic has ended or has not begun.",
            "许可该流量的通道已到期或尚未生效。",
            ("attack.lateral-movement", "attack.t1021"),
            "A permit whose renewal was forgotten",
            "许可到期后忘记续期",
        ),
        _rule(
            "zone-management-access",
            "high",
            "Management access from a zone that may not administer",
            "从非管理区域发起管理协议访问",
            "A management protocol (SSH, RDP, SNMP, …) crosses into a zone and no conduit permits it.",
            "管理协议（SSH、RDP、SNMP 等）跨区进入，且没有通道许可。",
            ("attack.lateral-movement", "attack.t1021"),
            "Emergency work that was not entered as a conduit",
            "未登记为通道的应急处置",
        ),
        _rule(
            "zone-illegal-outbound",
            "high",
            "Illegal outbound link to the Internet",
            "违规外联：内部设备连接互联网",
            "A device of a zone that must not reach the Internet talks to an Internet address (GB/T 22239-2019 8.1.3.1 c).",
            "禁止访问互联网的区域中有设备与互联网地址通信（GB/T 22239-2019 8.1.3.1 c）。",
            ("attack.exfiltration", "attack.t1048", "attack.command-and-control"),
            "A public address that the city itself uses and that no zone names",
            "本市自用、但没有区域声明的公网地址",
        ),
        _rule(
            "zone-unknown-device",
            "high",
            "Unregistered device inside a closed zone",
            "非法接入：区域内出现未登记设备",
            "A device sends inside a zone that admits registered devices only, and is not registered (GB/T 22239-2019 8.1.3.1 b).",
            "仅允许登记设备的区域中出现未登记设备的通信（GB/T 22239-2019 8.1.3.1 b）。",
            ("attack.initial-access", "attack.t1200"),
            "A new device that was not registered yet",
            "尚未登记的新设备",
        ),
        _rule(
            "zone-address-conflict",
            "high",
            "Registered address used by another network card",
            "已登记地址被其他网卡使用",
            "The address of a registered device is used with a MAC address that is not its own (another device's, or nobody's).",
            "已登记设备的地址被不属于该设备的 MAC 地址（其他设备的或未登记的）使用。",
            ("attack.credential-access", "attack.t1557"),
            "A replaced network card; a shared address (VRRP, cluster) that is registered for one of its devices only",
            "更换过网卡；共享地址（VRRP、集群）只登记在其中一台设备名下",
        ),
        _rule(
            "zone-undeclared-network",
            "low",
            "Private network that no zone declares",
            "发现未申报的内部网段",
            "A private address that belongs to no zone talks: part of the estate is outside of the zone plan.",
            "不属于任何区域的内部地址正在通信：区域规划没有覆盖这部分网络。",
            ("attack.discovery",),
            "Container or VPN networks behind a gateway",
            "网关之后的容器网络或 VPN 网段",
        ),
    )
)


class ZoneDetector:
    """Implements :class:`kernel.pipeline.Detector`; ``table`` gives the plan in force."""

    def __init__(self, table: Callable[[], ZoneTable]) -> None:
        self._table = table
        self._quiet = Quiet()

    def process(self, events: Sequence[Event]) -> list[Detection]:
        """Detections of enriched events, in order."""
        table = self._table()
        if not table.zones:
            return []
        return [detection for event in events if "source.zone" in event for detection in self._of(event, table)]

    def state(self) -> bytes:
        return self._quiet.state()

    def restore(self, state: bytes) -> None:
        """Raises ValueError for a state of another version."""
        self._quiet.restore(state)

    def _of(self, event: Event, table: ZoneTable) -> list[Detection]:
        device = self._device(event, table) or self._behind_relay(event, table) or self._undeclared(event, table)
        found = [self._crossing(event, table), device]
        return [detection for detection in found if detection is not None]

    def _crossing(self, event: Event, table: ZoneTable) -> Detection | None:
        verdict = event.get("zone.verdict")
        if verdict is None or verdict == PERMITTED:
            return None
        source, _, target = event["zone.crossing"].partition(">")
        if source == INTERNET and (target == UNKNOWN or _blocked(event)):  # the Internet knocks at closed doors all day
            return None
        service = str(event.get("zone.service", ""))
        client, server = ("destination", "source") if source == event.get("destination.zone") else ("source", "destination")
        offender = {"source.ip": _address(event.get(f"{client}.ip"))}
        importance = table.importance(source if target == INTERNET else target, str(event.get(f"{server}.asset.id", "")))
        zone = table.zones.get(source)
        if target == INTERNET and zone is not None and zone.internet == "forbidden":
            rule, group = "zone-illegal-outbound", {**offender, "zone": source}
        elif verdict == EXPIRED:
            rule, group = "zone-conduit-expired", {**offender, "zone.conduit": event["zone.conduit"]}
        elif service in MANAGEMENT and target != INTERNET:
            rule, group = "zone-management-access", {**offender, "zone.crossing": event["zone.crossing"], "zone.service": service}
        else:
            rule, group = "zone-crossing-denied", {**offender, "zone.crossing": event["zone.crossing"]}
        named = service if "/" not in service else ""  # a sweep over all ports is one fact
        return self._tell(rule, event, group, importance, _CROSSING_FIELDS, also=named)

    def _device(self, event: Event, table: ZoneTable) -> Detection | None:
        """What the source of an event says of the device it comes from."""
        zone, address, mac = table.zones.get(event["source.zone"]), event.get("source.ip"), own_mac(event)
        if zone is None or not isinstance(address, str):
            return None
        owner = table.asset_of(address) if table.is_registered(address) else ""
        card_owner = table.asset_of_mac(mac) if mac else ""
        if card_owner and owner in ("", card_owner):
            return None
        if owner:
            asset = table.assets.get(owner)
            if not mac or asset is None or not (asset.macs or card_owner):  # no card is registered that this one could contradict
                return None
            group = {"source.ip": _address(address), "mac": mac}
            return self._tell("zone-address-conflict", event, group, table.importance(zone.id, asset.id), _DEVICE_FIELDS)
        # a foreign private address at the zone's own sensor is a device, too
        names_a_host = mac or table.zone_of(address) in (zone.id, UNKNOWN)
        if zone.admission != "registered" or not names_a_host:
            return None
        group = {"device": mac or _address(address), "zone": zone.id}
        return self._tell("zone-unknown-device", event, group, zone.importance, _DEVICE_FIELDS)

    def _behind_relay(self, event: Event, table: ZoneTable) -> Detection | None:
        """A card that asks for an address through a relay, in the network of the relay."""
        mac, address = relayed_client(event)
        zone = table.zones.get(table.zone_of(address)) if mac else None
        if zone is None or zone.admission != "registered" or table.asset_of_mac(mac):
            return None
        group = {"device": mac, "zone": zone.id}
        return self._tell("zone-unknown-device", event, group, zone.importance, _DEVICE_FIELDS)

    def _undeclared(self, event: Event, table: ZoneTable) -> Detection | None:
        place = table.places[str(event.get("source.ip", ""))]
        if place.zone != UNKNOWN:
            return None
        group = {"network": _network(place.address)}
        return self._tell("zone-undeclared-network", event, group, 3, ("source.ip", "destination.ip"))

    def _tell(
        self, rule_id: str, event: Event, group: dict[str, str], importance: int, fields: Sequence[str], *, also: str = ""
    ) -> Detection | None:
        """A detection, unless it was told within QUIET_SECONDS. ``group`` makes the alert, ``also`` tells facts of it apart."""
        time = event["@timestamp"]
        if not self._quiet.is_news("\0".join((rule_id, *group.values(), also)), time):
            return None
        rule = RULES[rule_id]
        return Detection(
            id=detection_id(rule_id, [event["event.id"]]),
            rule_id=rule_id,
            rule_name=rule.name,
            level=_level(rule.level, importance, blocked=_blocked(event)),
            engine="zone",
            time=time,
            event_ids=[event["event.id"]],
            event=event,
            tags=list(rule.tags),
            matched=[MatchedField(name, str(event[name]), selection="zone plan") for name in fields if name in event],
            description=f"{rule.description} {rule.description_zh}",
            falsepositives=list(rule.falsepositives),
            group=group,
        )


_CROSSING_FIELDS = (
    *("zone.crossing", "zone.verdict", "zone.service", "zone.conduit"),
    *("source.ip", "destination.ip", "destination.port", "network.transport"),
)
_DEVICE_FIELDS = ("source.zone", "source.ip", "source.mac", "host.mac", "source.asset.id", "host.hostname", "network.vlan.id")


def _blocked(event: Event) -> bool:
    """True when a firewall stopped the traffic: an attempt, not a passage."""
    types = event.get("event.type")
    return isinstance(types, list) and "denied" in types


def _level(level: str, importance: int, *, blocked: bool) -> str:
    """The rule's level moved by the importance of what is touched: 5 one up, 1 one down, blocked attempts two down."""
    rank = LEVELS.index(level) + (1 if importance >= 5 else -1 if importance <= 1 else 0) - (2 if blocked else 0)
    return LEVELS[max(1, min(rank, len(LEVELS) - 1))]


def _address(value: object) -> str:
    """An address as alerts are grouped by it: without the scope, which a sender can vary without end."""
    return without_scope(str(value)) or ""


def _network(address: str) -> str:
    """The /24 or /64 of an address."""
    return str(ipaddress.ip_network(f"{address}/{64 if ':' in address else 24}", strict=False))
