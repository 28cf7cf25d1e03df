"""ArcSight Common Event Format and LEEF → ECS (CEF Implementation Standard, version 25/26; IBM LEEF 1.0/2.0)."""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_CEF = re.compile(r"(?:CEF:\s?)?(\d)\|((?:(?:\\.|[^\\|])*\|){6})(.*)$", re.DOTALL)
_LEEF = re.compile(r"LEEF:(1\.0|2\.0)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|(?:(0?x[0-9A-Fa-f]{1,4}|[^|\w\s]?)\|)?(.*)$", re.DOTALL)
_KEY = re.compile(r"(?:^|\s)([A-Za-z0-9_.\[\]]+)=")
_SEVERITIES: Final = {"low": 3, "medium": 6, "high": 8, "very-high": 10, "unknown": 0}
_IPS: Final = {
    "src": "source",
    "dst": "destination",
    "c6a2": "source",
    "c6a3": "destination",
    "sourceTranslatedAddress": "source.nat",
}
_PORTS: Final = {"spt": "source.port", "dpt": "destination.port", "srcPort": "source.port", "dstPort": "destination.port"}
_TEXTS: Final = {
    "act": "event.action",
    "msg": "message",
    "reason": "event.reason",
    "outcome": "event.outcome",
    "suser": "user.name",
    "usrName": "user.name",
    "duser": "destination.user.name",
    "shost": "source.domain",
    "dhost": "destination.domain",
    "dvchost": "observer.hostname",
    "app": "network.protocol",
    "request": "url.original",
    "requestMethod": "http.request.method",
    "requestClientApplication": "user_agent.original",
    "fname": "file.name",
    "filePath": "file.path",
    "sproc": "process.name",
    "deviceInboundInterface": "observer.ingress.interface.name",
    "deviceOutboundInterface": "observer.egress.interface.name",
    "cat": "rule.category",
}


def looks_like(text: str) -> bool:
    """True for CEF (also with its ``CEF:`` eaten by a tag parser) and LEEF."""
    return text.startswith(("CEF:", "LEEF:")) or (text[:2] in ("0|", "1|") and text.count("|") >= 7)


def fill(event: Event, message: Message) -> bool:
    """Fill the event from CEF or LEEF; False if the text is neither."""
    cef = _CEF.match(message.text)
    if cef is not None:
        heads = [_unescape(head) for head in re.split(r"(?<!\\)\|", cef[2])[:6]]
        vendor, product, _, signature, name, severity = heads
        pairs = _extension(cef[3])
    else:
        leef = _LEEF.match(message.text)
        if leef is None:
            return False
        vendor, product, signature = leef[2], leef[3], leef[5]
        name, severity = signature, ""
        separator = _delimiter(leef[6]) if leef[1] == "2.0" else "\t"
        pairs = {key: value for key, found, value in (part.partition("=") for part in leef[7].split(separator)) if found}
        severity = pairs.get("sev", "")
    event["event.dataset"] = "cef.log"
    event["event.module"] = "cef"
    ecs.put(event, "observer.vendor", vendor)
    ecs.put(event, "observer.product", product)
    ecs.put(event, "event.code", signature)
    ecs.put(event, "rule.id", signature)
    ecs.put(event, "rule.name", name)
    ecs.put(event, "event.severity", _SEVERITIES.get(severity.lower(), ecs.as_int(severity)))
    _fields(event, pairs)
    if "source.ip" in event and "destination.ip" in event:
        event["event.category"], event["event.type"] = ["network"], ["connection"]
    else:
        event["event.category"], event["event.type"] = ["host"], ["info"]
    ecs.network_type(event)
    return True


def _fields(event: Event, pairs: dict[str, str]) -> None:
    for key, value in pairs.items():
        ecs.put(event, f"cef.{key}", value)
        if key in _IPS:
            ecs.put_ip(event, _IPS[key], value)
        elif key in _PORTS:
            ecs.put_port(event, _PORTS[key], value)
        elif key in _TEXTS:
            ecs.put(event, _TEXTS[key], value)
        elif key == "proto":
            ecs.put(event, "network.transport", ecs.transport(value))
        elif key in ("rt", "end", "devTime"):
            ecs.put(event, "@timestamp", clock.epoch(value) or clock.local(value) or clock.bsd(value, 0))
    outcome = str(event.get("event.outcome", "")).lower()
    if outcome:
        event["event.outcome"] = "success" if outcome.startswith("succ") else "failure" if outcome.startswith("fail") else "unknown"


def _extension(text: str) -> dict[str, str]:
    """``key=value key=value``: a value runs to the blank before the next ``key=``; ``\\=`` and ``\\n`` are escapes."""
    marks = [mark for mark in _KEY.finditer(text) if text[mark.end() - 2] != "\\"]
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return {mark[1]: _unescape(text[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=False)}


def _unescape(text: str) -> str:
    return re.sub(r"\\([\\|=nr])", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), text)


def _delimiter(text: str | None) -> str:
    if not text:
        return "\t"
    return chr(int(text.lower().rpartition("x")[2], 16)) if "x" in text.lower() else text
