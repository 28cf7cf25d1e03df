# ruff: noqa: E501 - tables of raw log lines
"""Cisco, FortiGate, Junos, ClamAV and audit logs of products that are known by their marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.parsers import PARSERS
from kernel.event import Event, conform
from kernel.record import RawRecord

RECEIVED = 1_795_400_000_000_000


def parse(raw: str, form: str = "syslog") -> Event:
    return conform(PARSERS[form](RawRecord("test", form, RECEIVED, "test", raw.encode()))[0], RECEIVED, {})


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "IOS command": (
        "<189>22191: core1: 022546: Nov 22 08:00:00.123: %PARSER-5-CFGLOG_LOGGEDCMD: User:bob  logged command:no logging host 10.0.0.9",
        {"event.dataset": "cisco.ios", "host.name": "core1", "user.name": "bob", "process.command_line": "no logging host 10.0.0.9", "event.code": "CFGLOG_LOGGEDCMD", "event.severity": 5, "event.category": ["configuration"], "process.name": None, "@timestamp": "2026-11-22T08:00:00.123000Z"},
    ),
    "IOS access list": (
        "<190>Nov 22 08:00:00 core1 6340004: %SEC-6-IPACCESSLOGP: list INET-BLOCK denied tcp 192.0.2.252(55244) -> 10.54.3.178(44818), 1 packet",
        {"event.dataset": "cisco.ios", "source.ip": "192.0.2.252", "source.port": 55244, "destination.ip": "10.54.3.178", "destination.port": 44818, "event.type": ["connection", "denied"], "rule.name": "INET-BLOCK", "host.name": "core1"},
    ),
    "IOS login": (
        "<188>Nov 22 08:00:00 core1 : %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: eve] [Source: 2001:db8::7] [localport: 22] [Reason: Login Authentication Failed]",
        {"user.name": "eve", "source.ip": "2001:db8::7", "event.outcome": "failure", "event.category": ["authentication"], "network.type": "ipv6"},
    ),
    "ASA denies": (
        '<164>Nov 22 08:00:00 asa1 : %ASA-4-106023: Deny tcp src outside:192.0.2.9/4000 dst inside:10.0.0.5/22 by access-group "OUT" [0x0, 0x0]',
        {"event.dataset": "cisco.asa", "source.ip": "192.0.2.9", "destination.port": 22, "network.transport": "tcp", "firewall.action": "deny", "observer.type": "firewall"},
    ),
    "FortiGate traffic": (
        '<189>date=2026-11-22 time=08:00:00 devname="FG1" devid="FG100" logid="0000000013" type="traffic" subtype="forward" tz="+0800" srcip=2001:db8::5 srcport=50000 dstip=2001:db8::9 dstport=443 proto=6 action="deny" policyid=0 sentbyte=60 rcvdbyte=0',
        {"event.dataset": "fortinet.traffic", "host.name": "FG1", "source.ip": "2001:db8::5", "destination.port": 443, "network.transport": "tcp", "network.type": "ipv6", "event.type": ["connection", "denied"], "source.bytes": 60, "@timestamp": "2026-11-22T00:00:00.000000Z"},
    ),
    "FortiGate login": (
        '<185>date=2026-11-22 time=08:00:00 devname="FG1" devid="FG100" logid="0100032002" type="event" subtype="system" level="alert" logdesc="Admin login failed" user="admin" ui="ssh(192.0.2.9)" action="login" status="failed" msg="Administrator admin login failed"',
        {"event.dataset": "fortinet.event", "user.name": "admin", "source.ip": "192.0.2.9", "event.outcome": "failure", "event.category": ["authentication"]},
    ),
    "Junos session": (
        "<14>Nov 22 08:00:00 srx1 RT_FLOW: RT_FLOW_SESSION_DENY: session denied 192.0.2.9/4000->10.0.0.5/22 junos-ssh 6(0) P1 INTERNET TRUST",
        {"event.dataset": "juniper.junos", "source.ip": "192.0.2.9", "destination.port": 22, "event.type": ["connection", "denied"], "host.name": "srx1"},
    ),
    "Junos session, structured": (
        '<14>1 2026-11-22T08:00:00Z srx1 RT_FLOW - RT_FLOW_SESSION_CREATE [junos@2636.1.1.1.2.39 source-address="10.0.0.5" source-port="50000" destination-address="192.0.2.9" destination-port="53" protocol-id="17" policy-name="P1"]',
        {"event.dataset": "juniper.junos", "source.ip": "10.0.0.5", "destination.ip": "192.0.2.9", "network.transport": "udp", "rule.name": "P1", "event.type": ["connection", "allowed"]},
    ),
    "ClamAV": (
        "<134>Nov 22 08:00:00 web1 clamd[900]: /srv/up/a: b.exe: Win.Trojan.Agent-1(44d88612fea8a8f36de82e1278abb02f:68) FOUND",
        {"event.dataset": "linux.clamav", "event.kind": "alert", "file.path": "/srv/up/a: b.exe", "rule.name": "Win.Trojan.Agent-1", "file.hash.md5": "44d88612fea8a8f36de82e1278abb02f"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_fields(name: str) -> None:
    raw, expected = CASES[name]
    event = parse(raw)
    assert {field: event.get(field) for field in expected} == expected


def test_products_by_their_marks() -> None:
    duo = {"event_type": "authentication", "txid": "1", "reason": "bypass_user", "timestamp": 1795305600, "user": {"name": "bob"}, "access_device": {"ip": "192.0.2.9"}}  # fmt: skip
    event = parse(json.dumps(duo), "json")
    assert (event["event.dataset"], event["user.name"], event["source.ip"]) == ("cisco.duo", "bob", "192.0.2.9")
    assert event["@timestamp"] == "2026-11-22T00:00:00.000000Z"
    assert event["cisco.duo.reason"] == "bypass_user"


def test_other_texts_with_a_percent_sign_are_no_cisco_messages() -> None:
    assert parse("<13>Nov 22 08:00:00 web1 app: 50% done-3-times: ok")["event.dataset"] == "linux.syslog"


@pytest.mark.parametrize(
    "words",
    [
        "%ASA-4-106023: Deny",
        "date=2026-11-22 devid=1 logid=2 type=traffic",
        "%%01SEC/4/POLICYPERMIT(l): a=b",
        "id=tos",
        "CEF:0|a|b|c|d|e|f|",
    ],
)
def test_a_client_cannot_turn_a_web_log_into_another(words: str) -> None:
    agent = f'192.0.2.9 - - [22/Nov/2026:08:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "{words}"'
    path = f'192.0.2.9 - - [22/Nov/2026:08:00:00 +0000] "GET /{words} HTTP/1.1" 200 5 "-" "x"'
    for line in (agent, path):
        assert parse(f"<190>Nov 22 08:00:00 web1 nginx: {line}")["event.dataset"] == "web.access"


def test_corpus_lines_are_told_apart(shared: Path) -> None:
    """Lines that sc4s' own tests take for Cisco ASA, FortiGate and Junos."""
    folder = shared / "corpora/logs/sc4s"
    expected = {"cisco_asa": "cisco.asa", "fortinet_ngfw": "fortinet."}
    for name, dataset in expected.items():
        for line in (folder / f"{name}.ndjson").read_text().splitlines():
            raw = json.loads(line)["raw"]
            if "VERSION:v1" not in raw:  # a FortiWeb line among FortiGate's
                assert parse(raw)["event.dataset"].startswith(dataset), raw


@given(
    st.sampled_from(["%ASA-4-106023: Deny ", "%A-1-B: ", "date=1 devid=2 logid=3 type=", "RT_FLOW: RT_FLOW_SESSION_DENY: "]),
    st.text(max_size=200),
)
def test_any_text_gives_an_event(start: str, rest: str) -> None:
    assert parse(f"<134>Nov 22 08:00:00 h {start}{rest}")["event.original"]
