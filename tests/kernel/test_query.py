"""The query language: what it accepts, what it means, and what it says about mistakes."""

from __future__ import annotations

import contextlib
import re
import time

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from kernel.errors import QueryError
from kernel.query import matches, parse_query
from kernel.query.parser import MAX_DEPTH, MAX_LENGTH, MAX_TERMS
from kernel.query.re2 import re2_search
from kernel.query.regex import parse_regex
from kernel.query.text import fold
from kernel.query.tree import Count, Fields, Histogram, Sort, Top
from kernel.query.values import ip_hex, network

EVENT = {
    "@timestamp": "2026-11-23T04:40:00.123456Z",
    "event.id": "0" * 32,
    "process.name": "PowerShell.exe",
    "process.executable": "C:\\Windows\\System32\\PowerShell.exe",
    "process.command_line": 'powershell.exe -enc "SQBFAFgA" | iex (100%_sure)',
    "process.pid": 4242,
    "source.ip": "10.1.2.3",
    "destination.ip": "2001:DB8::1",
    "user.name": "svc_backup",
    "tags": ["red", "Blau-Grün"],
    "message": "Login failed for user root from 10.9.8.7",
    "event.start": "2026-11-22T23:59:59.000000Z",
    "winlog.event_id": "4688",
    "custom.ratio": 0.5,
    "custom.flag": True,
    "custom.name with space": "x",
    "custom.none": [],
    "url.path": "/admin/login.php",
}

HITS = [
    "",
    "*",
    "process.name:powershell.exe",
    "process.name:POWERSHELL.EXE",
    "process.name:power*",
    "process.name:*shell*",
    "process.name:p?wershell.exe",
    'process.name:"powershell.exe"',
    "process.name:(cmd.exe OR powershell.exe)",
    "process.name:(p* NOT pwsh*)",
    "NOT process.name:cmd.exe",
    "NOT nothing.here:x",
    "process.name:powershell.exe user.name:svc_*",
    "process.name:powershell.exe and not user.name:li",
    "cmd.exe OR powershell",
    "(nothing OR svc_backup) failed",
    "process.executable:C:\\Windows\\System32\\powershell.exe",
    "process.executable:C:\\Windows\\\\*\\powershell.exe",
    'process.executable:"C:\\\\Windows\\\\System32\\\\powershell.exe"',
    "process.executable:*\\\\powershell.exe",
    '"-enc \\"SQBFAFgA\\""',
    "process.command_line:*100%_sure*",
    "process.command_line:*\\|*iex*",
    'process.command_line:"powershell.exe -enc \\"SQBFAFgA\\" | iex (100%_sure)"',
    'process.command_line:/-e(nc|ncodedcommand)? "[A-Z]+"/',
    "process.command_line:/^POWERshell/",
    "process.command_line:/sure\\)$/",
    "process.pid:4242",
    "process.pid:>4000",
    "process.pid:>=4242",
    "process.pid:[4242 TO 5000]",
    "process.pid:{4241 TO 4243}",
    "process.pid:42*",
    "winlog.event_id:4688",
    "winlog.event_id:>4600",
    "custom.ratio:0.5",
    "custom.ratio:<1",
    "custom.flag:TRUE",
    "custom.name\\ with\\ space:x",
    "source.ip:10.0.0.0/8",
    "source.ip:10.1.2.3",
    "source.ip:::ffff:10.1.2.3",
    "source.ip:[10.1.2.0 TO 10.1.2.255]",
    "source.ip:(192.168.0.0/16 OR 10.0.0.0/8)",
    "destination.ip:2001:db8::/32",
    "destination.ip:2001:db8:0:0:0:0:0:1",
    "10.1.0.0/16",
    "10.9.8.7",
    "2001:db8::1",
    "tags:red",
    "tags:blau-grün",
    "tags:BLAU*",
    "tags:*",
    "_exists_:tags",
    "NOT custom.none:*",
    "message:failed",
    'message:"for user root"',
    "message:log*root",
    "@timestamp:2026-11-23",
    "@timestamp:[2026-11-23 TO 2026-11-23]",
    "@timestamp:>2026-11-22",
    "@timestamp:<=2026-11",
    "@timestamp:<2026-11-23T04:40:01Z",
    "event.start:<2026-11-23T08:00:00+08:00",
    "url.path:/admin/login.php",
    "url.path:/admin/*",
    "url.path:/^.admin/",
    "user.name:[a TO t]",
]

