"""Sysmon events → ECS (Sysmon manifest, schema 4.90: https://learn.microsoft.com/sysinternals/downloads/sysmon#events).

Linux Sysmon writes the same events with the same field names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collectors.parsers import fields as ecs
from kernel.event import Event

Fill = Callable[[Event, Mapping[str, Any]], None]


def process(event: Event, data: Mapping[str, Any]) -> None:
    """The process that acts (events 1 … 26)."""
    ecs.put(event, "process.entity_id", _guid(data.get("ProcessGuid") or data.get("ProcessGUID")))
    ecs.put(event, "process.pid", ecs.as_int(data.get("ProcessId")))
    _image(event, "process", data.get("Image"))
    ecs.put_account(event, "user", data.get("User"))


def created(event: Event, data: Mapping[str, Any]) -> None:
    """Event 1: process creation with its parent, hashes and version resource."""
    process(event, data)
    ecs.put(event, "process.command_line", data.get("CommandLine"))
    ecs.put(event, "process.working_directory", data.get("CurrentDirectory"))
    ecs.put(event, "process.parent.command_line", data.get("ParentCommandLine"))
    ecs.put(event, "process.parent.entity_id", _guid(data.get("ParentProcessGuid")))
    ecs.put(event, "process.parent.pid", ecs.as_int(data.get("ParentProcessId")))
    _image(event, "process.parent", data.get("ParentImage"))
    hashes(event, "process", data.get("Hashes"))
    _version_resource(event, "process", data)


def network(event: Event, data: Mapping[str, Any]) -> None:
    """Event 3: network connection."""
    process(event, data)
    ecs.put_ip(event, "source", data.get("SourceIp"))
    ecs.put_ip(event, "destination", data.get("DestinationIp"))
    ecs.put_port(event, "source.port", data.get("SourcePort"))
    ecs.put_port(event, "destination.port", data.get("DestinationPort"))
    ecs.put(event, "source.domain", data.get("SourceHostname"))
    ecs.put(event, "destination.domain", data.get("DestinationHostname"))
    ecs.put(event, "network.transport", ecs.transport(data.get("Protocol")))
    initiated = str(data.get("Initiated", "")).lower()
    if initiated in ("true", "false"):
        event["network.direction"] = "egress" if initiated == "true" else "ingress"
    ecs.network_type(event)


def driver(event: Event, data: Mapping[str, Any]) -> None:
    """Event 6: driver loaded."""
    ecs.put_file(event, data.get("ImageLoaded"))
    hashes(event, "file", data.get("Hashes"))
    _signature(event, "file", data)


def image(event: Event, data: Mapping[str, Any]) -> None:
    """Event 7: image (DLL) loaded."""
    process(event, data)
    path = data.get("ImageLoaded")
    if isinstance(path, str) and path not in ecs.ABSENT:
        event["dll.path"] = path
        event["dll.name"] = ecs.split_windows_path(path)
        ecs.put_file(event, path)
    hashes(event, "dll", data.get("Hashes"))
    _version_resource(event, "dll", data)
    _signature(event, "dll", data)


def source_process(event: Event, data: Mapping[str, Any]) -> None:
    """Events 8 and 10: one process reaches into another; the actor is ``process``, the other stays in ``winlog.event_data``."""
    ecs.put(event, "process.entity_id", _guid(data.get("SourceProcessGuid") or data.get("SourceProcessGUID")))
    ecs.put(event, "process.pid", ecs.as_int(data.get("SourceProcessId")))
    ecs.put(event, "process.thread.id", ecs.as_int(data.get("SourceThreadId")))
    _image(event, "process", data.get("SourceImage"))
    ecs.put_account(event, "user", data.get("SourceUser"))


def file(event: Event, data: Mapping[str, Any]) -> None:
    """Events 2, 9, 11, 15, 23, 26 … 29: a file was made, changed, read raw or deleted."""
    process(event, data)
    ecs.put_file(event, data.get("TargetFilename") or data.get("Device"))
    hashes(event, "file", data.get("Hashes") or data.get("Hash"))


def registry(event: Event, data: Mapping[str, Any]) -> None:
    """Events 12, 13, 14: registry key or value made, deleted, set, renamed."""
    process(event, data)
    put_registry(event, data.get("TargetObject"), value_named=data.get("EventType") not in ("CreateKey", "DeleteKey", "RenameKey"))
    details = data.get("Details")
    if isinstance(details, str) and details:
        event["registry.data.strings"] = [details]


def pipe(event: Event, data: Mapping[str, Any]) -> None:
    """Events 17, 18: named pipe made, connected."""
    process(event, data)
    ecs.put(event, "file.name", data.get("PipeName"))


def wmi(event: Event, data: Mapping[str, Any]) -> None:
    """Events 19, 20, 21: WMI filter, consumer, binding."""
    ecs.put_account(event, "user", data.get("User"))
    ecs.put(event, "process.command_line", data.get("Destination"))


def dns(event: Event, data: Mapping[str, Any]) -> None:
    """Event 22: DNS query with its answers (``type:  5 name;::ffff:192.0.2.1;``)."""
    process(event, data)
    ecs.put(event, "dns.question.name", data.get("QueryName"))
    status = data.get("QueryStatus")
    if status is not None:
        event["dns.response_code"] = "NOERROR" if str(status) == "0" else str(status)
    answers = (ecs.clean_ip(part) for part in str(data.get("QueryResults") or "").split(";"))
    addresses = [answer for answer in answers if answer]
    if addresses:
        event["dns.resolved_ip"] = addresses
    event["network.protocol"] = "dns"


def tampering(event: Event, data: Mapping[str, Any]) -> None:
    """Event 25: process image changed (herpaderping, hollowing)."""
    process(event, data)
    ecs.put(event, "message", data.get("Type"))


SYSMON: dict[int, tuple[str, str, str, Fill]] = {
    1: ("process", "start", "process-created", created),
    2: ("file", "change", "file-creation-time-changed", file),
    3: ("network", "connection", "network-connection", network),
    4: ("configuration", "change", "sysmon-service-state-changed", process),
    5: ("process", "end", "process-terminated", process),
    6: ("driver", "start", "driver-loaded", driver),
    7: ("library", "start", "image-loaded", image),
    8: ("process", "access", "remote-thread-created", source_process),
    9: ("file", "access", "raw-access-read", file),
    10: ("process", "access", "process-accessed", source_process),
    11: ("file", "creation", "file-created", file),
    12: ("registry", "change", "registry-key-or-value-changed", registry),
    13: ("registry", "change", "registry-value-set", registry),
    14: ("registry", "change", "registry-renamed", registry),
    15: ("file", "access", "file-stream-created", file),
    16: ("configuration", "change", "sysmon-config-changed", process),
    17: ("file", "creation", "pipe-created", pipe),
    18: ("file", "access", "pipe-connected", pipe),
    19: ("configuration", "creation", "wmi-filter", wmi),
    20: ("configuration", "creation", "wmi-consumer", wmi),
    21: ("configuration", "creation", "wmi-binding", wmi),
    22: ("network", "protocol", "dns-query", dns),
    23: ("file", "deletion", "file-deleted-archived", file),
    24: ("host", "info", "clipboard-changed", process),
    25: ("process", "change", "process-tampering", tampering),
    26: ("file", "deletion", "file-deleted", file),
    27: ("file", "creation", "file-blocked-executable", file),
    28: ("file", "deletion", "file-blocked-shredding", file),
    29: ("file", "creation", "file-executable-detected", file),
    255: ("host", "error", "sysmon-error", process),
}
"""Event id → ``event.category``, ``event.type``, ``event.action``, what fills the rest."""

_HIVES = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKU": "HKEY_USERS",
    "HKCU": "HKEY_CURRENT_USER",
    "HKCR": "HKEY_CLASSES_ROOT",
    "\\REGISTRY\\MACHINE": "HKEY_LOCAL_MACHINE",
    "\\REGISTRY\\USER": "HKEY_USERS",
}


def put_registry(event: Event, path: Any, *, value_named: bool) -> None:
    """``registry.*`` of a full path; ``value_named`` says whether its last part is a value."""
    if not isinstance(path, str) or path in ecs.ABSENT:
        return
    event["registry.path"] = path
    for short in _HIVES:
        if path.upper().startswith(short + "\\") or path.upper() == short:
            event["registry.hive"] = _HIVES[short]
            path = path[len(short) + 1 :]
            break
    key, _, value = path.rpartition("\\") if value_named else (path, "", "")
    ecs.put(event, "registry.key", key)
    ecs.put(event, "registry.value", value)


def hashes(event: Event, owner: str, text: Any) -> None:
    """``SHA1=…,MD5=…,SHA256=…,IMPHASH=…`` → ``<owner>.hash.*`` (lower case) and ``<owner>.pe.imphash``."""
    if not isinstance(text, str):
        return
    for part in text.split(","):
        kind, _, value = part.strip().partition("=")
        kind, value = kind.lower(), value.lower()
        if kind == "imphash":
            if value.strip("0"):
                event[f"{owner}.pe.imphash"] = value
        elif kind in ("md5", "sha1", "sha256") and value:
            event[f"{owner}.hash.{kind}"] = value


def _image(event: Event, owner: str, path: Any) -> None:
    if isinstance(path, str) and path not in ecs.ABSENT:
        event[f"{owner}.executable"] = path
        event[f"{owner}.name"] = ecs.split_windows_path(path)


def _version_resource(event: Event, owner: str, data: Mapping[str, Any]) -> None:
    for name, field in (("OriginalFileName", "original_file_name"), ("Company", "company"), ("Description", "description")):
        ecs.put(event, f"{owner}.pe.{field}", data.get(name))
    ecs.put(event, f"{owner}.pe.product", data.get("Product"))


def _signature(event: Event, owner: str, data: Mapping[str, Any]) -> None:
    signed = str(data.get("Signed", "")).lower()
    if signed in ("true", "false"):
        event[f"{owner}.code_signature.exists"] = signed == "true"
    ecs.put(event, f"{owner}.code_signature.subject_name", data.get("Signature"))
    ecs.put(event, f"{owner}.code_signature.status", data.get("SignatureStatus"))


def _guid(value: Any) -> Any:
    return f"{{{value.strip('{}')}}}" if isinstance(value, str) and value not in ecs.ABSENT else None
