"""Files of indicators: what each form gives, and that nothing a file holds breaks the reader."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import Invalid
from operations.indicators.formats import READERS, form_of, read
from operations.indicators.formats.stix import values_of
from operations.indicators.schema import Candidate, Refused


def _read(form: str, octets: bytes) -> list[Candidate | Refused]:
    return list(read(form, io.BytesIO(octets)))


def _values(form: str, octets: bytes) -> list[str]:
    return [one.value for one in _read(form, octets) if isinstance(one, Candidate)]


def test_lines() -> None:
    octets = (
        "\ufeff203.0.113.9\r\n# remark\n; remark\n\n 198.51.100.7 # seen today\n0.0.0.0 ads.example\n127.0.0.1 localhost\n"
        "two words\n" + "a" * 5000 + "\nafter.example"
    ).encode()
    found = _read("lines", octets + b"\n\xff\xfe\n")
    assert [one.value for one in found if isinstance(one, Candidate)] == [
        "203.0.113.9",
        "198.51.100.7",
        "ads.example",
        "after.example",
    ]
    assert [one.place for one in found if isinstance(one, Refused)] == ["line 8", "line 9", "line 11"]


def test_table() -> None:
    octets = (
        b"value,kind,confidence,tlp,note,reference,valid_until,revoked\n"
        b'203.0.113.9,address,80,TLP:AMBER,"two\nlines",https://r.example,2030-01-01,0\n'
        b"evil.example,,,,,,,yes\nx.example,domain,much,,,,,\ny.example,,,,,,,,,too,many\n"
    )
    found = _read("table", octets)
    assert found[0] == Candidate(
        "203.0.113.9", "line 3", "address", 80, "TLP:AMBER", "two\nlines", "https://r.example", "2030-01-01"
    )
    assert found[1] == Candidate("evil.example", "line 4", revoked=True)
    assert [(one.place, "confidence" in one.reason) for one in found[2:] if isinstance(one, Refused)] == [
        ("line 5", True),
        ("line 6", False),
    ]


@pytest.mark.parametrize("head", ["", "kind,note", "value,colour", "value,value"])
def test_a_table_needs_its_head_line(head: str) -> None:
    with pytest.raises(Invalid):
        _read("table", head.encode() + b"\n1,2\n")


# patterns as the STIX 2.1 specification writes them (section 9.8), and as feeds do
@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("[ipv4-addr:value = '198.51.100.1/32']", [("network", "198.51.100.1/32")]),
        (
            "[ipv4-addr:value = '198.51.100.5'] OR [ipv6-addr:value='2001:db8::5']",
            [("address", "198.51.100.5"), ("address", "2001:db8::5")],
        ),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", [("network", "198.51.100.0/24")]),
        (
            "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
            [("hash", "aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f")],
        ),
        (
            "[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4' OR "
            "file:hashes.'SHA-1' = 'cac35ec206d868b7d7cb0b55f31d9425b075082b']",
            [("hash", "79054025255fb1a26e4bc422aef54eb4"), ("hash", "cac35ec206d868b7d7cb0b55f31d9425b075082b")],
        ),
        ("[url:value = 'http://example.com/foo\\'s']", [("url", "http://example.com/foo's")]),
        ("[domain-name:value IN ('a.example', 'b.example')]", [("domain", "a.example"), ("domain", "b.example")]),
        ("[email-message:from_ref.value = 'x@evil.example']", [("email", "x@evil.example")]),
    ],
)
def test_patterns(pattern: str, values: list[tuple[str, str]]) -> None:
    assert values_of(pattern) == values


@pytest.mark.parametrize(
    "pattern",
    [
        "[file:hashes.MD5 = 'a' AND file:name = 'b']",
        "[ipv4-addr:value = 'a'] FOLLOWEDBY [url:value = 'b']",
        "[a:b = 'c']",
        "[ipv4-addr:value != '1.2.3.4']",
        "[url:value MATCHES '^x']",
        "",
        "[",
        "[ipv4-addr:value = '1.2.3.4'",
        "[domain-name:value = 'a'] WITHIN 5 SECONDS",
        "([url:value = 'a'])",
    ],
)
def test_what_is_not_one_value_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        values_of(pattern)


@given(st.text(alphabet="[]'()= ORANDIN:.ab\\", max_size=80))
def test_any_text_is_a_pattern_or_refused(pattern: str) -> None:
    try:
        values_of(pattern)
    except ValueError:
        return


STIX = {
    "type": "bundle",
    "id": "bundle--1",
    "objects": [
        {"type": "malware", "id": "malware--1", "name": "x"},
        {
            "type": "indicator",
            "spec_version": "2.1",
            "id": "indicator--1",
            "pattern": "[domain-name:value = 'evil.example']",
            "pattern_type": "stix",
            "valid_from": "2026-01-01T00:00:00Z",
            "valid_until": "2027-01-01T00:00:00Z",
            "name": "C2",
            "confidence": 85,
            "external_references": [{"source_name": "report", "url": "https://report.example"}],
            "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
        },
        {
            "type": "indicator",
            "id": "indicator--2",
            "pattern": "[url:value = 'http://a.example/']",
            "pattern_type": "stix",
            "revoked": True,
        },
        {"type": "indicator", "id": "indicator--3", "pattern": "alert tcp any any", "pattern_type": "snort"},
        {
            "type": "indicator",
            "id": "indicator--4",
            "pattern": None,
            "confidence": "high",
            "external_references": 7,
            "object_marking_refs": {},
        },
        17,
    ],
}


def test_stix() -> None:
    found = _read("stix", json.dumps(STIX).encode())
    assert found[0] == Candidate(
        "evil.example", "indicator--1", "domain", 85, "green", "C2", "https://report.example", "2027-01-01T00:00:00Z"
    )
    assert found[1] == Candidate("http://a.example/", "indicator--2", "url", revoked=True)
    assert [one.place for one in found[2:] if isinstance(one, Refused)] == ["indicator--3", "indicator--4", "object 6"]


MISP = {
    "Event": {
        "uuid": "event-1",
        "info": "Phishing",
        "Tag": [{"name": "tlp:amber"}],
        "Attribute": [
            {"uuid": "a1", "type": "domain|ip", "value": "evil.example|203.0.113.9", "to_ids": True},
            {"uuid": "a2", "type": "ip-dst|port", "value": "2001:db8::9|443", "to_ids": True, "comment": "C2"},
            {"uuid": "a3", "type": "text", "value": "hello", "to_ids": True},
            {"uuid": "a4", "type": "md5", "value": "ab" * 16, "to_ids": False},
            {"uuid": "a5", "type": "filename|sha256", "value": "only a name", "to_ids": True},
        ],
        "Object": [{"Attribute": [{"uuid": "o1", "type": "sha256", "value": "cd" * 32, "to_ids": True, "deleted": True}]}, None],
    }
}


@pytest.mark.parametrize("document", [MISP, {"response": [MISP]}, [MISP], MISP["Event"]])
def test_misp(document: object) -> None:
    found = _read("misp", json.dumps(document).encode())
    assert [(one.value, one.kind, one.tlp, one.note, one.revoked) for one in found if isinstance(one, Candidate)] == [
        ("evil.example", "domain", "tlp:amber", "Phishing", False),
        ("203.0.113.9", "address", "tlp:amber", "Phishing", False),
        ("2001:db8::9", "address", "tlp:amber", "Phishing — C2", False),
        ("cd" * 32, "hash", "tlp:amber", "Phishing", True),
    ]
    assert [one.place for one in found if isinstance(one, Refused)] == ["a3", "a5"]


@pytest.mark.parametrize("octets", [b"", b"{", b"7", b'"x"', b'{"objects": 7}', b"\xff", b"[" * 5000, b"null"])
def test_what_is_no_document_is_said_so(octets: bytes) -> None:
    with pytest.raises(Invalid):
        _read("stix", octets)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Event",
                    "Attribute",
                    "Object",
                    "Tag",
                    "type",
                    "value",
                    "to_ids",
                    "name",
                    "id",
                    "uuid",
                    "pattern",
                    "pattern_type",
                    "objects",
                    "response",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(READERS)), st.one_of(st.binary(max_size=200), _JSON.map(lambda found: json.dumps(found).encode())))
def test_nothing_that_a_file_holds_breaks_a_reader(form: str, octets: bytes) -> None:
    try:
        for one in read(form, io.BytesIO(octets)):
            assert isinstance(one, Candidate | Refused)
    except Invalid:
        return


def test_forms_are_recognised() -> None:
    assert form_of("feed.txt", b"203.0.113.9\n") == "lines"
    assert form_of("feed.csv", b"x") == "table"
    assert form_of("", b"value,kind\n") == "table"
    assert form_of("x.json", json.dumps(STIX).encode()) == "stix"
    assert form_of("x.json", json.dumps(MISP).encode()) == "misp"
