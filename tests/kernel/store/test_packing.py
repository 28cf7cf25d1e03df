"""What is packed when a segment is written comes back exactly when SQL reads it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kernel.event import timestamp_from_micros
from kernel.query import parse_query
from kernel.store.contract import Commit, TimeRange
from kernel.store.lake import Lake
from kernel.store.lake.columns import FORMAT, SCHEMA
from kernel.store.lake.encode import encode
from kernel.store.lake.packing import named, packed, selection
from kernel.store.lake.segment import parquet_bytes

LONG = [
    "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
    'C:\\Windows\\System32\\cmd.exe /c "dir %TEMP%"',
    "{8d2f90c1-0000-6742-0000-0123456789ab}",
    "/portal/login?user=1",
    "/portal/login",
    "user=1&more",
    "12345678",
    "line\nbreak\there",
    "Straße 用户登录失败 nul\0l",
]
MARKS = ["\x1e", "\x1d", "\x1e1", "\x1e3", "\x1d1", "\x1e0", "1", "", "?"]
texts = st.lists(st.sampled_from(LONG + MARKS), max_size=3).map("".join) | st.text(max_size=12)
addresses = st.sampled_from(["10.0.0.1", "10.0.0.2", "255.255.255.255", "0.0.0.0", "::ffff:10.0.0.1", "2001:db8::1", "2001:DB8::1"])
originals = st.lists(st.sampled_from(LONG + MARKS) | st.sampled_from(LONG).map(lambda t: orjson.dumps(t).decode()), max_size=5)
events = st.fixed_dictionaries(
    {},
    optional={
        "event.original": originals.map("".join) | texts,
        "network.community_id": texts,
        "url.original": texts | st.just("/portal/login?user=1&more"),
        "url.path": texts | st.just("/portal/login"),
        "url.query": texts | st.just("user=1&more"),
        "process.command_line": texts,
        "process.entity_id": texts,
        "process.parent.command_line": texts,
        "source.ip": addresses,
        "destination.ip": addresses,
        "related.ip": st.lists(addresses, min_size=1, max_size=3) | addresses | texts,
    },
)


def unpacked(path: Path) -> pa.Table:
    connection = duckdb.connect()
    sql = f"SELECT {selection(FORMAT, SCHEMA.names)} FROM read_parquet('{path}')"
    return connection.sql(sql).to_arrow_table().cast(SCHEMA)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(events, min_size=1, max_size=12))
@example(batch=[{"event.original": "\x1e1 of its own", "network.community_id": LONG[0]}])
@example(batch=[{"event.original": f"a {LONG[0]} b {LONG[0]}", "network.community_id": LONG[0]}])
@example(batch=[{"related.ip": "\x1d1", "source.ip": "10.0.0.1", "destination.ip": "10.0.0.2"}])
@example(batch=[{"related.ip": ["10.0.0.2", "10.0.0.1"], "source.ip": "10.0.0.1", "destination.ip": "10.0.0.2"}])
def test_a_file_says_what_the_events_said(tmp_path: Path, batch: list[dict[str, object]]) -> None:
    stored = [event | {"event.id": f"{n:032x}", "@timestamp": timestamp_from_micros(n)} for n, event in enumerate(batch)]
    table = encode(stored).table
    (tmp_path / "x.parquet").write_bytes(parquet_bytes(table)[0])
    assert unpacked(tmp_path / "x.parquet").sort_by("event.id").equals(table.sort_by("event.id"))


def test_what_the_fields_say_is_not_written_twice() -> None:
    event = {
        "@timestamp": timestamp_from_micros(1),
        "event.id": "1" * 32,
        "event.original": orjson.dumps({"id": LONG[0], "cmd": LONG[1]}).decode(),
        "network.community_id": LONG[0],
        "process.command_line": LONG[1],
        "source.ip": "10.0.0.1",
        "destination.ip": "::ffff:10.0.0.2",
        "related.ip": ["10.0.0.1"],
        "url.original": "/portal/login?user=1",
        "url.path": "/portal/login",
        "url.query": "user=1",
    }
    row = packed(encode([event]).table).to_pylist()[0]
    assert row["event.original"] == '{"id":"\x1e1","cmd":"\x1e3"}'
    assert row["source.ip"] is None
    assert row["destination.ip"] == "::ffff:10.0.0.2"  # not the usual form of its number: kept
    assert (row["related.ip"], row["url.original"]) == ("\x1d3", "\x1d1")


@pytest.mark.parametrize("format_", [1, FORMAT])
def test_every_column_is_selected(format_: int) -> None:
    assert all(f'"{name}"' in selection(format_, named("")) for name in SCHEMA.names)


def test_top_addresses_count_what_packing_took_apart(tmp_path: Path) -> None:
    addresses = ["10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1", "2001:DB8::1", "010.0.0.1", None]
    lake = Lake.open(tmp_path / "lake", writable=True)
    for start in (0, 4):
        batch = [
            {"@timestamp": f"2026-11-23T04:00:0{n}.000000Z", "event.id": f"{n:032x}"} | ({"source.ip": text} if text else {})
            for n, text in enumerate(addresses[start : start + 4], start)
        ]
        lake.commit(Commit(batch))
    expected = [("10.0.0.1", 2), ("2001:db8::1", 2), ("010.0.0.1", 1), ("2001:DB8::1", 1), ("::ffff:10.0.0.1", 1)]
    try:
        for _ in range(2):
            found = [(bucket.key, bucket.count) for bucket in lake.top(parse_query("*"), TimeRange(), "source.ip")]
            assert sorted(found, key=lambda one: (-one[1], one[0])) == expected
            assert lake.search(parse_query("source.ip:2001:db8::1"), TimeRange(), count=True).total == 3
            lake.compact(everything=True)
    finally:
        lake.close()
