"""H3C Comware devices → ECS.

Shape: ``%%10MODULE/SEVERITY/DIGEST: -Chassis=1-Slot=3.1; Key(1003)=value;…`` (H3C, "System Log Messages Reference").
The number behind a key names it whatever the spelling, so fields are read by number. Some firmware sends GBK text.
"""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.firewall import put_verdict
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_LOG = re.compile(r"%%10([\w-]+)/(\d)/([\w-]+)(?:\(\w\))?\s*:\s*(.*)$", re.DOTALL)
_PAIR = re.compile(r"(?<!\w)([A-Za-z]\w*+)\((\d{4})\)=([^;]*)(?:;|$)")
_LOCATION = re.compile(r"-(\w++)=([\w.*]+)")
_SAYS = re.compile(r"(?:^|;\s*)(\S+) (?:从|from) (?:IP ?地址 ?)?\(?([0-9A-Fa-f:.]+[0-9A-Fa-f])\)?\s*(.*)$")
_LOGGED = re.compile(r"(?<!\S)(\S++) (?:failed to log in|logged in|logged out) from ([0-9A-Fa-f:.]+[0-9A-Fa-f])")
_COMPACT = re.compile(r"\d{14}$")

_ADDRESSES: Final = {
    1003: "source",
    1036: "source",
    1007: "destination",
    1037: "destination",
    1005: "source.nat",
    1009: "destination.nat",
}
_PORTS: Final = {1004: "source.port", 1008: "destination.port", 1006: "source.nat.port", 1010: "destination.nat.port"}
_TEXTS: Final = {
    1002: "network.application",
    1025: "observer.ingress.zone",
    1035: "observer.egress.zone",
    1072: "rule.name",
    1078: "rule.id",
    1113: "user.name",
    1081: "rule.name",
}
_TIMES: Final = {1011: "event.start", 1012: "event.end", 1013: "event.start", 1014: "event.end"}
_PROTOCOL, _SOURCE_MAC, _DESTINATION_MAC, _ACTION, _VERDICT = 1001, 1021, 1022, 1053, 1048
_ALLOWED: Final = frozenset({"permit", "pass", "accept"})
_DENIED: Final = frozenset({"deny", "drop", "discard", "block", "reject", "reset"})
_INTRUSION_MODULES: Final = frozenset({"ATK", "IPS", "AV", "ANTI-VIR", "WAF", "DDOS", "IPREPUTATION", "BLS"})


def fill(event: Event, message: Message) -> bool:
    """Fill the event from a Comware log; False if the text is something else."""
    match = _LOG.search(message.text)
    if match is None:
        return False
    module, severity, digest, text = match.groups()
    event["event.dataset"] = "h3c.comware"
    event["event.module"] = "h3c"
    event["observer.vendor"] = "H3C"
    event["observer.product"] = "Comware"
    event["event.provider"] = module
    event["event.code"] = digest
    event["event.severity"] = int(severity)
    event["event.action"] = digest.lower()
    event["message"] = text
    ecs.put(event, "observer.hostname", message.host)
    for name, value in _LOCATION.findall(text.split(";", 1)[0]) if text.startswith("-") else ():
        event[f"h3c.{name}"] = value
    _parameters(event, text)
    _kind(event, module.upper(), digest.upper(), text)
    ecs.network_type(event)
    return True


def _parameters(event: Event, text: str) -> None:
    for name, number, value in _PAIR.findall(text):
        code, value = int(number), value.strip().removesuffix(".") if number == "1054" else value.strip()
        if value:
            event[f"h3c.{name}"] = value
        if code in _ADDRESSES:
            ecs.put_ip(event, _ADDRESSES[code], value)
        elif code in _PORTS:
            ecs.put_port(event, _PORTS[code], value)
        elif code in _TEXTS:
            ecs.put(event, _TEXTS[code], value)
        elif code in _TIMES:
            ecs.put(event, _TIMES[code], _time(value))
        elif code == _PROTOCOL:
            ecs.put(event, "network.transport", ecs.transport(value))
        elif code == _SOURCE_MAC:
            ecs.put(event, "source.mac", ecs.mac(value))
        elif code == _DESTINATION_MAC:
            ecs.put(event, "destination.mac", ecs.mac(value))
        elif code in (_ACTION, _VERDICT):
            event["event.action"] = value.lower()


def _kind(event: Event, module: str, digest: str, text: str) -> None:
    action = event["event.action"]
    if module in _INTRUSION_MODULES:
        event["event.category"] = ["intrusion_detection"]
        event["event.type"] = ["denied"] if action in _DENIED else ["info"]
    elif module in ("FILTER", "ASPF", "NAT", "SESSION", "PFILTER", "ACL"):
        event["observer.type"] = "firewall"
        put_verdict(event, True if action in _ALLOWED else False if action in _DENIED else None)
    elif "LOGIN" in digest or "LOGOUT" in digest or "AUTH" in digest:
        _login(event, digest, text)
    elif "CMD" in digest or module in ("CFGMAN", "SHELL") or "CFG" in digest:
        event["event.category"], event["event.type"] = ["configuration"], ["change"]
    else:
        event["event.category"], event["event.type"] = ["host"], ["info"]


def _login(event: Event, digest: str, text: str) -> None:
    """``admin 从 192.0.2.1 登录`` and ``admin logged in from 192.0.2.1``."""
    event["event.category"] = ["authentication"]
    event["event.type"] = ["end" if "LOGOUT" in digest else "start"]
    failed = "FAIL" in digest or "失败" in text or "failed" in text
    event["event.outcome"] = "failure" if failed else "success"
    said = _SAYS.search(text) or _LOGGED.search(text)
    if said is not None:
        ecs.put(event, "user.name", said[1])
        ecs.put_ip(event, "source", said[2])


def _time(value: str) -> str | None:
    if _COMPACT.match(value):
        return clock.local(f"{value[:4]}-{value[4:6]}-{value[6:8]} {value[8:10]}:{value[10:12]}:{value[12:14]}")
    return clock.epoch(value)
