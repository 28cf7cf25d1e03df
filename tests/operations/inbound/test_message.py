"""What a body may be, and what becomes of it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations import clock
from operations.errors import Invalid
from operations.inbound.message import detection, read
from tests.operations.inbound.sending import body

NOW = clock.now()  # as the senders of `sending` have it
SOURCE = {"source": 7, "zone": "water-ot", "organisation": "水务局", "max_level": "high"}


def raw(**top: Any) -> bytes:
    return json.dumps({"type": "alert", "timestamp": NOW, "data": {"title": "t", "level": "low"}} | top).encode()


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (b"", ""),
        (b"{", ""),
        (b"\xff\xfe", ""),
        (b"[" * 100_000, ""),
        (b"[]", ""),
        (b"{}", "type"),
        (raw(type="incident"), "type"),
        (raw(more=1), "more"),
        (raw(timestamp=17), "timestamp"),
        (raw(timestamp="yesterday"), "timestamp"),
        (raw(timestamp="2026-02-30T00:00:00Z"), "timestamp"),
        (raw(timestamp=clock.shift(NOW, 25 * 3600)), "timestamp"),
        (raw(timestamp="1970-01-01T00:00:00Z"), "timestamp"),
        (raw(data=[]), "data"),
        (body(title=None), "data.title"),
        (body(title=""), "data.title"),
        (body(title="   "), "data.title"),
        (body(title="a\nb"), "data.title"),
        (body(title="a\n"), "data.title"),
        (body(title="x" * 257), "data.title"),
        (body(title="\0"), "data.title"),
        (body(title="\ud800"), ""),
        (body(level="severe"), "data.level"),
        (body(level=3), "data.level"),
        (body(description="x" * 8193), "data.description"),
        (body(description="a\0b"), "data.description"),
        (body(host="x" * 256), "data.host"),
        (body(host=["a"]), "data.host"),
        (body(source_ip="1.2.3"), "data.source_ip"),
        (body(source_ip="010.1.1.1"), "data.source_ip"),
        (body(destination_ip="2001:db8::g"), "data.destination_ip"),
        (body(url="javascript:alert(1)"), "data.url"),
        (body(url="https://"), "data.url"),
        (body(url="https://[::1"), "data.url"),
        (body(zone="gov"), "data.zone"),
        (body(fields=[]), "data.fields"),
        (body(fields={"a b": 1}), "data.fields"),
        (body(fields={"a": None}), "data.fields"),
        (body(fields={"a": {"b": 1}}), "data.fields"),
        (body(fields={"a": "x" * 2049}), "data.fields"),
        (body(fields={"a": 1 << 63}), "data.fields"),
        (body(fields={f"a{n}": n for n in range(51)}), "data.fields"),
    ],
)
def test_what_does_not_fit_is_named(sent: bytes, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(sent, NOW)
    assert refused.value.field == field, refused.value.message
    assert refused.value.message


@pytest.mark.parametrize("address", ["192.0.2.9", "2001:db8::9", "::ffff:192.0.2.9"])
def test_a_detection(address: str) -> None:
    message = read(body(source_ip=address, destination_ip=address, user="bob", url="https://ids.example/7", rule="1:2001"), NOW)
    found = detection(message, "m1", **SOURCE)
    assert (found.engine, found.level, found.rule_name, found.id) == (
        "inbound",
        "high",
        "Port scan",
        detection(message, "m1", **SOURCE).id,
    )
    assert (found.event["host.zone"], found.event["organization.name"]) == ("water-ot", "水务局")
    assert found.event["source.ip"] == found.event["destination.ip"] == address
    assert detection(message, "m2", **SOURCE).id != found.id != detection(message, "m1", **SOURCE | {"source": 8}).id


def test_a_sender_cannot_choose_who_sees_it() -> None:
    own = {"host.zone": "gov", "source.zone": "gov"}
    found = detection(read(body(fields=own | {"file.hash.md5": "aa", "port": 8, "event.kind": "x"}), NOW), "m", **SOURCE)
    assert [name for name in found.event if name.endswith("zone")] == ["labels.host.zone", "labels.source.zone", "host.zone"]
    assert (found.event["host.zone"], found.event["event.kind"], found.event["labels.port"]) == ("water-ot", "alert", 8)
    assert found.event["file.hash.md5"] == "aa"


def test_a_level_is_taken_down() -> None:
    found = detection(read(body(level="critical"), NOW), "m", **SOURCE)
    assert (found.level, found.event["labels.claimed_level"]) == ("high", "critical")
    assert detection(read(body(level="low"), NOW), "m", **SOURCE).level == "low"


def test_what_is_grouped() -> None:
    def rule(**data: Any) -> str:
        return detection(read(body(**data), NOW), "m", **SOURCE).rule_id

    assert rule(rule="ET-1.2") == rule(rule="ET-1.2", title="other") == "inbound.7.ET-1.2"
    assert rule(rule="a/b?c") == rule(rule="a/b?c", title="other") != rule(rule="a/b?d")
    assert rule(title="one") != rule(title="two")
    assert len(rule(rule="规" * 255)) < 160


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: st.dictionaries(
            st.sampled_from(["type", "timestamp", "data", "title", "level", "fields", "x"]), inner, max_size=6
        ),
    )
)
def test_anything_is_read_or_refused(value: Any) -> None:
    with contextlib.suppress(Invalid):
        read(json.dumps(value).encode(), NOW)


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(sent: bytes) -> None:
    with pytest.raises(Invalid):
        read(sent, NOW)
