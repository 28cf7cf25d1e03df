# ruff: noqa: E501 - tables of raw log lines
"""Shapes of JSON."""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.parsers import PARSERS
from kernel.errors import ParseError
from kernel.event import Event, conform
from kernel.record import RawRecord

RECEIVED = 1_795_400_000_000_000


def parse_all(raw: bytes | dict[str, Any]) -> list[Event]:
    body = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return [conform(event, RECEIVED, {}) for event in PARSERS["json"](RawRecord("test", "json", RECEIVED, "test", body, "s", 7))]


def parse(raw: bytes | dict[str, Any]) -> Event:
    return parse_all(raw)[0]


def test_real_cloudtrail(shared: Path) -> None:
    archive = zipfile.ZipFile(shared / "corpora" / "security-datasets" / "ec2_proxy_s3_exfiltration.zip")
    lines = [line for line in archive.open(archive.namelist()[0]) if line.strip()]
    for line in lines:
        raw, event = json.loads(line), parse(line)
        assert event["event.dataset"] == "aws.cloudtrail"
        assert event["event.action"] == event["aws.cloudtrail.eventName"] == raw["eventName"]
        assert event["aws.cloudtrail.userIdentity.type"] == raw["userIdentity"]["type"]
        assert event["cloud.region"] == raw["awsRegion"]
        assert event["event.outcome"] == ("failure" if raw.get("errorCode") else "success")
        assert event.get("source.ip", raw["sourceIPAddress"]) == raw["sourceIPAddress"]
    whole = parse_all({"Records": [json.loads(line) for line in lines]})
    assert [event["event.action"] for event in whole] == [json.loads(line)["eventName"] for line in lines]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"ts": 1795300000.5, "uid": "C1", "id.orig_h": "10.0.0.1", "id.orig_p": 5, "id.resp_h": "2001:db8::1", "id.resp_p": 53, "proto": "udp",
          "query": "c2.example", "qtype_name": "A", "answers": ["192.0.2.1", "x.example"]},
         {"event.dataset": "zeek.dns", "source.ip": "10.0.0.1", "destination.ip": "2001:db8::1", "dns.question.name": "c2.example",
          "dns.resolved_ip": ["192.0.2.1"], "zeek.dns.query": "c2.example", "network.transport": "udp"}),
        ({"_path": "conn", "ts": "2026-11-22T08:00:00Z", "id": {"orig_h": "10.0.0.1", "orig_p": 1, "resp_h": "10.0.0.2", "resp_p": 502}},
         {"event.dataset": "zeek.conn", "destination.port": 502, "@timestamp": "2026-11-22T08:00:00.000000Z"}),
        ({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "verb": "create", "user": {"username": "u"}, "sourceIPs": ["192.0.2.1"],
          "objectRef": {"resource": "pods"}, "responseStatus": {"code": 403}},
         {"event.dataset": "kubernetes.audit", "kubernetes.audit.objectRef.resource": "pods", "event.outcome": "failure", "user.name": "u"}),
        ({"timestamp": "2022-07-12T06:22:33.4+0000", "flow_id": 1, "event_type": "dns", "src_ip": "10.0.0.1", "dest_ip": "10.0.0.2"},
         {"event.dataset": "suricata.dns", "source.ip": "10.0.0.1"}),
        ({"category": "SignInLogs", "operationName": "Sign-in activity", "tenantId": "t", "callerIpAddress": "192.0.2.1", "ResultType": "50126"},
         {"event.dataset": "azure.signinlogs", "azure.ResultType": "50126", "source.ip": "192.0.2.1", "event.outcome": "failure"}),
        ({"eventType": "user.session.start", "published": "2026-11-22T08:00:00Z", "actor": {"alternateId": "a@b"}, "outcome": {"result": "FAILURE"},
          "client": {"ipAddress": "192.0.2.1"}},
         {"event.dataset": "okta.system", "okta.eventType": "user.session.start", "event.outcome": "failure", "user.name": "a@b"}),
        ({"protoPayload": {"methodName": "m.delete", "authenticationInfo": {"principalEmail": "a@b"}}, "timestamp": "2026-11-22T08:00:00Z"},
         {"event.dataset": "gcp.audit", "gcp.audit.method_name": "m.delete", "user.name": "a@b"}),
        ({"CreationTime": "2026-11-22T08:00:00", "Workload": "Exchange", "Operation": "New-InboxRule", "UserId": "a@b", "ClientIP": "192.0.2.1"},
         {"event.dataset": "m365.audit", "m365.Operation": "New-InboxRule", "user.name": "a@b"}),
        ({"@timestamp": "2026-11-22T08:00:00Z", "event": {"category": ["process"], "dataset": "endpoint"}, "process": {"name": "x", "pid": 3}},
         {"event.dataset": "endpoint", "process.name": "x", "process.pid": 3}),
        ({"@timestamp": "2026-11-22T08:00:00Z", "event.action": "a", "source.ip": "192.0.2.1"}, {"source.ip": "192.0.2.1", "event.action": "a"}),
        ({"time": 1795300000123, "foo": {"bar": [1, {"baz": "q"}]}},
         {"event.dataset": "generic.json", "foo.bar": [1], "foo.bar.baz": "q", "@timestamp": "2026-11-21T22:26:40.123000Z"}),
    ],
)  # fmt: skip
def test_shapes(raw: dict[str, Any], expected: dict[str, Any]) -> None:
    event = parse(raw)
    assert {field: event.get(field) for field in expected} == expected
    assert json.loads(event["event.original"]) == raw


