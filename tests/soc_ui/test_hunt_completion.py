"""Completion in the query bar, the menu of a value, Parquet."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from kernel.query import matches, parse_query
from kernel.store.contract import TimeRange
from soc_ui.hunt.completion import Suggestion, before, complete, starting_with
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post

POPULAR = ("host.name", "user.name", "source.ip")


def labels(text: str, at: int | None = None) -> list[str]:
    found = complete(text, len(text) if at is None else at, POPULAR, lambda field, prefix: [(f"{field}={prefix}", 3)])
    return [one.label for one in found]


def taken(text: str, one: Suggestion) -> str:
    return text[: one.start] + one.insert + text[one.end :]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("", "host.name"),
        ("us", "user.name"),
        ("process.na", "process.name"),
        ("user.name:ro", "user.name=ro"),
        ('user.name:"ro', "user.name=ro"),
        ("user.name:root ", "AND"),
        ("user.name:root A", "AND"),
        ("NOT host", "host.name"),
        ("(host", "host.name"),
        ("a:b | t", "top"),
        ("a:b | top sour", "source.ip"),
        ('message:"a | b" AND us', "user.name"),
    ],
)
def test_what_fits_comes_first(text: str, first: str) -> None:
    assert labels(text)[0] == first


def test_a_suggestion_replaces_the_word_at_the_caret() -> None:
    text = "host.name:a AND us AND source.ip:10.0.0.1"
    (name, *_rest) = complete(text, 18, POPULAR, lambda field, prefix: [])
    assert taken(text, name) == "host.name:a AND user.name: AND source.ip:10.0.0.1"


@given(st.text(max_size=60), st.integers(-5, 80))
def test_any_text_and_caret_are_taken(text: str, at: int) -> None:
    for one in complete(text, at, POPULAR, lambda field, prefix: [("v", 1)]):
        assert 0 <= one.start <= one.end <= len(text)
    before(text, at)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=20))
def test_a_suggested_value_finds_exactly_itself(value: str) -> None:
    (one,) = complete("user.name:", 10, POPULAR, lambda field, prefix: [(value, 1)])
    query = parse_query(taken("user.name:", one))
    assert matches(query, {"user.name": value})
    assert not matches(query, {"user.name": value + "x"})
    assert not matches(query, {"host.name": value})


@given(st.text("ab*?\\", min_size=1, max_size=5), st.text("ab*?\\", max_size=5))
def test_the_prefix_is_taken_literally(prefix: str, value: str) -> None:
    query = starting_with(parse_query(""), "user.name", prefix)
    assert matches(query, {"user.name": value}) == value.startswith(prefix)


@pytest.mark.parametrize(
    ("text", "head"),
    [("a:b AND user.name:r", "a:b"), ("a:b AND NOT (user.name:r", "a:b"), ("user.name:r", ""), ("a:b c", "a:b")],
)
def test_values_are_looked_for_among_the_hits_so_far(text: str, head: str) -> None:
    assert before(text, len(text)) == head


def test_values_of_the_store_come_with_their_number(client: FlaskClient, app: APIFlask) -> None:
    text = "process.name:sv"
    answer = client.get("/hunt/complete", query_string={"q": text, "at": len(text), "last": "all"})
    (one,) = answer.get_json()["suggestions"]
    assert (one["label"], one["kind"]) == ("svchost.exe", "value")
    assert client.get("/hunt/complete", query_string={"q": 'a:"', "at": 3}).status_code == 200
    assert browser_of(app, "an.quan").get("/hunt/complete?q=a&at=1").status_code == 403


def test_the_menu_of_a_value(client: FlaskClient, filled: Services) -> None:
    found = filled.store.search(parse_query("process.name:svchost.exe"), TimeRange(), limit=1, fields=["*"]).events[0]
    args = {
        "event": found["event.id"],
        "near": found["@timestamp"],
        "field": "host.name",
        "q": "process.name:svchost.exe",
        "last": "7d",
    }
    page = client.get("/hunt/value", query_string=args).text
    assert f"entity=host:{found['host.name'].lower()}" in page
    assert "NOT+host.name" in page
    assert client.get("/hunt/value", query_string=args | {"field": "no.such"}).status_code == 404
    assert client.get("/hunt/value", query_string=args | {"event": "none"}).status_code == 404
    assert client.get("/hunt/value", query_string=args | {"q": 'x:"'}).status_code == 400


def test_parquet_has_the_whole_events(client: FlaskClient, filled: Services) -> None:
    answer = post(client, "/hunt/export", {"q": "process.name:svchost.exe", "last": "all", "format": "parquet"}, page="/hunt")
    assert answer.status_code == 200
    table = pq.read_table(io.BytesIO(answer.data))
    assert table.num_rows == filled.store.count(parse_query("process.name:svchost.exe"), TimeRange())
    assert {"@timestamp", "event.id", "process.command_line"} <= set(table.column_names)
