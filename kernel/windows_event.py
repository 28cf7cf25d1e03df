"""One Windows event-log record, whatever tool wrote its JSON.

Shapes met in the field (the first that fits decides):

1. the EVTX tree (``Event.System`` / ``EventData`` / ``UserData``; attributes under ``#attributes``, ``X_attributes`` or ``@X``),
2. Winlogbeat and ECS (``winlog``: ``event_id``, ``event_data``, …),
3. flat (NXLog, OTRF Security Datasets, Zircolite: ``Channel``, ``EventID`` and the fields side by side),
4. Winlogbeat with dotted names (``winlog.event_id``, ``winlog.event_data.*``),
5. old Winlogbeat (``log_name``, ``event_id``, ``event_data``),
6. any of these under ``_source`` (exported from Elasticsearch).

Names of the event's own fields lose their spaces (Defender writes ``Threat Name``, Sigma rules say ``ThreatName``); an empty
element (JSON null) becomes ``""``, because the event format cannot tell them apart; a name met twice becomes a list.
Layout of the tree: https://learn.microsoft.com/windows/win32/wes/eventschema-schema
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from kernel.event import Event, parse_timestamp, timestamp_from_micros


class WindowsEvent(msgspec.Struct):
    """A Windows event.

    channel    e.g. ``Microsoft-Windows-Sysmon/Operational`` (as written), "" for saved ETW traces
    event_id   e.g. 4688
    provider   e.g. ``Microsoft-Windows-Security-Auditing``, or ""
    computer   name of the host that wrote it, or ""
    record_id  number within the channel, -1 where unknown
    time       ``@timestamp`` text (see kernel.event), "" where the record has none that can be read
    data       EventData and UserData, flattened: name → str, int, float, bool or a list of these
    system     the System element as it was found
    """

    channel: str
    event_id: int
    provider: str
    computer: str
    record_id: int
    time: str
    data: dict[str, Any]
    system: dict[str, Any]


def read_windows_event(obj: dict[str, Any]) -> WindowsEvent | None:
    """The Windows event in a decoded JSON object, or None where it is none (no event number)."""
    tree = obj.get("Event")
    if isinstance(tree, dict) and isinstance(tree.get("System"), dict):
        return _from_tree(tree, tree["System"])
    if "winlog" in obj:
        return _from_winlogbeat(obj)
    if "Channel" in obj and "EventID" in obj:
        return _from_flat(obj)
    if "winlog.event_id" in obj or "winlog.channel" in obj:
        return _from_winlogbeat(obj)
    if "log_name" in obj and "event_id" in obj:
        return _from_old_winlogbeat(obj)
    source = obj.get("_source")  # exported from Elasticsearch
    return read_windows_event(source) if isinstance(source, dict) and "_source" not in source else None


def _from_tree(tree: dict[str, Any], system: dict[str, Any]) -> WindowsEvent | None:
    data: dict[str, Any] = {}
    for part in ("EventData", "UserData"):
        element = tree.get(part)
        if isinstance(element, dict):
            _flatten(element, data, part == "UserData")
        elif element not in (None, ""):
            _put(data, "Data", element)
    return _build(
        system.get("Channel"),
        system.get("EventID"),
        provider_of(system),
        system.get("Computer"),
        system.get("EventRecordID"),
        (_attribute(system, "TimeCreated", "SystemTime"),),
        data,
        system,
    )


def _from_winlogbeat(obj: dict[str, Any]) -> WindowsEvent | None:
    winlog: dict[str, Any] = {}
    data: dict[str, Any] = {}
    nested = obj.get("winlog")
    if isinstance(nested, dict):
        for name, value in nested.items():
            _sort_winlog(name, value, winlog, data)
    for name, value in obj.items():
        if name.startswith("winlog."):
            _sort_winlog(name[7:], value, winlog, data)
    event_id = winlog.get("event_id")
    if event_id is None:
        event = obj.get("event")
        event_id = obj.get("event.code", event.get("code") if isinstance(event, dict) else None)
    message = obj.get("message")
    if isinstance(message, str) and message:
        data.setdefault("Message", message)
    return _build(
        winlog.get("channel"),
        event_id,
        winlog.get("provider_name"),
        winlog.get("computer_name"),
        winlog.get("record_id"),
        (obj.get("@timestamp"),),
        data,
        winlog,
    )


def _sort_winlog(name: str, value: Any, winlog: dict[str, Any], data: dict[str, Any]) -> None:
    if name in ("event_data", "user_data") and isinstance(value, dict):
        for inner, inner_value in value.items():
            _put_any(data, inner, inner_value)
    elif name.startswith(("event_data.", "user_data.")):
        _put_any(data, name.split(".", 1)[1], value)
    else:
        winlog[name] = value


def _from_old_winlogbeat(obj: dict[str, Any]) -> WindowsEvent | None:
    data: dict[str, Any] = {}
    for part in ("event_data", "user_data"):
        element = obj.get(part)
        if isinstance(element, dict):
            for name, value in element.items():
                _put_any(data, name, value)
    if isinstance(obj.get("message"), str) and obj["message"]:
        data.setdefault("Message", obj["message"])
    system = {name: value for name, value in obj.items() if name not in ("event_data", "user_data", "message")}
    return _build(
        obj["log_name"],
        obj["event_id"],
        obj.get("source_name"),
        obj.get("computer_name"),
        obj.get("record_number"),
        (obj.get("@timestamp"),),
        data,
        system,
    )


PLAIN_CHANNELS: frozenset[str] = frozenset(
    {
        "security",
        "microsoft-windows-sysmon/operational",
        "microsoft-windows-powershell/operational",
        "powershellcore/operational",
        "windows powershell",
    }
)
"""Channels (small letters) whose providers write no spaces into names; elsewhere the spaces are taken out."""


def windows_fields(event: WindowsEvent) -> Event:
    """The Windows part of the ECS event: envelope and ``winlog.event_data.*``. Rules are matched on these names."""
    fields: Event = {
        "event.code": str(event.event_id),
        "winlog.channel": event.channel,
        "winlog.event_id": str(event.event_id),
    }
    if event.time:
        fields["@timestamp"] = event.time
    if event.provider:
        fields["winlog.provider_name"] = event.provider
    if event.computer:
        fields["winlog.computer_name"] = event.computer
    if event.record_id >= 0:
        fields["winlog.record_id"] = event.record_id
    for name, key in (("Level", "winlog.level"), ("Task", "winlog.task")):
        value = event.system.get(name, event.system.get(name.lower()))
        if isinstance(value, (str, int)):
            fields[key] = str(value)
    for name, value in event.data.items():
        fields["winlog.event_data." + name] = value
    return fields


FLAT_SYSTEM: frozenset[str] = frozenset(
    {
        "EventID",
        "Channel",
        "Provider_Name",
        "SourceName",
        "Computer",
        "Hostname",
        "EventRecordID",
        "RecordNumber",
        "SystemTime",
        "Level",
        "Task",
        "TimeCreated",
        "EventTime",
        "EventReceivedTime",
        "@timestamp",
        "@version",
        "host",
        "port",
        "tags",
        "ProviderGuid",
        "Provider_Guid",
        "SourceModuleName",
        "SourceModuleType",
        "EventTypeOrignal",
        "OpcodeValue",
        "SeverityValue",
        "ExecutionProcessID",
        "ThreadID",
        "Version",
        "Keywords",
        "Opcode",
        "Correlation",
        "xmlns",
    }
)
"""Names that the flat shapes use for the System element and for the transport; everything else is the event's own."""