MISSES = [
    "process.name:powershell",
    "process.name:shell*",
    "NOT process.name:powershell.exe",
    "NOT NOT nothing.here:x",
    "process.pid:424",
    "process.pid:>4242",
    "process.pid:{4242 TO 5000}",
    "custom.none:*",
    "custom.flag:1",
    "source.ip:10.0.0.0/16",
    "source.ip:2001:db8::/32",
    "destination.ip:10.0.0.0/8",
    "source.ip:[10.1.2.4 TO 10.1.2.9]",
    "nothing.here:*",
    "process.command_line:*100%sure*",
    "@timestamp:>2026-11-23",
    "user.name:{a TO svc_backup}",
    "process.name:(cmd.exe AND powershell.exe)",
    "message:/^failed/",
    "tags:/^blau$/",
]

MISTAKES = [
    ("(process.name:x", 0, "never closed"),
    ("process.name:x)", 14, "')' without '('"),
    ("a AND", 5, "condition is missing"),
    ("OR a", 0, "needs a condition before it"),
    ("a AND OR b", 6, "needs a condition before it"),
    ("NOT", 3, "condition is missing"),
    ("()", 1, "condition is missing"),
    ("process.name: x", 0, "has no value"),
    ('message:"open', 8, "never closed"),
    ('message:foo"bar"', 11, "quotation mark inside"),
    ("source.port:[1 TO", 12, "range is not complete"),
    ("source.port:[1 5]", 12, "range is not complete"),
    ("source.port:[1 TO x]", 12, "different kinds"),
    ("source.port:>*", 14, "needs a value"),
    ("source.port=445", 0, "has no ':'"),
    ("C:\\Windows\\x.exe", 0, "looks like a path"),
    ("process.name:/(?=a)b/", 14, "look-ahead"),
    ("process.name:/a(?<!b)/", 15, "look-ahead and look-behind"),
    ("process.name:/(a)\\1/", 17, "back references"),
    ("process.name:/a++/", 16, "possessive"),
    ("process.name:/*a/ x", None, None),
    ("process.name:/(a/", 16, "never closed"),
    ("process.name:/[a/", 16, "never closed"),
    ("process.name:/a{2,1}/", 15, "not possible"),
    ("process.name:/(a{999}){999}/", 14, "does not work"),
    ("process.name:/\\y/", 14, "escape"),
    ("a | ", 3, "nothing stands behind"),
    ("a | toop x", 3, "not understood"),
    ("a | top x 0", 3, "number of rows"),
    ("a | histogram 5y", 3, "no interval"),
    ("a | top 'x", 8, "no field name"),
    ("\ud800", 0, "not valid Unicode"),
]


@pytest.mark.parametrize("text", HITS)
def test_hit(text: str) -> None:
    assert matches(parse_query(text), EVENT)


@pytest.mark.parametrize("text", MISSES)
def test_miss(text: str) -> None:
    assert not matches(parse_query(text), EVENT)


@pytest.mark.parametrize(("text", "position", "message"), [m for m in MISTAKES if m[2]])
def test_mistakes_are_told_with_position_and_hint(text: str, position: int, message: str) -> None:
    with pytest.raises(QueryError, match=re.escape(message)) as caught:
        parse_query(text)
    assert caught.value.position == position
    assert caught.value.hint


