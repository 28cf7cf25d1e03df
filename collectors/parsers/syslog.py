"""Syslog messages → ECS: the header by RFC 3164/5424, the text by the program or vendor that wrote it.

What no reader knows stays whole in ``message`` under dataset ``linux.syslog``; nothing is refused except an empty record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
import orjson

from collectors.parsers import (
    antivirus,
    auditd,
    cef,
    cisco,
    dns_server,
    firewall,
    fortinet,
    h3c,
    huawei,
    json_records,
    juniper,
    linux_auth,
    qianxin,
    security_devices,
    server_logins,
    sshd,
    topsec,
    web_access,
    windows_xml,
)
from collectors.parsers import fields as ecs
from collectors.parsers.pam import parse_pam
from collectors.parsers.syslog_header import FACILITIES, SEVERITIES, Message, split
from collectors.parsers.text import decode, where
from kernel.errors import ParseError
from kernel.event import Event
from kernel.record import RawRecord

READ_LIMIT: Final = 8_192
"""Characters of a message that program and vendor readers look at; ``message`` and ``event.original`` keep all of it."""
_WEB_SERVERS: Final = frozenset({"nginx", "httpd", "apache", "apache2", "squid", "caddy", "haproxy", "iis"})
_VENDOR_TEXTS: Final[list[tuple[str, Callable[[Event, Message], bool]]]] = [
    # mark in the text, reader that says whether it took it
    ("%%01", huawei.fill),
    ("%%10", h3c.fill),
    ("id=tos", topsec.fill),
    ("POLICY:", firewall.dptech),
    ("identity=", security_devices.bastion),
    (qianxin.MARK, qianxin.fill),
    ("client ", dns_server.fill),
]


def parse(record: RawRecord) -> list[Event]:
    """One syslog message; raises ParseError for an empty one."""
    text = decode(record.raw).strip("\r\n\0 \ufeff")
    if not text:
        raise ParseError(f"empty syslog message at {where(record)}")
    message = split(text, record.received)
    payload = json_payload(message.text)
    if payload is not None:
        return json_payload_events(message, payload, text)
    event: Event = {"event.kind": "event", "event.dataset": "linux.syslog", "event.original": text, "message": message.text}
    put_header(event, message)
    _dispatch(event, message)
    return [ecs.relate(event)]


def put_header(event: Event, message: Message) -> None:
    """Fields that the header gives, where the event has none yet."""
    ecs.put(event, "@timestamp", message.time())
    ecs.put(event, "host.name", message.host)
    if message.priority is not None:
        facility, severity = divmod(message.priority, 8)
        event["log.syslog.priority"] = message.priority
        event["log.syslog.facility.code"], event["log.syslog.facility.name"] = facility, FACILITIES[facility]
        event["log.syslog.severity.code"], event["log.syslog.severity.name"] = severity, SEVERITIES[severity]
        event["log.level"] = SEVERITIES[severity]
    ecs.put(event, "log.syslog.hostname", message.host)
    ecs.put(event, "log.syslog.appname", message.app)
    ecs.put(event, "log.syslog.procid", message.procid)
    ecs.put(event, "log.syslog.msgid", message.msgid)
    ecs.put(event, "log.syslog.version", message.version)
    ecs.put(event, "process.name", message.app)
    if message.procid.isdigit() and len(message.procid) < 12:
        event["process.pid"] = int(message.procid)
    for element, parameters in message.structured.items():
        for name, value in parameters.items():
            event[f"log.syslog.structured_data.{element}.{name}"] = value


def json_payload(text: str) -> dict[str, Any] | None:
    """The JSON object that the text is, or None."""
    if not text.startswith("{"):
        text = text.removeprefix("@cee:").lstrip(": ")
        if not text.startswith("{"):
            return None
    try:
        payload = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return payload if isinstance(payload, dict) else None


def json_payload_events(message: Message, payload: dict[str, Any], original: str) -> list[Event]:
    """Events of a JSON object carried in syslog; what the object itself says wins over the header."""
    if str(payload.get("dt", "")).startswith("VENUS_"):
        event: Event = {"event.kind": "alert", "event.original": original}
        put_header(event, message)
        security_devices.venustech(event, payload)
        return [ecs.relate(event)]
    events = json_records.to_events(payload, original)
    for event in events:
        header: Event = {}
        put_header(header, message)
        for field, value in header.items():
            event.setdefault(field, value)
    return events


def _dispatch(event: Event, message: Message) -> None:
    program, text = ecs.split_windows_path(message.app).lower(), message.text
    if windows_xml.looks_like(text):
        _xml(event, text)
        return
    if len(text) > READ_LIMIT:
        text = text[:READ_LIMIT]
        message = msgspec.structs.replace(message, text=text)
    if program in sshd.PROGRAMS:
        sshd.parse_sshd(event, message)
    elif program in linux_auth.PROGRAMS:
        linux_auth.PROGRAMS[program](event, message)
    elif program in _WEB_SERVERS and web_access.fill(event, text):
        # before all that looks into the text: a client can send the marks of every other format in its request
        web_access.put_server(event, program)
    elif program == "fwlog" or text.startswith("日志类型"):
        security_devices.sangfor(event, message)
    elif cef.looks_like(text) or program in ("cef", "leef"):
        cef.fill(event, message)
    elif program in antivirus.PROGRAMS:
        antivirus.clamav(event, message)
    elif firewall.looks_like_netfilter(text):
        firewall.netfilter(event, message)
    elif _audit(event, program, text) or _vendor(event, message) or _device(event, message):
        return
    elif program == "filterlog":
        firewall.filterlog(event, message)
    elif program in dns_server.PROGRAMS:
        dns_server.fill(event, message)
    elif "HTTP/" in text and web_access.fill(event, text):
        web_access.put_server(event, program)
    elif not server_logins.fill(event, message):
        _pam(event, message)


def _vendor(event: Event, message: Message) -> bool:
    return any(mark in message.text and fill(event, message) for mark, fill in _VENDOR_TEXTS)


def _device(event: Event, message: Message) -> bool:
    if fortinet.looks_like(message.text):
        return fortinet.fill(event, message)
    if juniper.looks_like(message):
        return juniper.fill(event, message)
    return "%" in event["event.original"][:200] and cisco.fill(event, message)


def _audit(event: Event, program: str, text: str) -> bool:
    if program not in ("auditd", "audispd", "audisp-syslog", "kernel", "audit", "tag_audit_log") and "audit(" not in text[:60]:
        return False
    line = text.partition("audit: ")[2] if "audit: type=" in text else text.partition("] ")[2] if text.startswith("[") else text
    return auditd.fill(event, line)


def _xml(event: Event, text: str) -> None:
    try:
        told = json_records.to_events(windows_xml.to_object(text), event["event.original"])[0]
    except ParseError as error:
        event["error.message"] = error.message
        return
    event.update(told)


def _pam(event: Event, message: Message) -> None:
    if parse_pam(event, message.text):
        event["event.dataset"] = "linux.auth"
