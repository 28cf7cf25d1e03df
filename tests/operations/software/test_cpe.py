"""CPE names: NISTIR 7695 and the table of NISTIR 7696."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.software import cpe

HTTPD = "cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*"


def test_a_name_is_read_and_written_again() -> None:
    name = cpe.parse(HTTPD)
    assert (name.vendor, name.product, name.version, str(name)) == ("apache", "http_server", "2.4.49", HTTPD)
    assert cpe.plain(cpe.parse(r"cpe:2.3:a:notepad-plus-plus:notepad\+\+:8.1:*:*:*:*:*:*:*").product) == "notepad++"
    assert cpe.parse(r"cpe:2.3:a:v:a\:b:1:*:*:*:*:*:*:*").product == r"a\:b"
    assert str(cpe.parse("cpe:/a:apache:http_server:2.4.49")) == HTTPD


@pytest.mark.parametrize(
    "text", ["", "cpe:2.3:a:b", "cpe:2.3:x:a:b:*:*:*:*:*:*:*:*", "cpe:2.3:a:a*b:c:*:*:*:*:*:*:*:*",
             "cpe:2.3:a:a b:c:*:*:*:*:*:*:*:*", "cpe:2.3:a:" + "b" * 600 + ":c:*:*:*:*:*:*:*:*"]
)  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(cpe.CpeError):
        cpe.parse(text)


@pytest.mark.parametrize(
    ("source", "target", "relation"),
    [
        ("*", "*", "equal"), ("*", "-", "superset"), ("*", "a", "superset"), ("-", "*", "subset"), ("-", "-", "equal"),
        ("-", "a", "disjoint"), ("a", "a", "equal"), ("a", "b", "disjoint"), ("a", "-", "disjoint"), ("a", "*", "subset"),
        ("a*", "ab", "superset"), ("a*", "b", "disjoint"), ("a*", "*", "subset"), ("a*", "-", "disjoint"), ("a", "a*", "undefined"),
        ("8.??", "8.1", "superset"), ("8.?", "8.10", "disjoint"),
    ],
)  # fmt: skip
def test_relations_of_values(source: str, target: str, relation: str) -> None:
    assert cpe.compare_value(source, target) == relation


def test_relations_of_names() -> None:
    every = cpe.parse("cpe:2.3:a:apache:http_server:*:*:*:*:*:*:*:*")
    assert cpe.compare(every, cpe.parse(HTTPD)) == "superset"
    assert cpe.compare(cpe.parse(HTTPD), every) == "subset"
    assert cpe.compare(every, cpe.parse(HTTPD.replace("apache", "other"))) == "disjoint"


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    for head in ("cpe:2.3:", "cpe:/", ""):
        try:
            name = cpe.parse(head + text)
        except cpe.CpeError:
            continue
        assert cpe.parse(str(name)) == name


@given(st.text(min_size=1, max_size=40))
def test_quoting_is_read_back(text: str) -> None:
    value = cpe.quoted(text)
    if value not in (cpe.ANY, cpe.NA):
        assert "".join(cpe.plain(value).split("_")) == "".join("_".join(text.strip().lower().split()).split("_"))
