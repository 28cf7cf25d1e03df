"""What the plan adds to events: zone and asset of every end, and the verdict where a boundary was crossed.

Fields, beside ECS: ``source.zone``, ``destination.zone``, ``host.zone`` · ``source.asset.id``, ``destination.asset.id``,
``host.asset.id`` · ``zone.crossing`` (``client-zone>server-zone``), ``zone.verdict``, ``zone.conduit``, ``zone.service``,
``zone.source_layer``, ``zone.destination_layer`` · ``observer.ingress.zone``, the zone of the sensor.

A crossing is judged from client to server. Where an event does not say who the client is (a flow record of one direction), traffic
that a conduit permits the other way round counts as its answer.

An end that a record names several addresses for (ECS wants one) keeps one of them, see :func:`_settle_ends`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from kernel.event import Event
from kernel.zones.services import port_ranges
from kernel.zones.table import DENIED, EXPIRED, PERMITTED, Verdict, ZoneTable

_LOGIN_PORTS = {name: port_ranges(name)[0].first for name in ("ssh", "telnet", "rdp", "vnc")}
_OURS = (
    *("source.zone", "destination.zone", "host.zone", "observer.ingress.zone"),
    *("source.asset.id", "destination.asset.id", "host.asset.id"),
    *("zone.crossing", "zone.verdict", "zone.conduit", "zone.service", "zone.source_layer", "zone.destination_layer"),
)
NOT_CROSSINGS = frozenset({"suricata.file_stored", "suricata.fileinfo", "qzsec.bastion"})
"""Datasets of our own parsers whose addresses do not tell of traffic of their own (it has events of its own). Whole names: a sender
chooses what its dataset ends in. Senders of finished events may not claim them (collectors.parsers.ecs_json)."""
_GRAVITY = {PERMITTED: 1, EXPIRED: 2, DENIED: 3}
_LONGEST_TRANSPORT = 32
"""Letters: it is the sender's text, and verdicts are remembered by it."""
_MOST_ZONES = 8
"""So many zones of one end are judged; each pair costs as much as an event."""


class ZoneEnricher:
    """An enricher of the pipeline; ``table`` gives the table in force (it may change between batches)."""

    def __init__(self, table: Callable[[], ZoneTable]) -> None:
        self._table = table

    def __call__(self, events: Sequence[Event]) -> None:
        """Add the fields, in place."""
        table = self._table()
        if not table.zones:
            return
        for event in events:
            enrich(event, table)


def enrich(event: Event, table: ZoneTable) -> None:
    """Add what the plan knows to one event, in place. What a sender claims in these fields is not believed."""
    for field in _OURS:
        event.pop(field, None)
    if sensor := _sensor_zone(event, table):
        event["observer.ingress.zone"] = sensor
    if type(event.get("source.ip")) is list or type(event.get("destination.ip")) is list:
        _settle_ends(event, table)
    _judge(event, table)


def _judge(event: Event, table: ZoneTable) -> None:
    _end(event, "source", table)
    _end(event, "destination", table)
    _host(event, table)
    _crossing(event, table)


def _settle_ends(event: Event, table: ZoneTable) -> None:
    """Give each end one address: those of the pair that the plan judges worst, else the first that means a host.

    All stay in ``related.ip``. Otherwise a list would keep its traffic from every rule about zones.
    """
    named = [event.get("source.ip"), event.get("destination.ip")]
    pairs = list(product(*(_one_of_each_zone(value, table) for value in named)))
    _set_ends(event, pairs[0] if len(pairs) == 1 else max(pairs, key=lambda pair: _gravity(event, pair, table)))  # first of equals
    related = [one for value in (event.get("related.ip"), *named) for one in (value if isinstance(value, list) else [value])]
    event["related.ip"] = list(dict.fromkeys(one for one in related if isinstance(one, str)))


def _one_of_each_zone(value: Any, table: ZoneTable) -> list[str | None]:
    """The addresses of an end that may be judged differently, at least one entry; None for an end without address."""
    if not isinstance(value, list):
        return [value if isinstance(value, str) else None]
    texts = [one for one in value if isinstance(one, str)]
    first: dict[str, str] = {}
    for text in texts:
        if zone := table.zone_of(text):
            first.setdefault(zone, text)
    usable: list[str | None] = [*first.values()]
    return usable[:_MOST_ZONES] or [next(iter(texts), None)]


def _set_ends(event: Event, ends: tuple[str | None, ...]) -> None:
    for field, address in zip(("source.ip", "destination.ip"), ends, strict=True):
        event.pop(field, None)
        if address is not None:
            event[field] = address


