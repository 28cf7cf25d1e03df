"""The skip index never loses a hit, and says no where it can."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from kernel.event import timestamp_from_micros
from kernel.query import matches, parse_query
from kernel.query.tree import Equals, Match, Query, Wildcard
from kernel.store.lake.columns import Layout
from kernel.store.lake.encode import encode
from kernel.store.lake.literals import Found, Parts, regex_literals
from kernel.store.lake.needs import ANYTHING, NOTHING, need_of
from kernel.store.lake.skipindex import make_filter, surviving
from kernel.store.storable import storable
from tests.kernel.store.test_lake_means_the_matcher import FIELDS, WORDS, events, queries


def needed(text: str, *, layout: Layout = Layout()) -> object:
    return need_of(parse_query(text).root, layout)


def survives(text: str, stored: list[dict[str, object]]) -> bool:
    encoded = encode([dict(event) for event in stored])
    return bool(surviving([make_filter(encoded.table)], need_of(parse_query(text).root, encoded.layout)))


def with_place(batch: list[dict[str, object]]) -> list[dict[str, object]]:
    return [event | {"event.id": f"{n:032x}", "@timestamp": timestamp_from_micros(n)} for n, event in enumerate(batch)]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(events, min_size=1, max_size=8), asked=st.lists(queries(), min_size=5, max_size=15))
@example(batch=[{"a.number": 12345678}], asked=["a.number:12345678", "a.number:*2345678", "a.number:1234*"])
@example(batch=[{"a.number": True}], asked=["a.number:true", "a.number:/^true$/"])
@example(batch=[{"process.name": 123456}], asked=["process.name:123456", "process.name:*345*", "process.name:/3456/"])
@example(batch=[{'odd~/"key': 'some "quoted\\text" here'}], asked=['odd~\\/\\"key:*\\"quoted*', "odd*"])
@example(
    batch=[{"source.ip": "::ffff:10.0.0.1"}, {"source.ip": "2001:DB8::1"}], asked=["source.ip:10.0.0.1", "source.ip:2001:db8:0::1"]
)
@example(
    batch=[{"source.ip": ["10.0.0.1", "10.0.0.2"]}, {"destination.ip": ["192.0.2.1"]}],
    asked=["source.ip:10.0.0.1", "source.ip:10.0.0.2", "destination.ip:192.0.2.1", "10.0.0.2", "source.ip:10.0.0.0/8"],
)
@example(
    batch=[{"destination.ip": ["::ffff:10.0.0.1"]}, {"source.ip": ["2001:DB8::0001", "fe80::1%eth0"]}],
    asked=["destination.ip:10.0.0.1", "source.ip:2001:db8:0::1", "source.ip:fe80::1", "destination.ip:::ffff:a00:1"],
)
@example(
    batch=[{"source.ip": ["::ffff:a00:1"]}, {"source.ip": ["::10.0.0.1/128"]}],
    asked=["source.ip:10.0.0.1", 'source.ip:"::10.0.0.1/128"'],
)
@example(batch=[{"message": "Straße ΑΣ İx"}], asked=["message:straße", "straße", "message:*ας*", "message:/i.*x/"])
def test_no_hit_is_lost(batch: list[dict[str, object]], asked: list[str]) -> None:
    stored = with_place(batch)
    encoded = encode([dict(event) for event in stored])
    filters = [make_filter(encoded.table)]
    for text in asked:
        query = parse_query(text)
        if any(matches(query, storable(event)) for event in stored):
            assert surviving(filters, need_of(query.root, encoded.layout)), text


@settings(max_examples=300, deadline=None)
@given(text=st.sampled_from(WORDS) | st.text(max_size=40), data=st.data(), field=st.sampled_from([*FIELDS, "event.original"]))
def test_every_piece_of_a_text_is_found(text: str, data: st.DataObject, field: str) -> None:
    first = data.draw(st.integers(0, len(text)))
    piece = text[first : data.draw(st.integers(first, len(text)))]
    stored = with_place([{field: text}, {"message": "another"}])
    encoded = encode([dict(event) for event in stored])
    pattern = re.sub(r"([\\*?])", r"\\\1", piece)
    for wanted in (Wildcard(f"*{pattern}*"), Equals(piece, anywhere=True), Equals(text), Wildcard(pattern, anywhere=True)):
        query = Query("", Match(field, wanted))
        if any(matches(query, storable(event)) for event in stored):
            assert surviving([make_filter(encoded.table)], need_of(query.root, encoded.layout)), wanted


simple_regexes = st.recursive(
    st.sampled_from(["a", "b", "cd", "\\.", "x{2,3}", "y?", "z*", "w+", ".", "[a-c]", "\\d", "\\b", "^", "$", "é", "\\x41"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["", "?", "+", "*", "{2}", "{0,2}"])).map(lambda pair: f"({pair[0]}){pair[1]}"),
    ),
    max_leaves=8,
)


def present(found: Found, text: str) -> bool:
    if isinstance(found, Parts):
        return (all if found.every else any)(present(part, text) for part in found.parts)
    return found in text


@settings(max_examples=400, deadline=None)
@given(pattern=simple_regexes, data=st.data())
def test_literals_of_a_regex_are_in_every_match(pattern: str, data: st.DataObject) -> None:
    predicate = parse_query(f"message:/{pattern}/").root.predicate  # type: ignore[union-attr]
    assume(not predicate.steep)  # drawing a text for it could take for ever
    text = data.draw(st.from_regex(predicate.python))
    assert re.search(predicate.python, text, re.DOTALL)
    assert present(regex_literals(predicate.re2), text), (predicate.re2, regex_literals(predicate.re2), text)


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("comsvcs", "comsvcs"),
        ("mini(?:dump|x)full", Parts(("mini", Parts(("dump", "x"), every=False), "full"), every=True)),
        ("ab+c", Parts(("ab", "c"), every=True)),
        ("abc?d", Parts(("ab", "d"), every=True)),
        ("a|", ""),
        ("(x)*", ""),
        ("-e(nc)? +[a-z]{20,}", Parts(("-e", " "), every=True)),
        ("foo\\bbar$", "foobar"),
    ],
)
def test_what_a_regex_tells(pattern: str, literals: Found) -> None:
    assert regex_literals(parse_query(f"message:/{pattern}/").root.predicate.re2) == literals  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "NOT comsvcs",
        "source.port:445",
        "abc",
        "message:ab*yz",
        "@timestamp:2026-11-23",
        "event.id:abcdef",
        "source.ip:10.0.0.0/8",
        "message:*",
        "comsvcs OR NOT lsass",
        "x.number:12345",
        "source.port:>1000",
        "process.name:>aaaaaa",
    ],
)
def test_nothing_certain_is_said_about(text: str) -> None:
    assert needed(text) == ANYTHING


def test_no_alternative_is_no_hit() -> None:
    assert need_of(parse_query("comsvcs").root, Layout()) != NOTHING


STORED = with_place(
    [
        {
            "process.command_line": "rundll32.exe C:\\Windows\\System32\\COMSVCS.dll, MiniDump 624 lsass.dmp full",
            "source.ip": "10.1.2.3",
        },
        {"message": "用户登录失败 (192.0.2.7)", "x.note": 'He said "hello\\there"', "source.ip": "2001:db8::7"},
        {"process.hash.sha256": "6a8f" * 16, "tags": ["first-tag", "second-tag"]},
    ]
)


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("comsvcs", True),
        ("comsvks", False),
        ("process.command_line:*minidump*lsass*", True),
        ("process.command_line:*minidump*lsazz*", False),
        ("process.command_line:/comsvcs.*(full|half)/", True),
        ("process.command_line:/comsvcs.*(wholly|partially)/", False),
        ("登录失败", True),
        ("登录成功", False),
        ('x.note:*hello\\\\there\\"*', True),
        ("x.note:*hullo*", False),
        ("tags:second-tag", True),
        ("tags:third-tag", False),
        ("source.ip:10.1.2.3", True),
        ("source.ip:10.1.2.4", False),
        ("source.ip:2001:DB8:0::7", True),
        ("source.ip:2001:db8::8:9:a:b", False),
        ("process.hash.sha256:" + "6a8f" * 16, True),
        ("process.hash.sha256:" + "6a8e" * 16, False),
        ("comsvcs AND NOT lsazz", True),
        ("comsvks OR lsazz", False),
        ("comsvks OR lsass", True),
    ],
)
def test_a_group_is_skipped_exactly_where_it_can_be(text: str, there: bool) -> None:
    assert survives(text, STORED) is there


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("source.ip:10.1.2.3", True),
        ("source.ip:10.1.2.99", False),
        ("destination.ip:2001:db8::7", True),
        ("destination.ip:2001:db8::beef:7", False),
        ("source.ip:10.9.9.9", True),
        ("destination.ip:192.0.2.200", False),
    ],
)
def test_lists_of_addresses_do_not_end_the_skipping(text: str, there: bool) -> None:
    stored = with_place(
        [{"source.ip": ["10.1.2.3", "10.1.2.4"]}, {"source.ip": "10.9.9.9", "destination.ip": ["2001:db8:0::0007"]}]
    )
    assert survives(text, stored) is there


def test_a_hash_is_told_from_ten_thousand_others() -> None:
    """Every four hex digits occur among them; the eight-byte keys tell."""
    chance = random.Random(5)
    stored = with_place([{"process.hash.sha256": f"{chance.getrandbits(256):064x}"} for _ in range(8192)])
    encoded = encode([dict(event) for event in stored])
    filters = [make_filter(encoded.table)]

    def kept(value: str) -> bool:
        return bool(surviving(filters, need_of(parse_query(f"process.hash.sha256:{value}").root, encoded.layout)))

    assert all(kept(str(event["process.hash.sha256"])) for event in stored[:200])
    assert sum(kept(f"{chance.getrandbits(256):064x}") for _ in range(500)) < 100
