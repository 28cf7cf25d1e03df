"""Which events a logsource covers, and under which keys a rule's fields are found there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from detectors.sigma.logsource import LogSource, load_routes
from tests.detectors.sigma.sigma_rules import engine_of, rule

SYSMON = "Microsoft-Windows-Sysmon/Operational"

CASES: list[tuple[str, dict[str, str], dict[str, Any], dict[str, Any], bool]] = [
    (
        "process creation, Sysmon",
        {"product": "windows", "category": "process_creation"},
        {"Image|endswith": "\\cmd.exe"},
        {"winlog.channel": SYSMON, "event.code": "1", "winlog.event_data.Image": "C:\\cmd.exe"},
        True,
    ),
    (
        "process creation, other Sysmon event",
        {"product": "windows", "category": "process_creation"},
        {"Image|endswith": "\\cmd.exe"},
        {"winlog.channel": SYSMON, "event.code": "7", "winlog.event_data.Image": "C:\\cmd.exe"},
        False,
    ),
    (
        "process creation, number of another channel",
        {"product": "windows", "category": "process_creation"},
        {"Image|endswith": "\\cmd.exe"},
        {"winlog.channel": "Application", "event.code": "1", "winlog.event_data.Image": "C:\\cmd.exe"},
        False,
    ),
    (
        "process creation, 4688",
        {"product": "windows", "category": "process_creation"},
        {"Image|endswith": "\\cmd.exe", "User": "LAB\\eve"},
        {
            "winlog.channel": "Security",
            "event.code": "4688",
            "winlog.event_data.NewProcessName": "C:\\cmd.exe",
            "winlog.event_data.SubjectDomainName": "LAB",
            "winlog.event_data.SubjectUserName": "eve",
        },
        True,
    ),
    (
        "registry set, 4657",
        {"product": "windows", "category": "registry_set"},
        {"TargetObject": "HKLM\\SYSTEM\\CurrentControlSet\\Services\\x\\Start", "Details": "4"},
        {
            "winlog.channel": "Security",
            "event.code": "4657",
            "winlog.event_data.ObjectName": "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\x",
            "winlog.event_data.ObjectValueName": "Start",
            "winlog.event_data.OperationType": "%%1905",
            "winlog.event_data.NewValue": "4",
        },
        True,
    ),
    (
        "registry delete is no 4657 change",
        {"product": "windows", "category": "registry_delete"},
        {"TargetObject|endswith": "Start"},
        {
            "winlog.channel": "Security",
            "event.code": "4657",
            "winlog.event_data.ObjectName": "\\REGISTRY\\USER\\S-1-5-21",
            "winlog.event_data.ObjectValueName": "Start",
            "winlog.event_data.OperationType": "%%1905",
        },
        False,
    ),
    (
        "network connection, 5156",
        {"product": "windows", "category": "network_connection"},
        {"Initiated": "true", "DestinationIp|cidr": "fe80::/10", "DestinationPort": 88, "Protocol": "tcp"},
        {
            "winlog.channel": "Security",
            "event.code": "5156",
            "winlog.event_data.Direction": "%%14593",
            "winlog.event_data.DestAddress": "fe80::1",
            "winlog.event_data.DestPort": 88,
            "winlog.event_data.Protocol": 6,
        },
        True,
    ),
    (
        "service, channel in any case",
        {"product": "windows", "service": "security"},
        {"EventID": 4624, "Provider_Name": "P"},
        {"winlog.channel": "security", "event.code": 4624, "winlog.provider_name": "p"},
        True,
    ),
    (
        "product alone is every channel",
        {"product": "windows"},
        {"Name": "x"},
        {"winlog.channel": "Whatever/Admin", "event.code": "3", "winlog.event_data.Name": "x"},
        True,
    ),
    (
        "unknown category is no channel",
        {"product": "windows", "category": "no_such_category"},
        {"Name": "x"},
        {"winlog.channel": "Security", "event.code": "3", "winlog.event_data.Name": "x"},
        False,
    ),
    (
        "unknown service is no channel",
        {"product": "windows", "service": "no-such-service"},
        {"Name": "x"},
        {"winlog.channel": "Security", "event.code": "3", "winlog.event_data.Name": "x"},
        False,
    ),
    (
        "an ECS name is used as it is",
        {"product": "windows", "service": "security"},
        {"source.ip|cidr": "10.0.0.0/8"},
        {"winlog.channel": "Security", "event.code": "4624", "source.ip": "10.1.1.1"},
        True,
    ),
    (
        "Linux Sysmon",
        {"product": "linux", "category": "process_creation"},
        {"CommandLine|contains": "/etc/shadow"},
        {"event.dataset": "linux.sysmon", "event.code": "1", "winlog.event_data.CommandLine": "cat /etc/shadow"},
        True,
    ),
    (
        "Linux Sysmon with its channel is not Windows",
        {"product": "windows", "category": "process_creation"},
        {"CommandLine|contains": "/etc/shadow"},
        {
            "event.dataset": "linux.sysmon",
            "winlog.channel": "Linux-Sysmon/Operational",
            "event.code": "1",
            "winlog.event_data.CommandLine": "cat /etc/shadow",
        },
        False,
    ),
    (
        "Linux auditd as process creation",
        {"product": "linux", "category": "process_creation"},
        {"CommandLine|contains": "/etc/shadow", "Image|endswith": "/cat"},
        {"event.dataset": "linux.auditd", "process.command_line": "cat /etc/shadow", "process.executable": "/usr/bin/cat"},
        True,
    ),
    (
        "auditd fields",
        {"product": "linux", "service": "auditd"},
        {"type": "EXECVE", "a0": "chattr"},
        {"event.dataset": "linux.auditd", "auditd.type": "EXECVE", "auditd.a0": "chattr"},
        True,
    ),
    (
        "sshd",
        {"product": "linux", "service": "sshd"},
        {"message|contains": "bad"},
        {"event.dataset": "linux.auth", "process.name": "sshd", "message": "bad"},
        True,
    ),
    (
        "sshd only",
        {"product": "linux", "service": "sshd"},
        {"message|contains": "bad"},
        {"event.dataset": "linux.auth", "process.name": "su", "message": "bad"},
        False,
    ),
    (
        "web",
        {"category": "webserver"},
        {"cs-uri-query|contains": "../", "sc-status": 200},
        {"event.dataset": "web.access", "url.original": "/a?x=../b", "http.response.status_code": 200},
        True,
    ),
    (
        "proxy",
        {"category": "proxy"},
        {"c-useragent|contains": "curl"},
        {"event.dataset": "proxy.access", "user_agent.original": "curl/8"},
        True,
    ),
    (
        "proxy is not web",
        {"category": "proxy"},
        {"c-useragent|contains": "curl"},
        {"event.dataset": "web.access", "user_agent.original": "curl/8"},
        False,
    ),
    (
        "dns",
        {"category": "dns"},
        {"query|endswith": ".onion"},
        {"event.dataset": "dns.query", "dns.question.name": "x.onion"},
        True,
    ),
    (
        "dns of Suricata",
        {"category": "dns"},
        {"query|endswith": ".onion"},
        {"event.dataset": "suricata.dns", "suricata.eve.dns.rrname": "x.onion"},
        True,
    ),
    (
        "firewall",
        {"category": "firewall"},
        {"dst_port": 4444},
        {"event.dataset": "firewall.traffic", "destination.port": 4444},
        True,
    ),
    (
        "CloudTrail",
        {"product": "aws", "service": "cloudtrail"},
        {"eventName": "StopLogging"},
        {"event.dataset": "aws.cloudtrail", "aws.cloudtrail.eventName": "StopLogging"},
        True,
    ),
    (
        "CloudTrail, deep",
        {"product": "aws", "service": "cloudtrail"},
        {"userIdentity.type": "Root"},
        {"event.dataset": "aws.cloudtrail", "aws.cloudtrail.userIdentity.type": "Root"},
        True,
    ),
    (
        "Zeek",
        {"product": "zeek", "service": "http"},
        {"user_agent": "evil"},
        {"event.dataset": "zeek.http", "zeek.http.user_agent": "evil"},
        True,
    ),
    (
        "Okta",
        {"product": "okta", "service": "okta"},
        {"eventType": "user.lock"},
        {"event.dataset": "okta.system", "okta.eventType": "user.lock"},
        True,
    ),
    (
        "our own",
        {"product": "liandun", "service": "audit"},
        {"event.action": "delete"},
        {"event.dataset": "liandun.audit", "event.action": "delete"},
        True,
    ),
    (
        "our own, other service",
        {"product": "liandun", "service": "audit"},
        {"event.action": "delete"},
        {"event.dataset": "liandun.login", "event.action": "delete"},
        False,
    ),
    (
        "Modbus",
        {"category": "ot", "service": "modbus"},
        {"function": 5},
        {"event.dataset": "ot.modbus", "ot.modbus.function": 5},
        True,
    ),
    (
        "unknown product by its name",
        {"product": "acme", "service": "vpn"},
        {"user": "eve"},
        {"event.dataset": "acme.vpn", "acme.vpn.user": "eve"},
        True,
    ),
]


@pytest.mark.parametrize(
    ("logsource", "selection", "fields", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_routing(
    tmp_path: Path, logsource: dict[str, str], selection: dict[str, Any], fields: dict[str, Any], expected: bool
) -> None:
    engine = engine_of(tmp_path, rule({"s": selection, "condition": "s"}, logsource=logsource))
    assert not engine.failures
    event = {"@timestamp": "2026-11-23T04:40:00.000000Z", **fields}
    assert bool(engine.match(event)) is expected


def test_a_rule_that_no_mapping_covers_says_so(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, rule({"s": {"a": "b"}, "condition": "s"}, logsource={"product": "windows", "service": "nope"}))
    assert [info.routed for info in engine.rules] == [False]
    assert engine.counters["rules_without_route"] == 1


def test_category_narrowed_by_a_service() -> None:
    routes = load_routes().of(LogSource("windows", "process_creation", "sysmon"))
    assert [(route.channel, sorted(route.event_ids)) for route in routes] == [(SYSMON.lower(), [1])]


def test_a_field_that_no_event_has_does_not_stop_a_rule(tmp_path: Path) -> None:
    detection = {"s": {"Image|endswith": "\\cmd.exe"}, "f": {"NoSuchField": "x"}, "condition": "s and not f"}
    engine = engine_of(tmp_path, rule(detection, logsource={"product": "windows", "category": "process_creation"}))
    assert engine.match({"winlog.channel": SYSMON, "event.code": "1", "winlog.event_data.Image": "C:\\cmd.exe"})
