# ruff: noqa: E501 - tables of raw log lines
"""Linux audit records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.parsers import PARSERS
from kernel.errors import ParseError
from kernel.event import Event, conform
from kernel.record import RawRecord

RECEIVED = 1_795_400_000_000_000


def parse(raw: str) -> Event:
    return conform(PARSERS["auditd"](RawRecord("test", "auditd", RECEIVED, "test", raw.encode()))[0], RECEIVED, {})


def test_system_call() -> None:
    event = parse(
        "node=web1 type=SYSCALL msg=audit(1684329817.579:2995): arch=c000003e syscall=59 success=yes exit=0 a0=237f568 ppid=26843 pid=27032 "
        'auid=1000 uid=0 comm="perl" exe="/usr/bin/perl" key="susp"'
    )
    expected = {
        "@timestamp": "2023-05-17T13:23:37.579000Z",
        "event.sequence": 2995,
        "event.action": "execve",
        "event.outcome": "success",
        "host.name": "web1",
        "process.pid": 27032,
        "process.parent.pid": 26843,
        "process.executable": "/usr/bin/perl",
        "process.name": "perl",
        "user.id": "0",
        "user.audit.id": "1000",
        "auditd.type": "SYSCALL",
        "auditd.key": "susp",
        "auditd.a0": "237f568",
        "event.dataset": "linux.auditd",
    }
    assert {field: event.get(field) for field in expected} == expected


def test_execve_arguments_and_hexadecimal() -> None:
    event = parse('type=EXECVE msg=audit(1.0:7): argc=4 a0="sh" a1="-c" a2=6375726C20687474703A2F2F78 a3[0]=6162 a3[1]=6364')
    assert event["process.args"] == ["sh", "-c", "curl http://x", "abcd"]
    assert event["process.command_line"] == "sh -c curl http://x abcd"
    assert event["auditd.a2"] == "curl http://x"


def test_title_path_and_address() -> None:
    assert parse("type=PROCTITLE msg=audit(1.0:7): proctitle=636174002F6574632F736861646F77")["process.title"] == "cat /etc/shadow"
    path = parse('type=PATH msg=audit(1.0:7): item=0 name="/etc/cron.d/x" nametype=CREATE')
    assert (path["file.path"], path["event.type"]) == ("/etc/cron.d/x", ["creation"])
    assert "destination.ip" not in parse("type=SOCKADDR msg=audit(1.0:7): saddr=0200")
    v4 = parse("type=SOCKADDR msg=audit(1.0:7): saddr=02000050C00002090000000000000000")
    assert (v4["destination.ip"], v4["destination.port"]) == ("192.0.2.9", 80)
    v6 = parse("type=SOCKADDR msg=audit(1.0:7): saddr=0A0001BB0000000020010DB800000000000000000000000900000000")
    assert (v6["destination.ip"], v6["destination.port"]) == ("2001:db8::9", 443)


def test_login_in_nested_message() -> None:
    event = parse(
        'type=USER_LOGIN msg=audit(1684329817.579:9): pid=1 uid=0 auid=4294967295 msg=\'op=login acct="ann" exe="/usr/sbin/sshd" hostname=? '
        'addr=2001:db8::7 terminal=ssh res=failed\'\x1dUID="root" AUID="unset"'
    )
    assert (event["event.outcome"], event["source.ip"], event["user.name"]) == ("failure", "2001:db8::7", "ann")
    assert event["event.category"] == ["authentication"]


def test_other_text_is_refused() -> None:
    with pytest.raises(ParseError, match="no audit record at test"):
        parse("hello")


@given(st.text(max_size=200))
def test_any_body_is_read(body: str) -> None:
    assert parse(f"type=EXECVE msg=audit(1.5:3): {body}")["event.sequence"] == 3