def _from_flat(obj: dict[str, Any]) -> WindowsEvent | None:
    data: dict[str, Any] = {}
    system: dict[str, Any] = {}
    for name, value in obj.items():
        if name in FLAT_SYSTEM:
            system[name] = value
        else:
            _put_any(data, name, value)
    return _build(
        obj["Channel"],
        obj["EventID"],
        obj.get("Provider_Name") or obj.get("SourceName"),
        obj.get("Computer") or obj.get("Hostname"),
        obj.get("EventRecordID", obj.get("RecordNumber")),
        # NXLog's EventTime is local time without a zone, so it comes last
        (obj.get("SystemTime"), obj.get("TimeCreated"), obj.get("UtcTime"), obj.get("@timestamp"), obj.get("EventTime")),
        data,
        system,
    )


def _build(
    channel: Any,
    event_id: Any,
    provider: Any,
    computer: Any,
    record_id: Any,
    times: tuple[Any, ...],
    data: dict[str, Any],
    system: dict[str, Any],
) -> WindowsEvent | None:
    number = _number(event_id)
    if number is None:
        return None
    record = _number(record_id)
    channel = channel if isinstance(channel, str) else ""  # ETW traces saved as EVTX have none
    if channel.lower() not in PLAIN_CHANNELS and any(" " in name for name in data):
        spaced, data = data, {}
        for name, value in spaced.items():
            _put(data, name.replace(" ", ""), value)
    return WindowsEvent(
        channel,
        number,
        provider if isinstance(provider, str) else "",
        computer if isinstance(computer, str) else "",
        -1 if record is None else record,
        next((text for text in map(_time, times) if text), ""),
        data,
        system,
    )


