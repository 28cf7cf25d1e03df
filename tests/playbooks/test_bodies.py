"""Values in bodies of XML, CSV and text: other readers of these formats find each value as it is, and nothing beside it."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from playbooks import bodies
from playbooks.model import Variable
from playbooks.variables import VariableError, substitute

XML = frozenset({"application/soap+xml"})
CSV = frozenset({"text/csv"})
TEXT = frozenset({"text/plain"})
ORDER = '<?xml version="1.0"?><o a="__v__:value" b=\'x__v__:value\'><!-- <c> --><t>__v__:value</t><u>a __v__:value b</u></o>'
HOSTILE = "a\"b'c<d>&e;]]><!--\r\n\tf,;=1"


def put(content: str, kinds: frozenset[str], value: str) -> str:
    written = substitute(content, {"__v__": Variable(type="string", value=value)}, None, bodies.writer(content, kinds))
    bodies.check_result(written, kinds)
    return written


def allowed_in_xml(text: str) -> bool:
    return re.search("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text) is None


@given(st.text(max_size=40).filter(allowed_in_xml))
def test_any_value_in_xml(value: str) -> None:
    root = etree.fromstring(put(ORDER, XML, value).encode())
    assert (root.get("a"), root.get("b")) == (value, f"x{value}")
    assert [(one.tag, one.text or "") for one in root if isinstance(one.tag, str)] == [("t", value), ("u", f"a {value} b")]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("<__v__:value/>", "the name of an element"),
        ("<a __v__:value='x'/>", "the name of an element"),
        ("<a><!-- __v__:value --></a>", "a comment"),
        ("<a><![CDATA[__v__:value]]></a>", "CDATA"),
        ("<a><?b __v__:value?></a>", "a processing instruction"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>__v__:value</a>', "a document type"),
        ("<a>__v__:value", "no XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16-le").decode() + " __v__:value", "letters that XML cannot"),
        ("__v__:value", "no XML"),
    ],
)
def test_where_no_value_can_stand_in_xml(content: str, place: str) -> None:
    assert place in bodies.mistake(content, XML)[0]
    with pytest.raises(VariableError, match="should be XML"):
        put(content, XML, "x")


def test_what_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(VariableError, match="control characters"):
        put("<a>__v__:value</a>", XML, "\x00")


def test_xml_is_known_by_its_beginning_where_nothing_is_said() -> None:
    assert put('<?xml version="1.0"?><a>__v__:value</a>', frozenset(), "<") == '<?xml version="1.0"?><a>&lt;</a>'
    assert put("<?xml __v__:value", TEXT, "<") == "<?xml <"


@given(st.text(max_size=30).filter(lambda text: not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)))
def test_any_value_in_csv(value: str) -> None:
    written = put('name,note\r\n__v__:value,"a __v__:value b"\r\n', CSV, value)
    rows = list(csv.reader(io.StringIO(written, newline=""), strict=True))
    assert rows == [["name", "note"], [value, f"a {value} b"]]


@pytest.mark.parametrize("value", ["a,b", "a;b", "a\tb", 'a"b', "a\nb", "a\rb"])
def test_a_part_of_a_field_takes_no_separators(value: str) -> None:
    with pytest.raises(VariableError, match="part of a field"):
        put("a,x__v__:value,b", CSV, value)
    assert put("a,x__v__:value,b", CSV, "y z") == "a,xy z,b"


def test_csv_whose_quotes_do_not_end() -> None:
    assert "quotes does not end" in bodies.mistake('a,"b __v__:value', CSV)[0]
    with pytest.raises(VariableError, match="should be CSV"):
        put('a,"b __v__:value', CSV, "x")
    with pytest.raises(VariableError, match="control characters"):
        put("__v__:value", CSV, "\x1b[31m")


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\x1b[2J", "\x85", "\u2028", "\0"])
def test_a_value_in_text_is_a_part_of_one_line(value: str) -> None:
    with pytest.raises(VariableError, match="line ends"):
        put("block __v__:value now", TEXT, value)


def test_other_letters_of_text_stay() -> None:
    without = HOSTILE.replace("\r\n", "")
    assert put("block __v__:value now", TEXT, without) == f"block {without} now"
    assert bodies.mistake("block __v__:value <", TEXT) == ("", "")
