"""Elasticsearch finds exactly the events that the matcher says the query means; with the events and queries of the lake's test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from kernel.event import timestamp_from_micros
from kernel.query import matches, parse_query
from kernel.query.matcher import elements
from kernel.store.contract import Commit, TimeRange
from kernel.store.elasticsearch.store import ElasticsearchStore
from kernel.store.storable import storable
from tests.kernel.store.elasticsearch_server import a_store
from tests.kernel.store.test_lake_means_the_matcher import FIELDS, events, odd, queries

START, HOUR = 1_795_000_000_000_000, 3_600_000_000
_numbers = count(1)
"""Each example has hours of its own in one store: a data stream takes a second to make."""

long_texts = st.builds(
    lambda word, times, tail: word * times + tail,
    st.sampled_from(["Abc d", "x", "Straße ", "10.0.0.1 "]),
    st.integers(1, 9_000),
    st.text(),
)
with_long = st.tuples(
    events, st.dictionaries(st.sampled_from(FIELDS), long_texts | st.lists(long_texts, max_size=2), max_size=1)
).map(lambda pair: pair[0] | pair[1])


@pytest.fixture(scope="module")
def store(elasticsearch_url: str) -> Iterator[ElasticsearchStore]:
    with a_store([elasticsearch_url]) as store:
        yield store


def placed(batch: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], TimeRange]:
    """The batch with ids and times, an hour apart from all other batches."""
    number = next(_numbers)
    first = START + number * 100 * HOUR
    stored = [
        event | {"event.id": f"{number:016x}{n:016x}", "@timestamp": timestamp_from_micros(first + n * HOUR)}
        for n, event in enumerate(batch)
    ]
    return stored, TimeRange(timestamp_from_micros(first), timestamp_from_micros(first + 100 * HOUR))


def found(store: ElasticsearchStore, text: str, when: TimeRange) -> set[str]:
    page = store.search(parse_query(text), when, limit=1000, fields=["event.id"])
    assert not page.damaged
    return {event["event.id"] for event in page.events}


def whole(store: ElasticsearchStore, when: TimeRange) -> dict[str, Any]:
    return {e["event.id"]: e for e in store.search(parse_query("*"), when, limit=1000, fields=["*"]).events}


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
@given(batch=st.lists(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), odd, max_size=6), min_size=1, max_size=10))
@example(batch=[{"process": {"name": "x", "pid": 2**70}}, {"tags": ["\x1f"]}, {"tags": [""]}, {"source.ip": ["10.0.0.1", "::1"]}])
@example(batch=[{"": 1, ".": 2, "a..b": 3, "_id": "x", "a": "x", "a.b": "y", "a.b.c": ["z"], "liandun.store.terms": "forged"}])
@example(batch=[{"message": "x" * 300_000, "a.folded": "b", "n": "text"}, {"n": 5}, {"n": [True, 1.5, "1.5"]}, {"n": {"deep": 1}}])
def test_odd_values_come_back_as_storable_says(store: ElasticsearchStore, batch: list[dict[str, Any]]) -> None:
    stored, when = placed(batch)
    store.commit(Commit([dict(event) for event in stored]))
    assert whole(store, when) == {e["event.id"]: storable(e) for e in stored}


@pytest.mark.slow
@settings(max_examples=26, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
@given(batch=st.lists(with_long, min_size=4, max_size=16), asked=st.lists(queries(), min_size=10, max_size=20))
@example(
    batch=[{"tags": []}, {"tags": [1, "a"]}, {"process.name": 5}, {"a.number": 2**63 + 1}, {"source.port": 2**62 + 1}],
    asked=[
        "tags:*",
        "NOT tags:*",
        "process.name:5",
        "tags:a",
        "a.number:9223372036854775809",
        "a.number:9223372036854775808",
        "source.port:4611686018427387905",
        "source.port:4611686018427387904",
        "source.port:>4611686018427387904.0",
    ],
)
@example(
    batch=[
        {"message": "Needle " + "hay" * 5_000},
        {"message": "hay" * 5_000 + "needle"},
        {"message": "no"},
        {"tags": ["x" * 9_000, "y"]},
    ],
    asked=[
        "message:needle",
        "message:needle*hay",
        "NOT message:needle",
        "needle",
        "message:/needle$/",
        "message:/^needle/",
        "tags:y",
        "tags:x*",
        "tags:*xx*",
        "tags:*xy",
        "NOT tags:*x",
        "message:*",
    ],
)
@example(
    batch=[{"process.name": w} for w in ("ⱟⰟ", "Ⱟ", "ΑΣ", "ας", "K", "İi", "ẞ", "中文")],
    asked=["process.name:ⱟ*", "process.name:Ⱟ", "process.name:αΣ", "process.name:k", "process.name:i?", "process.name:?",
           "process.name:中*",
           "process.name:/^[^a-z]$/"],
)  # fmt: skip
def test_search_equals_matcher(store: ElasticsearchStore, batch: list[dict[str, Any]], asked: list[str]) -> None:
    stored, when = placed(batch)
    store.commit(Commit([dict(event) for event in stored]))
    assert whole(store, when) == {e["event.id"]: storable(e) for e in stored}
    for text in asked:
        query = parse_query(text)
        expected = {e["event.id"] for e in stored if matches(query, storable(e))}
        assert found(store, text, when) == expected, text
        assert store.count(query, when) == len(expected), text


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
@given(batch=st.lists(with_long, min_size=4, max_size=16), asked=st.lists(queries(), min_size=2, max_size=4))
def test_counting_equals_matcher(store: ElasticsearchStore, batch: list[dict[str, Any]], asked: list[str]) -> None:
    stored, when = placed(batch)
    store.commit(Commit([dict(event) for event in stored]))
    for text in asked:
        query = parse_query(text)
        hits = [storable(e) for e in stored if matches(query, storable(e))]
        bars = store.histogram(query, when, interval=3600)
        assert Counter({bar.key: bar.count for bar in bars if bar.count}) == Counter(
            e["@timestamp"][:13] + ":00:00.000000Z" for e in hits
        )
        for field in FIELDS:
            expected = Counter((isinstance(x, bool), x) for e in hits for x in elements(e.get(field)))
            rows = store.top(query, when, field, limit=1_000)
            assert Counter({(isinstance(row.key, bool), row.key): row.count for row in rows}) == expected, (text, field)
            assert [(row.count, str(row.key)) for row in rows] == sorted(
                ((row.count, str(row.key)) for row in rows), key=lambda row: (-row[0], row[1])
            )