def _attribute(system: dict[str, Any], element: str, name: str) -> Any:
    """Attribute ``name`` of a System child in the three spellings that converters use."""
    apart = system.get(f"{element}_attributes")
    if isinstance(apart, dict):
        return apart.get(name)
    node = system.get(element)
    if not isinstance(node, dict):
        return node
    attributes = node.get("#attributes")
    if isinstance(attributes, dict):
        return attributes.get(name)
    return node.get(f"@{name}", node.get(name))


def provider_of(system: dict[str, Any]) -> Any:
    """Provider name in a System element of the EVTX tree."""
    return _attribute(system, "Provider", "Name")


def _number(value: Any) -> int | None:
    if isinstance(value, dict):  # <EventID Qualifiers="16384">18454</EventID>
        value = value.get("#text", value.get("Value"))
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        return int(value)
    return None


_POWERSHELL_DATE = re.compile(r"/Date\((-?\d{1,14})\)/")  # ConvertTo-Json of Windows PowerShell 5: milliseconds since 1970


def _time(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    match = _POWERSHELL_DATE.fullmatch(value)
    if match is None:
        return parse_timestamp(value)
    try:
        return timestamp_from_micros(int(match[1]) * 1000)
    except OverflowError:
        return None


def _flatten(element: dict[str, Any], data: dict[str, Any], user_data: bool) -> None:
    """EventData's children by name; UserData's one level deeper, because its first level only names the provider's template."""
    for name, value in element.items():
        if name.startswith(("#attributes", "@")) or name.endswith("_attributes"):
            continue
        if user_data and isinstance(value, dict) and "#text" not in value:
            _flatten(value, data, False)
        elif name == "Data" and isinstance(value, list) and any(isinstance(one, dict) for one in value):
            for one in value:
                _put_named(data, one)
        else:
            _put_any(data, name, value)


def _put_named(data: dict[str, Any], node: Any) -> None:
    """A ``<Data Name="X">v</Data>`` that a converter left as an object."""
    if not isinstance(node, dict):
        _put(data, "Data", node)
        return
    attributes = node.get("#attributes")
    name = attributes.get("Name") if isinstance(attributes, dict) else node.get("@Name", node.get("Name"))
    _put(data, name if isinstance(name, str) else "Data", node.get("#text", node.get("content", "")))


def _put_any(data: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, dict):
        if "#text" in value:
            _put(data, name, value["#text"])
            return
        for inner, inner_value in value.items():
            if inner != "#attributes":
                _put_any(data, f"{name}.{inner}", inner_value)
        return
    _put(data, name, value)


def _put(data: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        value = ""
    elif isinstance(value, list):
        value = [_scalar(one) for one in value if one is not None]
    elif not isinstance(value, (str, int, float)):
        value = _scalar(value)
    if name in data:
        held = data[name]
        value = [*(held if isinstance(held, list) else [held]), *(value if isinstance(value, list) else [value])]
    data[name] = value


def _scalar(value: Any) -> Any:
    if isinstance(value, (str, int, float)):
        return value
    return msgspec.json.encode(value).decode()
