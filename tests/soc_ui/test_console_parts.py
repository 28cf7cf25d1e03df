"""The small parts: times, rule text, exported cells, event tables, links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from apiflask import APIFlask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from kernel.detection import MatchedField
from kernel.query import matches, parse_query
from soc_ui import csrf, event_view, times
from soc_ui.alerts.filters import Links
from soc_ui.alerts.rule_source import highlight, mark_value
from soc_ui.hunt.export import _cell
from soc_ui.sources.views import shown_bytes
from tests.soc_ui.seed import RULES

MOMENT = "2026-11-23T04:40:00.123456Z"


def test_a_time_is_shown_local_with_utc_on_hover(app: APIFlask) -> None:
    with app.test_request_context():
        assert times.show(MOMENT, "full") == (
            '<time datetime="2026-11-23T04:40:00.123456Z" title="2026-11-23 04:40:00.123 UTC">2026-11-23 12:40:00.123</time>'
        )
    with app.test_request_context(headers={"Cookie": "zone=UTC"}):
        assert ">2026-11-23 04:40:00.123<" in times.show(MOMENT, "full")
        assert times.show("") == "—"
        assert times.show("not a time") == "—"


def test_a_typed_time_is_of_the_zone_of_the_page(app: APIFlask) -> None:
    with app.test_request_context():
        chosen = times.window(MultiDict({"from": "2026-11-23T12:40:00", "to": "2026-11-23T05:00:00Z"}))
        assert chosen.range == times.TimeRange("2026-11-23T04:40:00.000000Z", "2026-11-23T05:00:00.000000Z")
        assert times.field_value(chosen.start) == "2026-11-23T12:40:00"
        again = times.window(MultiDict(chosen.args()))
        assert again == chosen


@pytest.mark.parametrize(("seconds", "text"), [(0, "just now"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (86400 * 3, "3 d")])
def test_durations_are_told_in_their_largest_unit(app: APIFlask, seconds: int, text: str) -> None:
    with app.test_request_context(headers={"Cookie": "lang=en"}):
        assert times.span(seconds) == text
        moment = datetime.now(UTC) - timedelta(seconds=seconds)
        assert times.ago(moment) == (f"{text} ago" if seconds else "just now")


def test_a_pattern_is_marked_only_inside_its_selection() -> None:
    matched = [MatchedField("GrantedAccess", "0x1410", "*0x1410*", "selection_rights")]
    marked = [(line.number, text) for line in highlight(RULES[0].source_text, matched) for text, hit in line.pieces if hit]
    assert marked == [(18, "0x1410")]
    elsewhere = [MatchedField("GrantedAccess", "0x1410", "*0x1410*", "selection_target")]
    assert not any(line.hit for line in highlight(RULES[0].source_text, elsewhere))


@pytest.mark.parametrize(
    ("line", "pattern", "marked"),
    [
        ("    Image|endswith: '\\image.exe'", "*\\image.exe", "\\image.exe"),
        ("    CommandLine|contains: ' cl '", " cl ", " cl "),
        ("      - 'it''s'", "it's", "it''s"),
        ("    Value|re: '(?:^|a*)x'", "(\\?:^|a\\*)x", "(?:^|a*)x"),
        ("    Image: other", "image", None),
    ],
)
def test_a_pattern_is_found_however_yaml_spells_it(line: str, pattern: str, marked: str | None) -> None:
    source = f"detection:\n  selection:\n{line}\n"
    found = [text for row in highlight(source, [MatchedField("f", "v", pattern, "selection")]) for text, hit in row.pieces if hit]
    assert found == ([marked] if marked else [])


def test_only_the_part_of_a_value_that_was_asked_for_is_marked() -> None:
    assert mark_value(r"C:\Windows\System32\LSASS.exe", r"*\lsass.exe") == (
        (r"C:\Windows\System32", False),
        (r"\LSASS.exe", True),
        ("", False),
    )
    assert mark_value("12", "gte 10 within 300 s") == (("12", True),)


@given(st.text(), st.lists(st.builds(MatchedField, field=st.text(), value=st.text(), pattern=st.text(), selection=st.text())))
def test_marking_never_changes_the_text_of_a_rule(source: str, matched: list[MatchedField]) -> None:
    lines = highlight(source, matched)
    assert ["".join(text for text, _ in line.pieces) for line in lines] == source.splitlines()[:400]


def test_numbers_stay_numbers_in_an_export() -> None:
    assert _cell({"source.bytes": -5}, "source.bytes") == "-5"


FIELDS = st.from_regex(r"[a-zA-Z@][\w.() -]{0,30}[\w)]", fullmatch=True)


@given(FIELDS, st.one_of(st.text(max_size=80).filter(lambda value: value.strip() != ""), st.integers(), st.booleans()))
def test_a_pivot_finds_the_event_it_was_made_from(field: str, value: object) -> None:
    query = event_view.term(field, value)
    assert matches(parse_query(query), {field: value}), query
    assert not matches(parse_query(query), {field: f"{value} and more"}), query


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 'a:"b"'),
        ("x:1", 'x:1 AND a:"b"'),
        ("x:1 OR y:2", '(x:1 OR y:2) AND a:"b"'),
        ('m:"p | q" | top x 3 | sort x', 'm:"p | q" AND a:"b" | top x 3 | sort x'),
    ],
)
def test_a_pivot_narrows_the_query_and_keeps_its_pipes(app: APIFlask, query: str, expected: str) -> None:
    with app.test_request_context():
        link = event_view.pivot("a", "b", query=query, last="24h")
    assert parse_qs(urlsplit(link).query) == {"q": [expected], "last": ["24h"]}


def test_a_field_that_the_language_cannot_spell_is_searched_by_its_value() -> None:
    assert event_view.term("labels.é!", 'a "b"') == '"a \\"b\\""'


@given(st.binary(max_size=300))
def test_broken_bytes_are_readable_and_harmless(raw: bytes) -> None:
    text = shown_bytes(raw)
    assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_links_change_one_filter_and_forget_the_page() -> None:
    links = Links("/alerts", MultiDict([("status", "new"), ("level", "high"), ("cursor", "x"), ("done", "change")]))
    assert links.toggle("status", "new") == "/alerts?level=high"
    assert links.toggle("level", "low") == "/alerts?status=new&level=high&level=low"
    assert links.with_(order="oldest") == "/alerts?status=new&level=high&order=oldest"
    assert Links("/alerts", MultiDict([("status", "new")])).toggle("status", "new") == "/alerts?view=all"


def test_csrf_tokens_differ_by_cookie_and_do_not_show_it() -> None:
    assert csrf.token_for("a") != csrf.token_for("b")
    assert "secret" not in csrf.token_for("secret")
