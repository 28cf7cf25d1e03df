"""CEF and LEEF over TLS, read back by parsers that follow the formats and not the sender."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations.webhooks.channels.cef import Cef
from operations.webhooks.channels.contract import Item
from operations.webhooks.channels.leef import Leef
from tests.operations.webhooks.bench import Bench
from tests.operations.webhooks.receivers import Authority, SyslogReceiver

HEADER = re.compile(r"<(\d{1,3})>1 (\S+) (\S+) liandun - (\S+) - (.*)", re.S)
STAMP = "2026-11-27T04:00:00.000000Z"


def read_cef(text: str) -> tuple[list[str], dict[str, str]]:
    """Header fields and extension of a CEF message."""
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", text, maxsplit=7)
    assert len(parts) == 8
    assert parts[0] == "CEF:0"
    pairs = re.split(r" (?=[A-Za-z0-9]+(?<!\\)=)", parts[7])
    fields = dict(pair.split("=", 1) for pair in pairs)
    plain = {key: re.sub(r"\\(.)", lambda sign: "\n" if sign[1] == "n" else sign[1], value) for key, value in fields.items()}
    return [re.sub(r"\\(.)", r"\1", part) for part in parts[1:7]], plain


def read_leef(text: str) -> tuple[list[str], dict[str, str]]:
    parts = text.split("|", 6)
    assert parts[0] == "LEEF:2.0"
    assert parts[5] == "x09"
    return parts[1:5], dict(pair.split("=", 1) for pair in parts[6].split("\t"))


def target(bench: Bench, kind: str, syslog: SyslogReceiver, ca: str) -> int:
    return bench.target(kind, f"tls://127.0.0.1:{syslog.port}", settings={"ca": ca})[0].id


def test_cef_arrives(bench: Bench, syslog: SyslogReceiver, authority: Authority) -> None:
    target(bench, "cef", syslog, authority.pem)
    bench.tell(
        rule_id="r-1", rule_name="a|b=c\\d 蚁剑", host="web\n1", source_ip="192.0.2.7", destination_ip="2001:db8::1", count=3
    )
    assert bench.send().delivered == 1
    [line] = syslog.messages
    found = HEADER.fullmatch(line)
    assert found
    assert int(found[1]) == 4 * 8 + 3
    assert found[4] == "alert.created"
    header, fields = read_cef(found[5])
    assert header == ["Liandun", "Liandun", "1", "r-1", "a|b=c\\d 蚁剑", "8"]
    assert fields["src"] == "192.0.2.7"
    assert (fields["c6a3"], fields["c6a3Label"]) == ("2001:db8::1", "Destination IPv6 Address")
    assert "dst" not in fields
    assert (fields["cnt"], fields["dhost"], fields["cs1"]) == ("3", "web\n1", "7")
    assert fields["externalId"] == bench.deliveries()[0].message_id
    assert abs(int(fields["rt"]) - time.time() * 1000) < 60_000


def test_leef_arrives(bench: Bench, syslog: SyslogReceiver, authority: Authority) -> None:
    target(bench, "leef", syslog, authority.pem)
    bench.tell(level="critical", rule_id="r|1", rule_name="a\tb\nc", source_ip="2001:db8::1", user="bob")
    assert bench.send().delivered == 1
    found = HEADER.fullmatch(syslog.messages[0])
    assert found
    assert int(found[1]) == 4 * 8 + 2
    header, fields = read_leef(found[5])
    assert header == ["Liandun", "Liandun", "1", "r/1"]
    assert (fields["src"], fields["usrName"], fields["name"], fields["sev"]) == ("2001:db8::1", "bob", "a b c", "10")


def test_many_messages_go_over_one_connection(bench: Bench, syslog: SyslogReceiver, authority: Authority) -> None:
    target(bench, "cef", syslog, authority.pem)
    for number in range(50):
        bench.tell(host=f"h{number}")
    assert bench.send().delivered == 50
    assert len({read_cef(HEADER.fullmatch(line)[5])[1]["dhost"] for line in syslog.messages}) == 50  # type: ignore[index]


def test_a_receiver_that_closes_without_a_word_has_read_everything(
    bench: Bench, syslog: SyslogReceiver, authority: Authority
) -> None:
    syslog.behave = "silent_end"
    target(bench, "cef", syslog, authority.pem)
    bench.tell()
    assert bench.send().delivered == 1
    assert len(syslog.messages) == 1


@pytest.mark.parametrize("behave", ["reset", "hang"])
def test_what_was_not_read_is_sent_again(bench: Bench, syslog: SyslogReceiver, authority: Authority, behave: str) -> None:
    syslog.behave = behave
    target(bench, "cef", syslog, authority.pem)
    for _ in range(150):
        bench.tell(reason="x" * 200)
    start = time.monotonic()
    assert bench.send().failed == 150
    assert time.monotonic() - start < 3.5
    syslog.behave = "ok"
    bench.later()
    assert bench.send().delivered == 150
    assert len(syslog.messages) == 150


def test_a_certificate_of_nobody_we_trust_gets_nothing(bench: Bench, syslog: SyslogReceiver) -> None:
    target(bench, "cef", syslog, "")
    bench.tell()
    assert bench.send().failed == 1
    assert "certificate" in bench.error().lower()
    assert syslog.messages == []


texts = st.text(max_size=60)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=texts, rule=texts, host=texts, user=texts)
def test_no_field_breaks_out_of_its_place(name: str, rule: str, host: str, user: str) -> None:
    data: dict[str, Any] = {"rule_name": name, "rule_id": rule, "host": host, "user": user, "level": "high"}
    item = Item(1, "msg_1", "alert.created", b"")
    written = Cef().message(item, STAMP, data)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", written)
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", written.split(" rt=")[0])) == 7
    assert "externalId=msg_1 rt=1795752000000 act=alert.created" in written
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", Leef().message(item, STAMP, data))
    header, fields = read_leef(Leef().message(item, STAMP, data))
    assert (header[0], fields["externalId"], fields["sev"]) == ("Liandun", "msg_1", "8")
    assert set(fields) <= {"devTime", "sev", "externalId", "eventType", "identHostName", "usrName", "name"}
