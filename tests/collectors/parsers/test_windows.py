# ruff: noqa: E501 - tables of raw log lines
"""Windows events → ECS, on real records."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evtx import PyEvtxParser

from collectors.parsers import PARSERS
from collectors.parsers.windows_xml import to_object
from kernel.errors import ParseError
from kernel.event import Event, conform
from kernel.record import RawRecord

RECEIVED = 1_795_400_000_000_000
CREATION = {
    "EventID": 4688,
    "Channel": "Security",
    "SourceName": "Microsoft-Windows-Security-Auditing",
    "Hostname": "ws5.example",
    "TimeCreated": "2022-08-04T07:50:47.424Z",
    "Keywords": "0x8020000000000000",
    "SubjectUserName": "WS5$",
    "SubjectDomainName": "EXAMPLE",
    "SubjectUserSid": "S-1-5-18",
    "NewProcessId": "0x133c",
    "NewProcessName": "C:\\Windows\\System32\\cmd.exe",
    "ProcessId": "0x31c",
    "ParentProcessName": "C:\\Windows\\System32\\svchost.exe",
    "CommandLine": "cmd /c whoami",
}


def parse(raw: bytes | dict[str, Any], kind: str = "json") -> Event:
    body = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    counters: dict[str, int] = {}
    event = conform(PARSERS[kind](RawRecord("test", kind, RECEIVED, "test", body))[0], RECEIVED, counters)
    assert "type_mismatch" not in counters
    return event


def real_events(shared: Path, name: str) -> Iterator[dict[str, Any]]:
    archive = zipfile.ZipFile(shared / "corpora" / "security-datasets" / f"{name}.zip")
    for member in archive.namelist():
        if not member.startswith("__MACOSX"):
            yield from map(json.loads, filter(bytes.strip, archive.open(member)))


def test_process_creation_4688() -> None:
    event = parse(CREATION)
    expected = {
        "@timestamp": "2022-08-04T07:50:47.424000Z",
        "event.dataset": "windows.security",
        "event.code": "4688",
        "event.category": ["process"],
        "event.type": ["start"],
        "event.outcome": "success",
        "host.name": "ws5.example",
        "process.executable": "C:\\Windows\\System32\\cmd.exe",
        "process.name": "cmd.exe",
        "process.pid": 0x133C,
        "process.command_line": "cmd /c whoami",
        "process.parent.name": "svchost.exe",
        "process.parent.pid": 0x31C,
        "user.name": "WS5$",
        "user.domain": "EXAMPLE",
        "user.id": "S-1-5-18",
        "winlog.event_data.NewProcessId": "0x133c",
        "related.user": ["WS5$"],
    }
    assert {field: event.get(field) for field in expected} == expected


def test_same_event_in_four_shapes() -> None:
    data = {name: value for name, value in CREATION.items() if name[0].isupper() and name not in ("EventID", "Channel", "SourceName", "Hostname", "TimeCreated", "Keywords")}  # fmt: skip
    time = CREATION["TimeCreated"]
    tree = {
        "Event": {
            "System": {
                "Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing"}},
                "EventID": 4688,
                "Keywords": "0x8020000000000000",
                "TimeCreated": {"#attributes": {"SystemTime": time}},
                "Channel": "Security",
                "Computer": "ws5.example",
            },
            "EventData": data,
        }
    }
    winlog = {"channel": "Security", "event_id": "4688", "provider_name": "Microsoft-Windows-Security-Auditing", "computer_name": "ws5.example", "event_data": data}  # fmt: skip
    dotted = {"@timestamp": time, **{f"winlog.{k}": v for k, v in winlog.items() if k != "event_data"}, **{f"winlog.event_data.{k}": v for k, v in data.items()}}  # fmt: skip
    told = [parse(shape) for shape in (CREATION, tree, {"@timestamp": time, "winlog": winlog}, dotted)]
    compared = ("@timestamp", "event.dataset", "event.code", "host.name", "process.name", "process.pid", "process.command_line", "user.name", "process.parent.pid")  # fmt: skip
    assert [[event.get(field) for field in compared] for event in told] == [[told[0].get(field) for field in compared]] * 4


@pytest.mark.parametrize(
    ("code", "extra", "expected"),
    [
        (4624, {"TargetUserName": "ann", "TargetDomainName": "D", "IpAddress": "::ffff:192.0.2.7", "IpPort": "50000", "WorkstationName": "WS1"},
         {"event.outcome": "success", "user.name": "ann", "source.ip": "192.0.2.7", "source.port": 50000, "source.domain": "WS1"}),
        (4625, {"TargetUserName": "ann", "IpAddress": "2001:db8::7", "Status": "0xc000006d", "SubStatus": "0xc0000064"},
         {"event.outcome": "failure", "source.ip": "2001:db8::7", "network.type": "ipv6", "event.reason": "0xc0000064"}),
        (4648, {"SubjectUserName": "ann", "TargetUserName": "root", "TargetServerName": "srv9"},
         {"user.name": "ann", "user.target.name": "root", "destination.domain": "srv9"}),
        (4657, {"SubjectUserName": "ann", "ObjectName": "\\REGISTRY\\MACHINE\\SOFTWARE\\Run", "ObjectValueName": "evil", "NewValue": "c:\\x.exe"},
         {"registry.path": "\\REGISTRY\\MACHINE\\SOFTWARE\\Run\\evil", "registry.hive": "HKEY_LOCAL_MACHINE", "registry.key": "SOFTWARE\\Run",
          "registry.value": "evil", "registry.data.strings": ["c:\\x.exe"]}),
        (4663, {"SubjectUserName": "ann", "ObjectType": "File", "ObjectName": "C:\\secret\\plan.docx"},
         {"event.category": ["file"], "file.path": "C:\\secret\\plan.docx", "file.name": "plan.docx", "file.extension": "docx"}),
        (4698, {"SubjectUserName": "ann", "TaskName": "\\Updater"}, {"event.action": "scheduled-task-created", "service.name": "\\Updater"}),
        (4720, {"SubjectUserName": "ann", "TargetUserName": "mole"}, {"user.target.name": "mole", "event.type": ["creation"]}),
        (4732, {"SubjectUserName": "ann", "TargetUserName": "Administrators", "MemberName": "CN=Mole,OU=X"},
         {"group.name": "Administrators", "user.target.name": "Mole"}),
        (4769, {"TargetUserName": "ann@D", "ServiceName": "krbtgt", "IpAddress": "::ffff:10.0.0.4", "Status": "0x1b"},
         {"event.outcome": "failure", "service.name": "krbtgt", "source.ip": "10.0.0.4"}),
        (4776, {"TargetUserName": "ann", "Workstation": "WS1", "Status": "0x0"}, {"event.outcome": "success", "source.domain": "WS1"}),
        (5145, {"SubjectUserName": "ann", "IpAddress": "10.0.0.4", "IpPort": "49800", "RelativeTargetName": "svcctl"},
         {"file.name": "svcctl", "source.ip": "10.0.0.4", "source.port": 49800}),
        (5156, {"Application": "\\device\\x\\plink.exe", "ProcessID": "77", "Direction": "%%14593", "SourceAddress": "10.0.0.4",
                "SourcePort": "50000", "DestAddress": "203.0.113.9", "DestPort": "443", "Protocol": "6"},
         {"process.name": "plink.exe", "process.pid": 77, "network.direction": "egress", "destination.port": 443, "network.transport": "tcp"}),
        (1102, {"SubjectUserName": "ann", "SubjectDomainName": "D"}, {"event.action": "audit-log-cleared", "user.name": "ann"}),
    ],
)  # fmt: skip
def test_security_events(code: int, extra: dict[str, str], expected: dict[str, Any]) -> None:
    event = parse({"EventID": code, "Channel": "Security", "TimeCreated": "2026-11-22T08:00:00Z", **extra})
    assert {field: event.get(field) for field in expected} == expected
    assert all(event[f"winlog.event_data.{name}"] == value for name, value in extra.items())


@pytest.mark.parametrize(
    ("channel", "code", "extra", "expected"),
    [
        ("System", 7045, {"ServiceName": "psx", "ImagePath": "%COMSPEC% /c x", "AccountName": "LocalSystem"},
         {"event.action": "service-installed", "service.name": "psx", "process.command_line": "%COMSPEC% /c x", "event.dataset": "windows.system"}),
        ("Microsoft-Windows-PowerShell/Operational", 4104, {"ScriptBlockText": "iex $x", "MessageNumber": 1, "Path": "C:\\a.ps1"},
         {"event.dataset": "windows.powershell", "powershell.file.script_block_text": "iex $x", "file.name": "a.ps1"}),
        ("Microsoft-Windows-PowerShell/Operational", 4103, {"ContextInfo": "  Severity = Info\n  Host Application = powershell -enc AA\n  User = D\\ann\n"},
         {"process.command_line": "powershell -enc AA", "user.name": "ann", "user.domain": "D"}),
        ("Microsoft-Windows-Sysmon/Operational", 3, {"Image": "C:\\p\\nc.exe", "Protocol": "tcp", "Initiated": "true", "SourceIp": "10.0.0.1",
         "SourcePort": 5, "DestinationIp": "fe80::1", "DestinationPort": 4444},
         {"process.name": "nc.exe", "network.direction": "egress", "destination.ip": "fe80::1", "destination.port": 4444}),
        ("Microsoft-Windows-Sysmon/Operational", 10, {"SourceImage": "C:\\m.exe", "SourceProcessId": 7, "TargetImage": "C:\\Windows\\lsass.exe"},
         {"event.action": "process-accessed", "process.name": "m.exe", "process.pid": 7, "winlog.event_data.TargetImage": "C:\\Windows\\lsass.exe"}),
        ("Microsoft-Windows-Sysmon/Operational", 13, {"Image": "C:\\r.exe", "EventType": "SetValue", "TargetObject": "HKLM\\SW\\Run\\x", "Details": "y"},
         {"registry.hive": "HKEY_LOCAL_MACHINE", "registry.key": "SW\\Run", "registry.value": "x", "registry.data.strings": ["y"]}),
        ("Microsoft-Windows-Sysmon/Operational", 22, {"QueryName": "c2.example", "QueryStatus": "0", "QueryResults": "type:  5 c.example;::ffff:192.0.2.1;"},
         {"dns.question.name": "c2.example", "dns.resolved_ip": ["192.0.2.1"], "dns.response_code": "NOERROR"}),
    ],
)  # fmt: skip
def test_other_channels(channel: str, code: int, extra: dict[str, Any], expected: dict[str, Any]) -> None:
    event = parse({"EventID": code, "Channel": channel, "TimeCreated": "2026-11-22T08:00:00Z", **extra})
    assert {field: event.get(field) for field in expected} == expected


def test_real_sysmon_creations_agree_with_their_originals(shared: Path) -> None:
    seen = 0
    for raw in real_events(shared, "psh_cmstp_execution_bypassuac"):
        if raw.get("EventID") == 1 and "Sysmon" in str(raw.get("Channel")):
            event = parse(raw)
            assert event["process.command_line"] == raw["CommandLine"]
            assert event["process.pid"] == int(raw["ProcessId"])
            assert event["process.name"].lower() == raw["Image"].lower().split("\\")[-1]
            assert event["process.hash.sha256"].upper() in raw["Hashes"].upper()
            assert event["process.parent.executable"] == raw["ParentImage"]
            seen += 1
    assert seen > 0


def test_every_real_dataset_is_understood(shared: Path) -> None:
    datasets: Counter[str] = Counter()
    for archive in sorted((shared / "corpora" / "security-datasets").glob("cmd_*.zip")):
        for raw in real_events(shared, archive.stem):
            event = parse(raw)
            datasets[event["event.dataset"]] += 1
            assert event["host.name"]
    assert datasets["windows.sysmon"] > 1000
    assert "generic.json" not in datasets


def test_evtx_records(shared: Path) -> None:
    file = shared / "corpora" / "evtx" / "sysmon_1_exec_via_sql_xpcmdshell.evtx"
    record = next(iter(PyEvtxParser(io.BytesIO(file.read_bytes())).records_json()))
    event = parse(record["data"].encode(), "evtx")
    assert event["event.dataset"] == "windows.sysmon"
    assert event["process.parent.name"] == "sqlservr.exe"
    assert event["user.name"] == "sqlsvc"
    assert event["process.pe.imphash"] == "272245e2988e1e430500b852c4fb5e18"
    assert event["winlog.record_id"] == "56509"
    assert event["event.original"] == record["data"]


def test_sysmon_for_linux_in_syslog_and_in_log_analytics(shared: Path) -> None:
    events = [parse(raw) for raw in real_events(shared, "syslog_sysmon_log4shell_cve2021_44228_jndi_reference")]
    assert {event["event.dataset"] for event in events} == {"linux.sysmon"}
    assert {event["host.os.type"] for event in events} == {"linux"}
    assert any("jndi" in event.get("event.original", "").lower() for event in events)
    creation = next(event for event in events if event["event.code"] == "1")
    assert creation["process.executable"].startswith("/")


def test_damaged_xml_is_salvaged() -> None:
    cut = '<Event><System><Provider Name="Linux-Sysmon"/><EventID>1</EventID><Channel>Linux-Sysmon/Operational</Channel></System><EventData><Data Name="Image">&lt unknown &gt</Data><Data Name="CommandLine">java -Dx'  # fmt: skip
    tree = to_object(cut)["Event"]
    assert tree["System"]["EventID"] == "1"
    assert tree["EventData"] == {"Image": "< unknown >", "CommandLine": "java -Dx"}


@pytest.mark.parametrize("text", ["<Event>", "<Event><System></System>", '<!DOCTYPE x [<!ENTITY a "b">]><Event/>'])
def test_hopeless_xml_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        to_object(text)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"nonsense", b'{"Event":{}}', b'{"Event":{"System":{"EventID":"x"}}}'])
def test_evtx_parser_refuses_what_is_no_record(raw: bytes) -> None:
    with pytest.raises(ParseError, match="test"):
        PARSERS["evtx"](RawRecord("test", "evtx", RECEIVED, "test", raw, "s", 3))