def test_limits() -> None:
    with pytest.raises(QueryError, match="characters"):
        parse_query("x" * (MAX_LENGTH + 1))
    with pytest.raises(QueryError, match="nested"):
        parse_query("(" * (MAX_DEPTH + 1) + "x" + ")" * (MAX_DEPTH + 1))
    with pytest.raises(QueryError, match="too many conditions"):
        parse_query(" ".join(["x"] * (MAX_TERMS + 1)))
    parse_query("(" * MAX_DEPTH + "x" + ")" * MAX_DEPTH)
    parse_query("NOT " * 3000 + "x")


def test_pipes() -> None:
    query = parse_query('a:"x | top y" | fields process.name, user.name | sort @timestamp desc')
    assert query.pipes == (Fields(("process.name", "user.name")), Sort("@timestamp", True))
    assert parse_query("* | top source.ip").pipes == (Top("source.ip", 10),)
    assert parse_query("*|top source.ip 5|count").pipes == (Top("source.ip", 5), Count())
    assert parse_query("| histogram 15m").pipes == (Histogram(900),)
    assert parse_query('x:/a|b "c| d"/ | histogram').pipes == (Histogram(0),)
    assert parse_query("x:/a|b/ | histogram").pipes == (Histogram(0),)


def test_fold_is_one_character_for_one() -> None:
    assert fold("ΑΣ İ STRASSE Ä") == "ασ i strasse ä"


@pytest.mark.parametrize(
    ("text", "hexadecimal"),
    [
        ("10.0.0.1", "00000000000000000000ffff0a000001"),
        ("::ffff:10.0.0.1", "00000000000000000000ffff0a000001"),
        ("FE80::1%eth0", "fe800000000000000000000000000001"),
        ("::", "0" * 32),
        ("1.2.3", None),
        ("01.2.3.4", None),
        ("64:ff9b::1.2.3.4", None),
        ("fe80::1%" + "e" * 32, "fe800000000000000000000000000001"),
        ("fe80::1%" + "e" * 33, None),
        ("fe80::1%", None),
        ("fe80::1%a%b", None),
        ("10.0.0.1%eth0", None),
        ("10.0.0.1%a:b", None),
        ("x", None),
    ],
)
def test_addresses(text: str, hexadecimal: str | None) -> None:
    assert ip_hex(text) == hexadecimal


def test_networks() -> None:
    assert network("10.1.2.3/8") == ("00000000000000000000ffff0a000000", "00000000000000000000ffff0affffff")
    assert network("2001:db8::/32") == ("20010db8" + "0" * 24, "20010db8" + "f" * 24)
    assert network("10.0.0.0/33") is None


@given(st.text(max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_parses_or_says_why(text: str) -> None:
    try:
        query = parse_query(text)
    except QueryError as mistake:
        problem = mistake
    else:
        matches(query, EVENT)
        return
    assert 0 <= problem.position <= len(text)
    assert problem.message


@given(st.text(st.sampled_from(list('ab:"()*?/\\[]{}|<> .TONAND')), max_size=40))
@settings(max_examples=600, deadline=None)
def test_syntax_characters_in_any_order(text: str) -> None:
    with contextlib.suppress(QueryError):
        matches(parse_query(text), EVENT)


@given(
    st.text(st.sampled_from(list("abAB01 .\\wdsb^$[]-()|*+?{2,}é")), max_size=16),
    st.text(st.sampled_from(list("abAB01 .\n_-é")), max_size=12),
)
@settings(max_examples=600, deadline=None)
def test_python_and_re2_read_a_pattern_alike(pattern: str, text: str) -> None:
    try:
        regex = parse_regex(pattern)
    except QueryError:
        return
    if not regex.steep:
        assert (re.search(regex.python, fold(text), re.DOTALL) is not None) == re2_search(regex.re2, fold(text))


def test_a_catastrophic_pattern_takes_no_time() -> None:
    started = time.monotonic()
    assert not matches(parse_query("message:/^(a+)+$/"), {"message": "a" * 5000 + "b"})
    assert not matches(parse_query("message:/(x+x+)+y/"), {"message": "x" * 5000})
    assert time.monotonic() - started < 5