def test_nobody_but_the_platform_speaks_as_the_platform() -> None:
    event = parse({"event": {"dataset": "liandun.auth", "category": "authentication"}})
    assert (event["event.dataset"], event["labels.claimed_dataset"]) == ("generic.json", "liandun.auth")


@pytest.mark.parametrize("raw", [b"", b"[1]", b"3", b'"x"', b"{", b'{"a":', b"\x00\x01", b'{"a":1}{"b":2}', b'{"Records":[1]}'])
def test_what_is_no_object_is_refused_with_its_place(raw: bytes) -> None:
    with pytest.raises(ParseError, match=r"Records|test, 7"):
        parse(raw)


def test_depth_is_limited() -> None:
    with pytest.raises(ParseError, match="deeper than 64"):
        parse(b'{"a":' * 90 + b"1" + b"}" * 90)


def test_gbk_json() -> None:
    assert parse('{"用户":"管理员"}'.encode("gbk"))["用户"] == "管理员"


_KEYS = st.sampled_from(
    ["EventID", "Channel", "Event", "System", "EventData", "winlog", "event_data", "event_id", "log_name", "eventName", "eventSource", "awsRegion",
     "userIdentity", "Records", "SyslogMessage", "HostIP", "kind", "apiVersion", "id.orig_h", "id", "orig_h", "ts", "_path", "event", "acsRegion",
     "trace_name", "service_type", "user", "category", "operationName", "resourceId", "eventType", "published", "actor", "outcome", "client",
     "protoPayload", "request", "remote_addr", "logger", "headers", "log", "time", "stream", "ecs", "event.kind", "@timestamp", "timestamp",
     "event_type", "flow_id", "alert", "dns", "http", "Workload", "Operation", "message", "source.ip", "process", "answers", "answer", "_source"]
)  # fmt: skip
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _JSON, max_size=6))
def test_any_object_gives_events_or_a_reason(obj: dict[str, Any]) -> None:
    try:
        events = parse_all(obj)
    except ParseError:
        return
    assert events
    for event in events:
        assert isinstance(event["event.dataset"], str)
        assert all(value is not None and not isinstance(value, dict) for value in event.values())


@given(st.binary(max_size=200))
def test_any_bytes_give_events_or_a_reason(raw: bytes) -> None:
    with contextlib.suppress(ParseError):
        assert parse_all(raw)
