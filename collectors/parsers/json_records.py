"""One JSON object → ECS, whatever wrote it: the shape decides which reader takes it.

Order matters: the first shape whose marks are present wins; an object that none knows becomes ``generic.json`` with its own field
names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from collectors.parsers import (
    audit_products,
    clock,
    cloud,
    cloudtrail,
    ecs_json,
    kubernetes,
    safeline,
    web_json,
    windows,
    windows_xml,
    zeek,
)
from collectors.parsers import fields as ecs
from collectors.parsers.suricata_eve import parse_eve
from collectors.parsers.text import decode, where
from kernel.errors import ParseError
from kernel.event import Event, parse_timestamp
from kernel.record import RawRecord
from kernel.windows_event import read_windows_event

Reader = Callable[[dict[str, Any], str], list[Event]]

_TIME_KEYS: Final = (
    "@timestamp", "timestamp", "time", "ts", "eventTime", "event_time", "TimeGenerated", "datetime", "date", "created_at",
    "createdDateTime", "published", "CreationTime", "Timestamp", "TimeCreated",
)  # fmt: skip
MAX_DEPTH = 64
"""Deeper objects are refused: no log is that deep, and an attacker's may be."""


def parse(record: RawRecord) -> list[Event]:
    """Events of one JSON object; raises ParseError for what is not one."""
    raw = record.raw.strip(b" \r\n\t\0").removeprefix(b"\xef\xbb\xbf")
    if not raw:
        raise ParseError(f"empty JSON record at {where(record)}")
    try:
        obj = orjson.loads(raw)
        text = raw.decode()
    except (orjson.JSONDecodeError, UnicodeDecodeError):
        text = decode(raw)
        try:
            obj = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"not JSON at {where(record)}: {error.msg} (column {error.colno})") from error
    if not isinstance(obj, dict):
        raise ParseError(f"not a JSON object at {where(record)}: {type(obj).__name__}")
    return to_events(obj, text)


def to_events(obj: dict[str, Any], original: str) -> list[Event]:
    """Events of a decoded object; ``original`` is its text as received."""
    if _depth_exceeds(obj, MAX_DEPTH):
        raise ParseError(f"JSON nested deeper than {MAX_DEPTH} levels")
    for fits, read in _SHAPES:
        if fits(obj):
            events = read(obj, original)
            if events:
                return events
    return [_generic(obj, original)]


def _depth_exceeds(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        level = [
            child
            for one in level
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, (dict, list)) and child
        ]
        if not level:
            return False
    return True


def _windows(obj: dict[str, Any], original: str) -> list[Event]:
    event = read_windows_event(obj)
    return [windows.to_ecs(event, original)] if event is not None else []


def _is_windows(obj: Mapping[str, Any]) -> bool:
    return any(key in obj for key in ("EventID", "winlog", "Event", "winlog.event_id", "winlog.channel", "log_name", "_source"))


def _is_eve(obj: Mapping[str, Any]) -> bool:
    kind = obj.get("event_type")
    return isinstance(kind, str) and kind.islower() and "timestamp" in obj and ("flow_id" in obj or "src_ip" in obj or kind in obj)


def _eve(obj: dict[str, Any], original: str) -> list[Event]:
    event = parse_eve(obj)
    event["event.original"] = original
    return [event]


def _records(obj: dict[str, Any], original: str) -> list[Event]:
    """``{"Records": […]}``: one event per record (CloudTrail files)."""
    events: list[Event] = []
    for record in obj["Records"]:
        if not isinstance(record, dict):
            raise ParseError("Records holds something that is not an object")
        events.extend(to_events(record, orjson.dumps(record).decode()))
    return events


def _docker(obj: dict[str, Any], original: str) -> list[Event]:
    """Docker's json-file driver wraps a line of the container's output."""
    inner = obj["log"].strip()
    event: Event = {"event.kind": "event", "event.dataset": "linux.syslog", "event.original": original, "message": inner}
    ecs.put(event, "@timestamp", parse_timestamp(str(obj["time"])))
    ecs.put(event, "container.log.stream", obj.get("stream"))
    web_json.web_line(event, inner)
    return [ecs.relate(event)]


def _azure_syslog(obj: dict[str, Any], original: str) -> list[Event]:
    """Log Analytics ``Syslog`` table: the message may carry Sysmon-for-Linux XML or an audit record."""
    text = str(obj["SyslogMessage"])
    if windows_xml.looks_like(text):
        event_object = windows_xml.to_object(text)
        events = _windows(event_object, original)
    else:
        event: Event = {"event.kind": "event", "event.dataset": "linux.syslog", "event.original": original, "message": text}
        web_json.audit_line(event, text)
        events = [event]
    for event in events:
        event.setdefault("@timestamp", clock.local(str(obj.get("EventTime") or obj.get("TimeGenerated") or "")))
        for field, key in (("host.name", "HostName"), ("process.name", "ProcessName"), ("log.syslog.facility.name", "Facility")):
            if field not in event:
                ecs.put(event, field, obj.get(key))
        if isinstance(obj.get("HostIP"), str) and ecs.clean_ip(obj["HostIP"]):
            event["host.ip"] = obj["HostIP"]
        if event["@timestamp"] is None:
            del event["@timestamp"]
        ecs.relate(event)
    return events


def _generic(obj: dict[str, Any], original: str) -> Event:
    """Unknown shape: its fields under their own names."""
    event: Event = {}
    ecs.flatten(obj, "", event)
    if "@timestamp" in event and not isinstance(event["@timestamp"], str):
        event["labels.claimed_timestamp"] = str(event.pop("@timestamp"))
    stamp = next((found for key in _TIME_KEYS if (found := _moment(obj.get(key)))), None)
    ecs.put(event, "@timestamp", stamp)
    event["event.original"] = original
    event.setdefault("event.kind", "event")
    event.setdefault("event.dataset", "generic.json")
    return event


def _moment(value: Any) -> str | None:
    if isinstance(value, str):
        return clock.local(value) or (clock.epoch(value) if value[:9].isdigit() else None)
    return clock.epoch(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 1e8 else None


_SHAPES: Final[list[tuple[Callable[[dict[str, Any]], Any], Reader]]] = [
    (_is_windows, _windows),
    (_is_eve, _eve),
    (lambda obj: isinstance(obj.get("Records"), list), _records),
    (cloudtrail.fits, cloudtrail.read),
    (lambda obj: "SyslogMessage" in obj, _azure_syslog),
    (kubernetes.fits, kubernetes.read),
    (zeek.fits, zeek.read),
    (cloud.fits_aliyun, cloud.read_aliyun),
    (cloud.fits_huawei, cloud.read_huawei),
    (cloud.fits_azure, cloud.read_azure),
    (cloud.fits_okta, cloud.read_okta),
    (audit_products.fits, audit_products.read),
    (safeline.fits, safeline.read),
    (web_json.fits, web_json.read),
    (lambda obj: isinstance(obj.get("log"), str) and isinstance(obj.get("time"), str), _docker),
    (ecs_json.fits, ecs_json.read),
]