def _gravity(event: Event, ends: tuple[str | None, ...], table: ZoneTable) -> int:
    """How bad the plan finds the event between these two."""
    trial = dict(event)
    _set_ends(trial, ends)
    _judge(trial, table)
    return _GRAVITY.get(trial.get("zone.verdict", ""), 0)


def _end(event: Event, side: str, table: ZoneTable) -> None:
    address = event.get(side + ".ip")
    if type(address) is not str:
        return
    place = table.places[address]
    zone = place.zone
    if zone in ("", "unknown") and side == "source":
        zone = _by_place(event, table) or zone
    if zone:
        event[side + ".zone"] = zone
    if place.asset:
        event[side + ".asset.id"] = place.asset


def _by_place(event: Event, table: ZoneTable) -> str:
    """The zone that a VLAN number or the sensor tells, "" if neither does."""
    vlans = event.get("network.vlan.id")
    for vlan in vlans if isinstance(vlans, list) else (vlans,):  # the outermost tag first
        if isinstance(vlan, str) and (zone := table.zone_of_vlan(vlan)):
            return zone
    return _sensor_zone(event, table)


def _sensor_zone(event: Event, table: ZoneTable) -> str:
    """The zone in which the sensor of an event stands, "" where the plan names none."""
    for field in ("observer.name", "liandun.source"):
        sensor = event.get(field)
        if isinstance(sensor, str) and (zone := table.zone_of_sensor(sensor)):
            return zone
    return ""


def _host(event: Event, table: ZoneTable) -> None:
    address, name = event.get("host.ip"), event.get("host.name")
    if isinstance(address, list):
        address = next((one for one in address if isinstance(one, str) and table.zone_of(one) not in ("", "internet")), None)
    asset = table.asset_of(address) if isinstance(address, str) else ""
    if not asset and isinstance(name, str):
        asset = table.asset_of_name(name)
    if asset:
        event["host.asset.id"] = asset
        if not isinstance(address, str) and (known := table.assets.get(asset)) is not None and known.addresses:
            address = known.addresses[0]
    if isinstance(address, str) and (zone := table.zone_of(address)):
        event["host.zone"] = zone


def _crossing(event: Event, table: ZoneTable) -> None:
    source, target, port = event.get("source.zone"), event.get("destination.zone"), event.get("destination.port")
    if target is None and "destination.ip" not in event:
        target, port = _reached_host(event)
    if source is None or target is None or source == target:
        return
    if str(event.get("event.dataset")) in NOT_CROSSINGS:
        return
    if _is_answer(event):
        source, target, port = target, source, event.get("source.port")
    transport = str(event.get("network.transport") or "tcp")[:_LONGEST_TRANSPORT].lower()
    time = event["@timestamp"]
    verdict = table.verdict(source, target, transport, port if isinstance(port, int) else 0, time)
    if verdict.verdict != PERMITTED and "client.ip" not in event:
        answer = _as_answer(event, table, source, target, transport, time)
        if answer is not None:
            source, target, verdict = target, source, answer
    event["zone.crossing"] = f"{source}>{target}"
    event["zone.verdict"] = verdict.verdict
    event["zone.service"] = verdict.service
    if verdict.conduit:
        event["zone.conduit"] = verdict.conduit
    for field, zone in (("zone.source_layer", source), ("zone.destination_layer", target)):
        if layer := table.layer(zone):
            event[field] = layer


def _reached_host(event: Event) -> tuple[str | None, int]:
    """Zone and port of a host that writes who logged in over a named protocol, as sshd does."""
    ports = _LOGIN_PORTS.get(str(event.get("network.protocol", "")))
    zone = event.get("host.zone")
    return (zone, ports) if ports and isinstance(zone, str) else (None, 0)


def _is_answer(event: Event) -> bool:
    """True when the event speaks of an answer: its destination is the client."""
    client = event.get("client.ip")
    if client is None or client != event.get("destination.ip"):
        return False
    return client != event.get("source.ip") and event.get("client.port", event.get("destination.port")) == event.get(
        "destination.port"
    )


def _as_answer(event: Event, table: ZoneTable, source: str, target: str, transport: str, time: str) -> Verdict | None:
    """The verdict of the way back, where a conduit permits it and the ports look like a server's answer."""
    here, there = event.get("source.port"), event.get("destination.port")
    if not isinstance(here, int) or not isinstance(there, int) or here >= there:
        return None
    back = table.verdict(target, source, transport, here, time)
    return back if back.verdict == PERMITTED else None
