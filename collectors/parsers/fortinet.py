"""FortiGate messages → ECS; originals under ``fortinet.<key>``.

Shape: ``date=… time=… devname=… devid=… logid=… type=traffic|event|utm subtype=… key="value"`` (Fortinet, "FortiOS Log Message
Reference").
"""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.firewall import put_verdict
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_PAIR = re.compile(r"(?<!\S)([A-Za-z_]\w{0,40})=(\"(?:[^\"\\]|\\.)*\"|\S*)")
_START = re.compile(r"(?:\S{1,64} )?(?:date|logver|timestamp|itime|eventtime|devname|devid)=")
_IPS: Final = {"srcip": "source", "dstip": "destination", "remip": "source", "transip": "source.nat", "tranip": "destination.nat"}
_PORTS: Final = {"srcport": "source.port", "dstport": "destination.port"}
_TEXTS: Final = {
    "devname": "observer.hostname",
    "devid": "observer.serial_number",
    "logid": "event.code",
    "level": "log.level",
    "action": "event.action",
    "user": "user.name",
    "msg": "message",
    "policyid": "rule.id",
    "policyname": "rule.name",
    "attack": "rule.name",
    "virus": "rule.name",
    "hostname": "url.domain",
    "url": "url.original",
    "agent": "user_agent.original",
    "filename": "file.name",
    "srcintf": "observer.ingress.interface.name",
    "dstintf": "observer.egress.interface.name",
    "service": "network.protocol",
    "reason": "event.reason",
    "qname": "dns.question.name",
    "qtype": "dns.question.type",
}
_BLOCKED: Final = frozenset({"deny", "blocked", "block", "dropped", "drop", "reset", "ip-conn", "timeout-denied"})


def looks_like(text: str) -> bool:
    """True for the keys that every FortiGate line has."""
    return "devid=" in text and "logid=" in text and _START.match(text) is not None


def fill(event: Event, message: Message) -> bool:
    """Fill the event from a FortiGate line; False if the text is something else."""
    pairs = {name: value.strip('"').replace('\\"', '"') for name, value in _PAIR.findall(message.text)}
    kind = pairs.get("type", "")
    if "devid" not in pairs or "logid" not in pairs or not kind.isalnum():
        return False
    event["event.dataset"] = f"fortinet.{kind.lower()}"
    event["event.module"] = "fortinet"
    event["observer.vendor"], event["observer.product"], event["observer.type"] = "Fortinet", "FortiGate", "firewall"
    event.pop("process.name", None)
    for name, value in pairs.items():
        ecs.put(event, f"fortinet.{name}", value)
        if name in _IPS:
            ecs.put_ip(event, _IPS[name], value)
        elif name in _PORTS:
            ecs.put_port(event, _PORTS[name], value)
        elif name in _TEXTS:
            ecs.put(event, _TEXTS[name], value)
    ecs.put(event, "host.name", pairs.get("devname"))
    _when(event, pairs)
    _kind(event, pairs, kind)
    ecs.network_type(event)
    return True


def _when(event: Event, pairs: dict[str, str]) -> None:
    zone = pairs.get("tz", "")
    stamp = clock.local(f"{pairs.get('date', '')}T{pairs.get('time', '')}{zone}") if "date" in pairs else None
    ecs.put(event, "@timestamp", stamp or clock.epoch(pairs.get("eventtime", "")))


def _kind(event: Event, pairs: dict[str, str], kind: str) -> None:
    action = pairs.get("action", "").lower()
    ecs.put(event, "network.transport", ecs.transport(pairs.get("proto")))
    ecs.put(event, "source.bytes", ecs.as_int(pairs.get("sentbyte", "")))
    ecs.put(event, "destination.bytes", ecs.as_int(pairs.get("rcvdbyte", "")))
    if kind == "traffic":
        put_verdict(event, action not in _BLOCKED)
    elif kind == "utm":
        event["event.category"] = ["intrusion_detection", "network"]
        event["event.type"] = ["denied" if action in _BLOCKED else "info"]
    elif action == "login" or "login" in pairs.get("logdesc", "").lower():
        failed = pairs.get("status", "").lower() in ("failed", "failure") or "failed" in pairs.get("logdesc", "").lower()
        event["event.category"], event["event.type"] = ["authentication"], ["start"]
        event["event.outcome"] = "failure" if failed else "success"
        ecs.put_ip(event, "source", pairs.get("srcip") or pairs.get("ui", "").partition("(")[2].rstrip(")"))
    elif "cfgpath" in pairs:
        event["event.category"] = ["configuration"]
        event["event.type"] = [{"add": "creation", "delete": "deletion"}.get(action, "change")]
    else:
        event["event.category"], event["event.type"] = ["host"], ["info"]
