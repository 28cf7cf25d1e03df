"""Values in YARA rules are found as the octets that they are, and can become nothing else: the compiler of YARA itself decides."""

from __future__ import annotations

import pytest
import yara
from hypothesis import given
from hypothesis import strategies as st

from playbooks.model import Variable
from playbooks.variables import VariableError
from playbooks.yara_text import MOST_OCTETS, filled, misplaced, mistake

RULE = 'rule one { strings: $a = "x__word__:valuey" ascii condition: $a }'
REGEX = "a regular expression"


def with_value(value: str, rule: str = RULE) -> str:
    return filled(rule, {"__word__": Variable(type="string", value=value)}, None)


@given(st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip())))
def test_any_value_is_found_as_it_is(value: str) -> None:
    octets = value.encode("utf-8", "replace")
    rules = yara.compile(source=with_value(value), includes=False)
    assert [rule.identifier for rule in rules] == ["one"]
    assert rules.match(data=b"..x" + octets + b"y..")
    assert not rules.match(data=b"..x" + octets)


def test_a_value_ends_no_text() -> None:
    written = with_value('" condition: true } rule two { condition: true } //')
    assert [rule.identifier for rule in yara.compile(source=written, includes=False)] == ["one"]


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("rule one { condition: filesize < __word__:value }", "names, octets and conditions"),
        ("rule __word__:value { condition: true }", "names, octets and conditions"),
        ("rule one { strings: $a = { 41 __word__:value } condition: $a }", "names, octets and conditions"),
        ("rule one { strings: $a = /x__word__:value\\/y/ condition: $a }", REGEX),
        ('rule one { strings: $a = "a\\"" $b = /"__word__:value/ condition: any of them }', REGEX),
        ("rule one { condition: true } // __word__:value", "a comment"),
        ('rule one { /* "*/ condition: true } /* "__word__:value" */', "a comment"),
        ('import "__word__:value" rule one { condition: true }', "an import"),
        ('import /* " */ "__word__:value" rule one { condition: true }', "an import"),
    ],
)
def test_where_no_value_can_stand(rule: str, place: str) -> None:
    assert misplaced(rule) == place
    with pytest.raises(VariableError, match="cannot stand"):
        with_value("pe", rule)


def test_an_empty_value_is_refused() -> None:
    with pytest.raises(VariableError, match="found everywhere"):
        with_value(" ")


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ('include "/etc/passwd" rule one { condition: true }', "cannot include"),
        ('include /* a */ // b\n "/etc/passwd" rule one { condition: true }', "cannot include"),
        ('include/**/"/etc/passwd" rule one { condition: true }', "cannot include"),
        ('// rule one { condition: true }\n"rule two"', "there is no YARA rule"),
        (f'rule one {{ strings: $a = "{"x" * MOST_OCTETS}" condition: $a }}', "more than"),
        ('rule one { meta: a = "include \\"x\\"" condition: true }', ""),
        ('rule one { strings: $include = "x" condition: $include // x\n and filename == "x" }', ""),
        ('private rule one { strings: $include = "x" condition: $include }', ""),
    ],
)
def test_the_form_of_rules(rule: str, problem: str) -> None:
    assert (problem in mistake(rule)) if problem else mistake(rule) == ""
