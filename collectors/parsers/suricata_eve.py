"""Suricata EVE (eve.json of 7.0 and 8.0) → ECS.

Source: Suricata user guide 7.0, "Eve JSON Format" (https://docs.suricata.io/en/suricata-7.0.10/output/eve/eve-json-format.html).
Originals stay under ``suricata.eve.*`` except the time and the addresses, which only change their names. ``source`` is who
sent the packet that an event speaks of (an alert on an answer has the server as source); ``client`` and ``server`` follow the flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from collectors.parsers.fields import flatten, network_type, put, put_file, put_ip, put_port, relate, transport
from collectors.parsers.suricata_sections import SECTIONS, text_of
from collectors.parsers.text import decode, where
from kernel.errors import ParseError
from kernel.event import Event, parse_timestamp
from kernel.record import RawRecord

_OT = {"modbus": "ot.modbus", "dnp3": "ot.dnp3", "enip": "ot.enip"}

_RENAMED = frozenset({"timestamp", "src_ip", "src_port", "dest_ip", "dest_port", "community_id", "pcap_cnt", "pkt_src", "host"})

_KINDS: dict[str, tuple[list[str], list[str]]] = {
    # event_type → event.category, event.type; everything else is network/protocol
    "alert": (["intrusion_detection", "network"], ["info"]),
    "anomaly": (["network"], ["info"]),
    "flow": (["network"], ["connection"]),
    "netflow": (["network"], ["connection"]),
    "fileinfo": (["network", "file"], ["info"]),
    "http": (["network", "web"], ["access", "protocol"]),
    "http2": (["network", "web"], ["access", "protocol"]),
    "smtp": (["network", "email"], ["info", "protocol"]),
    "stats": (["host"], ["info"]),
    "drop": (["network"], ["denied"]),
}

_UNDECIDED = frozenset({"failed", "unknown", ""})


def parse(record: RawRecord) -> list[Event]:
    """One line of eve.json → one event; raises ParseError for anything but a JSON object."""
    try:
        obj = msgspec.json.decode(record.raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"not a line of eve.json at {where(record)}: {error}") from error
    if not isinstance(obj, dict) or not isinstance(obj.get("event_type"), str):
        raise ParseError(f"not a line of eve.json at {where(record)}: no event_type")
    event = parse_eve(obj)
    event["event.original"] = decode(record.raw)
    return [event]


def parse_stored(record: RawRecord) -> list[Event]:
    """A ``file-stored`` record (collectors/filestore.py) → the event of a file that waits for YARA.

    ``file.path`` is where the copy lies on this machine, ``file.name`` the name it had on the wire.
    """
    try:
        stored = msgspec.json.decode(record.raw)
        path, sha256, size = str(stored["path"]), str(stored["sha256"]), int(stored["size"])
        note = stored.get("fileinfo") or {}
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParseError(f"not a stored file at {where(record)}: {error}") from error
    event = parse_eve(note) if isinstance(note, dict) else {}
    wire_name, extension = event.get("file.name"), event.get("file.extension")
    put_file(event, path)
    event["file.name"] = wire_name or sha256
    event.pop("file.extension", None)
    put(event, "file.extension", extension)
    event |= {
        "event.kind": "event",
        "event.module": "suricata",
        "event.dataset": "suricata.file_stored",
        "event.category": ["file", "network"],
        "event.type": ["creation"],
        "event.action": "file-stored",
        "event.original": decode(record.raw),
        "file.hash.sha256": sha256,
        "file.size": size,
    }
    return [relate(event)]


def parse_eve(obj: Mapping[str, Any]) -> Event:
    """ECS event of one EVE object. Never raises: what has an unexpected shape stays under ``suricata.eve.*`` only."""
    kind = obj.get("event_type")
    kind = kind if isinstance(kind, str) and kind else "unknown"
    category, types = _KINDS.get(kind, (["network"], ["info", "protocol"]))
    event: Event = {
        "event.kind": "alert" if kind == "alert" else "metric" if kind == "stats" else "event",
        "event.module": "suricata",
        "event.dataset": _OT.get(kind, f"suricata.{kind}"),
        "event.category": list(category),
        "event.type": list(types),
    }
    stamp = obj.get("timestamp")
    if isinstance(stamp, str):
        put(event, "@timestamp", parse_timestamp(stamp))
    _network(obj, kind, event)
    for name, section in SECTIONS.items():
        inner = obj.get(name)
        if isinstance(inner, Mapping):
            section(inner, event)
    files = obj.get("files")  # an alert names the files of its transaction
    if kind == "alert" and isinstance(files, list) and len(files) == 1 and isinstance(files[0], Mapping):
        SECTIONS["fileinfo"](files[0], event)
    flatten({key: value for key, value in obj.items() if key not in _RENAMED}, "suricata.eve", event)
    return relate(event)


def _network(obj: Mapping[str, Any], kind: str, event: Event) -> None:
    put_ip(event, "source", obj.get("src_ip"))
    put_ip(event, "destination", obj.get("dest_ip"))
    put_port(event, "source.port", obj.get("src_port"))
    put_port(event, "destination.port", obj.get("dest_port"))
    network_type(event)
    put(event, "network.transport", transport(obj.get("proto")))
    put(event, "network.community_id", text_of(obj, "community_id"))
    put(event, "observer.ingress.interface.name", text_of(obj, "in_iface"))
    vlan = obj.get("vlan")
    if isinstance(vlan, list):  # the outermost tag first (IEEE 802.1ad)
        for field, tag in zip(("network.vlan.id", "network.inner.vlan.id"), vlan, strict=False):
            put(event, field, str(tag) if isinstance(tag, int) else None)
    put(event, "observer.name", text_of(obj, "host"))
    flow = obj.get("flow")
    client = flow if isinstance(flow, Mapping) and "src_ip" in flow else None if kind in _EITHER_WAY else obj
    if client is not None:
        for side, prefix in (("client", "src"), ("server", "dest")):
            put_ip(event, side, client.get(f"{prefix}_ip"))
            put_port(event, f"{side}.port", client.get(f"{prefix}_port"))
    protocol = obj.get("app_proto")
    if not isinstance(protocol, str) or protocol in _UNDECIDED:
        protocol = kind if kind in obj and kind not in _NOT_PROTOCOLS else None
    put(event, "network.protocol", protocol)


_EITHER_WAY = frozenset({"alert", "anomaly", "fileinfo", "drop"})
"""Events whose addresses follow one packet, so that only an inner ``flow`` tells who the client is."""

_NOT_PROTOCOLS = frozenset({"alert", "anomaly", "flow", "netflow", "stats", "fileinfo", "drop", "frame"})
