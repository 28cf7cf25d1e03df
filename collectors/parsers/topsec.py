"""Topsec (天融信) TOS firewalls → ECS: ``id=tos time="…" fw=NAME pri=6 type=ac src=… dst=… …``."""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.firewall import put_verdict
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_START = re.compile(r"(?:^|\s)id=tos\s")
_PAIR = re.compile(r"(?<!\w)([A-Za-z_]\w*+)=(\"[^\"]*\"|\S*)")
_ALLOWED: Final = frozenset({"accept", "permit", "pass", "allow"})


def fill(event: Event, message: Message) -> bool:
    """Fill the event from a TOS line; False if the text is something else."""
    match = _START.search(message.text)
    if match is None:
        return False
    pairs = {name: value.strip('"') for name, value in _PAIR.findall(message.text, match.start())}
    kind = pairs.get("type", "")
    event["event.dataset"] = "topsec.tos"
    event["event.module"] = "topsec"
    event["observer.vendor"], event["observer.product"], event["observer.type"] = "Topsec", "TOS", "firewall"
    ecs.put(event, "observer.name", pairs.get("fw"))
    ecs.put(event, "@timestamp", clock.local(pairs.get("time", "")) or message.time())
    ecs.put(event, "event.severity", ecs.as_int(pairs.get("pri", "")))
    ecs.put_ip(event, "source", pairs.get("src"))
    ecs.put_ip(event, "destination", pairs.get("dst"))
    ecs.put_port(event, "source.port", pairs.get("sport"))
    ecs.put_port(event, "destination.port", pairs.get("dport"))
    ecs.put(event, "source.mac", ecs.mac(pairs.get("smac", "")))
    ecs.put(event, "destination.mac", ecs.mac(pairs.get("dmac", "")))
    ecs.put(event, "network.transport", ecs.transport(pairs.get("proto", "")))
    ecs.put(event, "observer.ingress.interface.name", pairs.get("indev"))
    ecs.put(event, "observer.egress.interface.name", pairs.get("outdev"))
    ecs.put(event, "user.name", pairs.get("user"))
    for name, value in pairs.items():
        ecs.put(event, f"topsec.{name}", value)
    if kind == "mgmt":
        event["event.category"], event["event.type"] = ["configuration"], ["change"]
        event["event.outcome"] = "success" if pairs.get("result") == "0" else "failure"
        ecs.put(event, "event.action", pairs.get("op"))
    elif kind in ("ips", "av", "ids", "waf"):
        event["event.category"], event["event.type"] = ["intrusion_detection"], ["info"]
        ecs.put(event, "message", pairs.get("msg"))
    elif "src" not in pairs or "dst" not in pairs:
        event["event.category"], event["event.type"] = ["host"], ["info"]
        ecs.put(event, "message", pairs.get("msg"))
    else:
        allowed = pairs.get("rule", "").lower() in _ALLOWED
        event["event.dataset"] = "firewall.traffic"
        event["event.action"] = "permit" if allowed else "deny"
        put_verdict(event, allowed)
    ecs.network_type(event)
    return True
