"""The meaning of values and modifiers, Sigma specification 2.0 (rules and modifiers appendices)."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.detectors.sigma.sigma_rules import engine_of, event, fires, rule

LONG_DASH = "\u2013"

CASES: list[tuple[str, dict[str, Any], Any, bool]] = [
    # (what, selection, value of field f (None: missing), fires)
    ("whole value, any case", {"f": "Whoami.EXE"}, "whoami.exe", True),
    ("whole value, not a part", {"f": "whoami"}, "whoami.exe", False),
    ("list is or", {"f": ["a", "b"]}, "B", True),
    ("wildcard star", {"f": "*\\lsass.*"}, "C:\\x\\LSASS.exe", True),
    ("wildcard in the middle", {"f": "a*z"}, "abcz", True),
    ("wildcard in the middle, other end", {"f": "a*z"}, "abcy", False),
    ("wildcard one character", {"f": "a?c"}, "abc", True),
    ("wildcard one character is not none", {"f": "a?c"}, "ac", False),
    ("escaped wildcard", {"f": "a\\*c"}, "a*c", True),
    ("escaped wildcard is no wildcard", {"f": "a\\*c"}, "abc", False),
    ("backslash before a letter stays", {"f": "C:\\Windows"}, "c:\\windows", True),
    ("two backslashes are one before a wildcard", {"f": "a\\\\*"}, "a\\xyz", True),
    ("contains", {"f|contains": "mimi"}, "xMIMIx", True),
    ("contains not", {"f|contains": "mimi"}, "mim", False),
    ("startswith", {"f|startswith": "ab"}, "ABc", True),
    ("startswith not", {"f|startswith": "ab"}, "xab", False),
    ("endswith", {"f|endswith": "\\cmd.exe"}, "C:\\CMD.EXE", True),
    ("endswith not", {"f|endswith": "\\cmd.exe"}, "xcmd.exe", False),
    ("contains with wildcard inside", {"f|contains": "a*b"}, "xxaYYbzz", True),
    ("contains a backslash", {"f|contains": "\\"}, "C:\\x", True),
    ("startswith up to a backslash", {"f|startswith": "C:\\"}, "c:\\x", True),
    ("all", {"f|contains|all": ["a", "b"]}, "b-a", True),
    ("all not", {"f|contains|all": ["a", "b"]}, "b", False),
    ("cased", {"f|cased": "Ab"}, "Ab", True),
    ("cased not", {"f|cased": "Ab"}, "ab", False),
    ("contains cased", {"f|contains|cased": "Ab"}, "xAbx", True),
    ("contains cased not", {"f|contains|cased": "Ab"}, "xabx", False),
    ("startswith cased not", {"f|startswith|cased": "Ab"}, "abx", False),
    ("endswith cased", {"f|endswith|cased": "Ab"}, "xAb", True),
    ("re", {"f|re": "^a.c$"}, "abc", True),
    ("re minds case", {"f|re": "^a.c$"}, "ABC", False),
    ("re searches", {"f|re": "b+"}, "abbc", True),
    ("re i", {"f|re|i": "^a.c$"}, "ABC", True),
    ("re m", {"f|re|m": "^b$"}, "a\nb\nc", True),
    ("re without m", {"f|re": "^b$"}, "a\nb\nc", False),
    ("re s", {"f|re|s": "a.b"}, "a\nb", True),
    ("re without s", {"f|re": "a.b"}, "a\nb", False),
    ("re look-ahead (not for Hyperscan)", {"f|re": "a(?=b)"}, "ab", True),
    ("re look-ahead not", {"f|re": "a(?=b)"}, "ac", False),
    ("re back-reference", {"f|re": "(.)\\1"}, "abb", True),
    ("cidr", {"f|cidr": "10.0.0.0/8"}, "10.200.3.4", True),
    ("cidr not", {"f|cidr": "10.0.0.0/8"}, "11.0.0.1", False),
    ("cidr of six", {"f|cidr": "fe80::/10"}, "FE80::1", True),
    ("cidr of six with zone", {"f|cidr": "fe80::/10"}, "fe80::1%eth0", True),
    ("cidr of six not", {"f|cidr": "2001:db8::/32"}, "2001:db9::1", False),
    ("cidr mapped", {"f|cidr": "10.0.0.0/8"}, "::ffff:10.1.2.3", True),
    ("cidr on no address", {"f|cidr": "0.0.0.0/0"}, "example.org", False),
    ("cidr list", {"f|cidr": ["192.168.0.0/16", "::1/128"]}, "::1", True),
    ("exists", {"f|exists": True}, "x", True),
    ("exists, missing", {"f|exists": True}, None, False),
    ("exists false", {"f|exists": False}, None, True),
    ("exists false, there", {"f|exists": False}, "x", False),
    ("null, missing", {"f": None}, None, True),
    ("null, empty (Windows cannot tell)", {"f": None}, "", True),
    ("null, there", {"f": None}, "x", False),
    ("empty, empty", {"f": ""}, "", True),
    ("empty, missing", {"f": ""}, None, False),
    ("empty, there", {"f": ""}, "x", False),
    ("star, there", {"f": "*"}, "x", True),
    ("star, missing", {"f": "*"}, None, False),
    ("number", {"f": 10}, 10, True),
    ("number as text", {"f": 10}, "10", True),
    ("number as float", {"f": 10}, 10.0, True),
    ("text of a number", {"f": "10"}, 10, True),
    ("number not part", {"f": 10}, "100", False),
    ("boolean", {"f": True}, True, True),
    ("boolean as text", {"f": "true"}, True, True),
    ("boolean against text", {"f": True}, "True", True),
    ("boolean is not one", {"f": 1}, True, False),
    ("one is not boolean", {"f": True}, 1, False),
    ("lt", {"f|lt": 5}, 4, True),
    ("lt equal", {"f|lt": 5}, 5, False),
    ("lte", {"f|lte": 5}, "5", True),
    ("gt", {"f|gt": 5}, "5.5", True),
    ("gt hexadecimal", {"f|gt": 15}, "0x10", True),
    ("gte not", {"f|gte": 5}, 4.9, False),
    ("gte no number", {"f|gte": 5}, "many", False),
    ("neq", {"f|neq": "a"}, "b", True),
    ("neq same", {"f|neq": "a"}, "A", False),
    ("base64", {"f|base64|contains": "foobar"}, "x Zm9vYmFy y", True),
    ("base64offset 0", {"f|base64offset|contains": "/bin/sh"}, b64encode(b"/bin/sh -i").decode(), True),
    ("base64offset 1", {"f|base64offset|contains": "/bin/sh"}, b64encode(b"x/bin/sh -i").decode(), True),
    ("base64offset 2", {"f|base64offset|contains": "/bin/sh"}, b64encode(b"xy/bin/sh -i").decode(), True),
    ("base64offset none", {"f|base64offset|contains": "/bin/sh"}, b64encode(b"/bin/su -i").decode(), False),
    ("wide base64offset", {"f|wide|base64offset|contains": "IEX"}, b64encode("aIEX b".encode("utf-16-le")).decode(), True),
    (
        "utf16le base64offset",
        {"f|utf16le|base64offset|contains": "IEX"},
        b64encode("IEX b".encode("utf-16-le")).decode(),
        True,
    ),
    (
        "utf16be base64offset",
        {"f|utf16be|base64offset|contains": "IEX"},
        b64encode("IEX b".encode("utf-16-be")).decode(),
        True,
    ),
    ("utf16 has the mark", {"f|utf16|base64|startswith": "IEX"}, b64encode("IEX".encode("utf-16")).decode(), True),
    ("wide beyond ASCII", {"f|wide|base64|contains": "密码"}, b64encode("密码".encode("utf-16-le")).decode(), True),
    ("windash as written", {"f|windash|contains": " -enc"}, "powershell -ENC x", True),
    ("windash slash", {"f|windash|contains": " -enc"}, "powershell /enc x", True),
    ("windash long dash", {"f|windash|contains": " -enc"}, f"powershell {LONG_DASH}enc x", True),
    ("windash from slash", {"f|windash|contains": " /accepteula"}, "procdump -accepteula", True),
    ("windash all", {"f|windash|contains|all": [" -a", " -b"]}, "x /b -a", True),
    ("windash all not", {"f|windash|contains|all": [" -a", " -b"]}, "x /b", False),
    ("any element", {"f": "b"}, ["a", "B"], True),
    ("any element contains", {"f|contains|all": ["x", "y"]}, ["ax", "by"], True),
    ("no element", {"f": "c"}, ["a", "b"], False),
    ("empty list is null", {"f": None}, [], True),
    ("beyond ASCII", {"f|contains": "МИМИ"}, "мимикатц", True),
    ("trailing space counts", {"f": "NtLmSsp"}, "NtLmSsp ", False),
    ("hour", {"f|hour": 4}, "2026-11-23T04:40:00Z", True),
    ("hour in another zone", {"f|hour": 20}, "2026-11-23T04:40:00+08:00", True),
    ("week", {"f|week": 48}, "2026-11-23T04:40:00Z", True),
    ("day not", {"f|day": 24}, "2026-11-23T04:40:00Z", False),
    ("year", {"f|year": 2026}, "2026-11-23 04:40:00", True),
    ("minute on no time", {"f|minute": 40}, "at forty past", False),
]


@pytest.mark.parametrize("hyperscan", ["hyperscan", "without"])
@pytest.mark.parametrize(("what", "selection", "value", "expected"), CASES, ids=[case[0] for case in CASES])
def test_modifier(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hyperscan: str,
    what: str,
    selection: dict[str, Any],
    value: Any,
    expected: bool,
) -> None:
    if hyperscan == "without":
        monkeypatch.setenv("LIANDUN_NO_HYPERSCAN", "1")
    fields = {} if value is None else {"f": value}
    assert fires(tmp_path / "a", {"s": selection, "condition": "s"}, fields) is expected
    assert fires(tmp_path / "b", {"s": selection, "condition": "not s"}, fields) is not expected


def test_field_reference_compares_two_fields_without_case(tmp_path: Path) -> None:
    detection = {"s": {"a|fieldref": "b"}, "condition": "s"}
    assert fires(tmp_path, detection, {"a": "Root", "b": "root"})
    assert not fires(tmp_path, detection, {"a": "root", "b": "toor"})
    assert not fires(tmp_path, detection, {"a": "root"})
    assert fires(tmp_path, {"s": {"a|fieldref|startswith": "b"}, "condition": "s"}, {"a": "C:\\x\\y", "b": "c:\\x"})
    assert fires(tmp_path, {"s": {"a|fieldref": "b"}, "condition": "not s"}, {"a": "root"})


def test_placeholders_come_from_the_configuration(tmp_path: Path) -> None:
    detection = {"s": {"user|expand": "%admins%"}, "condition": "s"}
    assert fires(tmp_path, detection, {"user": "Root"}, placeholders={"admins": ["root", "admin*"]})
    assert fires(tmp_path, detection, {"user": "administrator"}, placeholders={"admins": ["root", "admin*"]})
    engine = engine_of(tmp_path / "none", rule(detection))
    assert [failure.reason for failure in engine.failures] == ["placeholder admins has no value (give it one in the configuration)"]
    assert engine.failures[0].line == next(
        number for number, line in enumerate((tmp_path / "none/rule000.yml").read_text().splitlines(), 1) if "%admins%" in line
    )


KEYWORDS: list[tuple[Any, dict[str, Any], bool]] = [
    (["mimikatz", "sekurlsa"], {"message": "ran MIMIKATZ today"}, True),
    (["mimikatz"], {"message": "nothing"}, False),
    ({"|all": ["foo", "bar"]}, {"message": "bar", "other": "xfoo"}, True),
    ({"|all": ["foo", "bar"]}, {"message": "bar"}, False),
    (["a*c"], {"message": "xx abbc"}, True),
    (["C:\\Temp\\"], {"event.original": "wrote c:\\temp\\x"}, True),
    ({"|re": "fo+"}, {"message": "afoo"}, True),
    ([4711], {"message": "code 4711"}, True),
]


@pytest.mark.parametrize(("keywords", "fields", "expected"), KEYWORDS)
def test_keywords_look_into_every_value(tmp_path: Path, keywords: Any, fields: dict[str, Any], expected: bool) -> None:
    assert fires(tmp_path, {"keywords": keywords, "condition": "keywords"}, fields) is expected


CONDITIONS: list[tuple[str, bool]] = [
    ("1 of sel_*", True),
    ("all of sel_*", False),
    ("1 of them", True),
    ("any of sel_*", True),
    ("all of them", False),
    ("sel_a and not sel_b", True),
    ("not sel_a or sel_b", False),
    ("sel_a and (sel_b or other)", True),
    ("not (sel_a and other)", False),
    ("not 1 of sel_*", False),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_conditions(tmp_path: Path, condition: str, expected: bool) -> None:
    detection = {
        "sel_a": {"f": "x"},
        "sel_b": {"g": "y"},
        "other": {"h|exists": True},
        "_hidden": {"f": "never"},
        "condition": condition,
    }
    assert fires(tmp_path, detection, {"f": "x", "h": "1"}) is expected


def test_a_list_of_conditions_is_an_alternative(tmp_path: Path) -> None:
    detection = {"a": {"f": "x"}, "b": {"g": "y"}, "condition": ["a", "b"]}
    assert fires(tmp_path, detection, {"g": "y"})


def test_selections_of_lists_of_maps(tmp_path: Path) -> None:
    detection = {"s": [{"f": "x", "g": "y"}, {"h": "z"}], "condition": "s"}
    assert fires(tmp_path, detection, {"f": "x", "g": "y"})
    assert fires(tmp_path, detection, {"h": "z"})
    assert not fires(tmp_path, detection, {"f": "x"})


def test_matched_fields_say_why(tmp_path: Path) -> None:
    detection = {
        "img": {"process.executable|endswith": ["\\cmd.exe", "\\powershell.exe"]},
        "cli": {"process.command_line|contains|all": ["-enc", "hidden"]},
        "filter": {"user.name": "backup"},
        "condition": "img and cli and not filter",
    }
    engine = engine_of(
        tmp_path, rule(detection, tags=["attack.t1059"], references=["https://example.org"], falsepositives=["none"])
    )
    found = engine.match(
        event(**{"process.executable": "C:\\PowerShell.exe", "process.command_line": "x -Enc -w Hidden", "user.name": "eve"})
    )
    assert [(match.field, match.value, match.pattern, match.selection) for match in found[0].matched] == [
        ("process.executable", "C:\\PowerShell.exe", "\\powershell.exe", "img"),
        ("process.command_line", "x -Enc -w Hidden", "-enc", "cli"),
        ("process.command_line", "x -Enc -w Hidden", "hidden", "cli"),
    ]
    assert (found[0].tags, found[0].author, found[0].references) == (["attack.t1059"], "Liandun", ["https://example.org"])
    assert found[0].engine == "sigma"
    assert found[0].event_ids == ["e1"]


def test_matched_fields_name_what_the_envelope_decided(tmp_path: Path) -> None:
    detection = {"s": {"EventID": [1102, 517], "Channel": "Security"}, "condition": "s"}
    engine = engine_of(tmp_path, rule(detection, logsource={"product": "windows", "service": "security"}))
    found = engine.match(event(**{"event.code": "1102", "winlog.channel": "Security", "event.dataset": "windows.security"}))
    assert [(match.field, match.value, match.pattern, match.selection) for match in found[0].matched] == [
        ("event.code", "1102", "1102", "s"),
        ("winlog.channel", "Security", "Security", "s"),
    ]


@pytest.mark.parametrize("modifiers", ["re", "re|i"])
def test_expressions_are_shown_as_written(tmp_path: Path, modifiers: str) -> None:
    written = r"a.*b?\\c\d\?"
    engine = engine_of(tmp_path, rule({"s": {f"f|{modifiers}": written}, "condition": "s"}))
    found = engine.match(event(f="axxb\\c7?"))
    assert [match.pattern for match in found[0].matched] == [written]


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ({"f": "x"}, ["", "x"], True),
        ({"f": ""}, ["", "x"], True),
        ({"f|re": "^$"}, ["", "x"], True),
        ({"f|re": "^y$"}, ["", "x"], False),
        ({"f": None}, ["", "x"], False),
        ({"f": None}, ["", ""], True),
        ({"f": "*"}, ["", "x"], True),
    ],
)
def test_lists_with_empty_elements(tmp_path: Path, condition: dict[str, Any], value: list[str], expected: bool) -> None:
    assert fires(tmp_path, {"s": condition, "condition": "s"}, {"f": value}) is expected
