"""The lake finds exactly the events that the matcher says the query means."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import duckdb
import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from kernel.event import timestamp_from_micros
from kernel.query import matches, parse_query
from kernel.query.text import element_text
from kernel.query.values import ip_hex
from kernel.store.contract import Commit, TimeRange
from kernel.store.lake import Lake
from kernel.store.lake.condition import MACROS, float_text
from kernel.store.storable import storable

WORDS = [
    "cmd.exe",
    "CMD.EXE",
    "Straße",
    "ΑΣ",
    "İx",
    "a%b",
    "a_b",
    "10.0.0.1",
    "10.0.0.10",
    "fe80::1%eth0",
    "FE80:0:0::1",
    "::ffff:10.0.0.1",
    "445",
    "0445",
    "-5",
    "1.5",
    "true",
    "",
    "C:\\Windows\\x",
    "2026-11-23T04:00:00.000000Z",
    "a\nb",
    "nul\0l",
    "\x1fsep",
    "x\x1fy",
    "e\u0301",
]
FIELDS = [
    "process.name",
    "source.ip",
    "destination.ip",
    "source.port",
    "tags",
    "message",
    "winlog.event_data.X",
    'odd~/"key',
    "related.ip",
    "a.number",
    "event.start",
]

query_texts = st.sampled_from(WORDS) | st.text(max_size=6)
texts = query_texts | st.text(st.characters(), max_size=4)  # lone surrogates too
numbers = (
    st.integers(-(2**64), 2**65) | st.integers(0, 500) | st.floats(allow_nan=True) | st.sampled_from([0.5, 1e22, 1e16, -0.0, 445.0])
)
scalars = texts | numbers | st.booleans()
ADDRESSES = [
    "10.0.0.1",
    "10.0.0.7",
    "::ffff:10.0.0.1",
    "::FFFF:a00:1",
    "0:0:0:0:0:ffff:0a00:0001",
    "fe80::1",
    "FE80:0:0::1%eth0",
    "2001:db8::1",
    "2001:0DB8::0001",
    "::1",
    "2001:db8::1/128",
    "10.0.0.1/32",
]
addresses = st.sampled_from(ADDRESSES)
values = (
    addresses
    | st.lists(addresses, min_size=1, max_size=3)
    | scalars
    | st.lists(texts, max_size=3)
    | st.lists(scalars, max_size=3)
    | st.sampled_from(WORDS)
)
events = st.dictionaries(st.sampled_from(FIELDS), values, max_size=6)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


field_names = st.sampled_from([field.replace('"', '\\"') for field in FIELDS])
literals = st.one_of(
    query_texts.map(quoted),
    st.sampled_from(
        ["10.0.0.0/8", "10.0.0.1", "fe80::/16", "::/0", "0.0.0.0/0", "fe80:0:0:0:0:0:0:1", "445", "1.5", "true", "-5", "1e16"]
    ),
    addresses.map(quoted),
    st.sampled_from(["*", "c*", "*exe", "*m*e*", "c?d.*", "a?b", "?", "??", "a\\*b", "*a\\%b*", "e?", "4*5", "*+*", "1*", "-*"]),
    st.sampled_from([">=5", "<445", ">1.5", "[1 TO 445]", "{5 TO 500}", "[* TO 5}", "[a TO d]", '>="C"', "[10.0.0.0 TO 10.0.0.9]"]),
    st.sampled_from(
        [">=2026-11-23", "<=2026-11-23T04", "[2026 TO 2027]", "<2026-11-22", "[2026-11-22 TO 2026-11-23]", "2026-11-23"]
    ),
    st.sampled_from(
        ["/^c.d/", "/a.b$/", "/\\d+/", "/[A-Z]+/", "/\\bexe\\b/", "/[^a-z0-9.]/", "/(a+)+$/", "/^$/", "/e./", "/\\S\\s?\\W/"]
    ),
)
leaves = (
    st.builds(lambda f, v: f"{f}:{v}", field_names, literals)
    | query_texts.map(quoted)
    | st.sampled_from(["cmd*", "10.0.0.1", "10.0.0.0/24", "*"])
)


@st.composite
def queries(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(leaves)
    shape = draw(st.sampled_from(["NOT ({})", "({} AND {})", "({} OR {})", "({} NOT {})"]))
    return shape.format(*[draw(queries(depth - 1)) for _ in range(shape.count("{}"))])


def found(lake: Lake, text: str) -> set[str]:
    page = lake.search(parse_query(text), TimeRange(), limit=1000, fields=["event.id"])
    assert not page.damaged
    return {event["event.id"] for event in page.events}


def open_lake() -> Lake:
    return Lake.open(Path(tempfile.mkdtemp()) / "lake", writable=True)


odd = st.recursive(
    st.none() | scalars | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), odd, max_size=6), min_size=1, max_size=10))
@example(batch=[{"process": {"name": "x", "pid": 2**70}}, {"tags": ["\x1f"]}, {"tags": [""]}, {"source.ip": ["10.0.0.1", "::1"]}])
def test_odd_values_come_back_as_storable_says(batch: list[dict[str, object]]) -> None:
    stored = [event | {"event.id": f"{n:032x}", "@timestamp": timestamp_from_micros(n)} for n, event in enumerate(batch)]
    lake = open_lake()
    try:
        lake.commit(Commit([dict(event) for event in stored]))
        returned = {e["event.id"]: e for e in lake.search(parse_query("*"), TimeRange(), fields=["*"]).events}
        assert returned == {e["event.id"]: storable(e) for e in stored}
        lake.commit(Commit([{"event.id": "f" * 32, "@timestamp": timestamp_from_micros(9)}]))
        lake.compact(everything=True)
        again = {e["event.id"]: e for e in lake.search(parse_query("*"), TimeRange(), fields=["*"]).events}
        assert {key: again[key] for key in returned} == returned
    finally:
        lake.close()
        shutil.rmtree(lake.root.parent)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
@given(
    batch=st.lists(events, min_size=4, max_size=16), asked=st.lists(queries(), min_size=10, max_size=20), split=st.integers(1, 8)
)
@example(
    batch=[{"tags": []}, {"tags": [1, "a"]}, {"process.name": 5}],
    asked=["tags:*", "NOT tags:*", "process.name:5", "tags:a"],
    split=1,
)
@example(
    batch=[{field: ["10.0.0.1", "2001:DB8::1"]} for field in ("source.ip", "destination.ip")] + [{"source.ip": "10.0.0.9"}] * 2,
    asked=["source.ip:10.0.0.1", "destination.ip:10.0.0.1", "source.ip:2001:db8:0::1", "10.0.0.1", "2001:db8::1"],
    split=2,
)
def test_search_equals_matcher(batch: list[dict[str, object]], asked: list[str], split: int) -> None:
    stored = [
        event | {"event.id": f"{n:032x}", "@timestamp": timestamp_from_micros(1_795_000_000_000_000 + n * 3_600_000_000)}
        for n, event in enumerate(batch)
    ]
    lake = open_lake()
    try:
        for part in filter(None, (stored[:split], stored[split:])):
            lake.commit(Commit([dict(event) for event in part]))
        returned = {e["event.id"]: e for e in lake.search(parse_query("*"), TimeRange(), fields=["*"]).events}
        assert returned == {e["event.id"]: storable(e) for e in stored}
        for text in asked:
            query = parse_query(text)
            expected = {e["event.id"] for e in stored if matches(query, storable(e))}
            assert found(lake, text) == expected, text
            assert lake.count(query, TimeRange()) == len(expected)
    finally:
        lake.close()
        shutil.rmtree(lake.root.parent)


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(
        st.floats(allow_nan=False, allow_infinity=False)
        | st.builds(lambda digits, exponent: float(f"{digits}e{exponent}"), st.integers(-99999, 99999), st.integers(-12, 24)),
        min_size=1,
        max_size=20,
    )
)
@example(numbers=[1e15, 1e16, 1.2345678901234567e19, 1e20, 1e21, 1e-4, 1e-5, 9.999999999999999e-06, 1e-6, 1e-7, -0.0])
def test_the_text_of_a_float_is_the_matchers(numbers: list[float]) -> None:
    connection = duckdb.connect()
    for macro in MACROS:
        connection.execute(macro)
    sql = f"SELECT {float_text('json')} FROM (SELECT json_extract($row, '/n') AS json)"
    for number in numbers:
        found = connection.execute(sql, {"row": orjson.dumps({"n": number}).decode()}).fetchone()
        assert found == (element_text(number),)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "10.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::1.2.3.4",
            "fe80::1%eth0",
            "fe80::1%",
            "fe80::1%a%b",
            "10.0.0.1%eth0",
            "10.0.0.1%a:b",
        ),
        *("fe80::1%" + letter * length for letter in "e莲" for length in (1, 32, 33)),
    ],
)
def test_an_address_is_one_for_both(text: str) -> None:
    connection = duckdb.connect()
    for macro in MACROS:
        connection.execute(macro)
    assert connection.execute("SELECT ip_hex($text)", {"text": text}).fetchone() == (ip_hex(text),)
