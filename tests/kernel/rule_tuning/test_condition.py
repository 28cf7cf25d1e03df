"""Conditions of exceptions: what they match, what they refuse."""

from __future__ import annotations

import fnmatch
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.rule_tuning.condition import Condition, Conditions, compiled, expression, problem_of, texts_of


def holds(field: str, operator: str, value: str, event: dict[str, object], group: dict[str, str] | None = None) -> bool:
    return Conditions((Condition(field, operator, value),)).hold(event, group or {})


@pytest.mark.parametrize(
    ("operator", "value", "found", "expected"),
    [
        ("equals", "BACKUP-01", "backup-01", True),
        ("equals", "backup", "backup-01", False),
        ("equals", "a*", "a*", True),
        ("equals", "a*", "ab", False),
        ("equals", "4625", 4625, True),
        ("equals", "true", True, True),
        ("wildcard", r"C:\Program Files\Backup\*", r"c:\program files\backup\agent.exe", True),
        ("wildcard", r"C:\Program Files\Backup\*", r"C:\Program Files\Other\agent.exe", False),
        ("wildcard", "*-nightly ?", "run -nightly 1", True),
        ("wildcard", "*-nightly ?", "run -nightly 12", False),
        ("wildcard", "a.c*", "abc", False),
        ("wildcard", "*", "", None),
        ("cidr", "10.21.0.0/16", "10.21.3.4", True),
        ("cidr", "10.21.0.0/16", "::ffff:10.21.3.4", True),
        ("cidr", "10.21.0.0/16", "10.22.3.4", False),
        ("cidr", "2001:db8:1::/48", "2001:db8:1::7", True),
        ("cidr", "2001:db8:1::/48", "fe80::1%eth0", False),
        ("cidr", "2001:db8:1::/48", "no address", False),
        ("cidr", "10.1.2.3", "10.1.2.3", True),
    ],
)
def test_what_a_condition_matches(operator: str, value: str, found: object, expected: bool | None) -> None:
    if expected is None:
        assert problem_of(Condition("f", operator, value))
    else:
        assert holds("f", operator, value, {"f": found}) is expected


def test_of_several_values_one_is_enough_and_a_missing_field_matches_nothing() -> None:
    assert holds("dns.resolved_ip", "cidr", "10.0.0.0/8", {"dns.resolved_ip": ["192.0.2.1", "10.1.1.1"]})
    assert not holds("user.name", "wildcard", "a*", {"host.name": "a"})
    assert not holds("user.name", "equals", "none", {"user.name": None})


def test_all_conditions_must_hold_and_a_correlation_has_its_group() -> None:
    both = Conditions((Condition("source.ip", "equals", "10.1.1.1"), Condition("user.name", "equals", "scan")))
    assert both.hold({"user.name": "scan"}, {"source.ip": "10.1.1.1"})
    assert not both.hold({"user.name": "scan", "source.ip": "10.1.1.2"}, {"source.ip": "10.1.1.1"})


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (Condition("", "equals", "a"), "no field"),
        (Condition("a\nb", "equals", "a"), "no field"),
        (Condition("f", "regex", "a"), "no operator"),
        (Condition("f", "equals", "  "), "missing"),
        (Condition("f", "equals", "a" * 1025), "1024"),
        (Condition("f", "equals", "a\nb"), "one line"),
        (Condition("f", "wildcard", "*?"), "everything"),
        (Condition("f", "cidr", "10.0.0.0/33"), "no network"),
        (Condition("f", "cidr", "0.0.0.0/0"), "everything"),
        (Condition("f", "cidr", "::/0"), "everything"),
    ],
)
def test_what_is_refused(condition: Condition, told: str) -> None:
    assert told in problem_of(condition)
    with pytest.raises(ValueError, match=re.escape(told)):
        compiled(condition)


def test_no_condition_is_no_exception() -> None:
    with pytest.raises(ValueError, match="needs a condition"):
        Conditions(())


@given(st.text("ab*?.\\", max_size=12), st.text("ab.\\", max_size=16))
def test_a_pattern_means_what_it_means_in_a_shell(pattern: str, value: str) -> None:
    """fnmatch has sets in brackets, which do not occur in these texts."""
    expected = re.fullmatch(fnmatch.translate(pattern), value) is not None
    assert (expression(pattern).fullmatch(value) is not None) is expected


def test_a_pattern_of_many_stars_costs_no_time() -> None:
    started = time.perf_counter()
    assert not holds("f", "wildcard", "*a" * 50 + "b", {"f": "a" * 3_000})
    assert time.perf_counter() - started < 1  # milliseconds; trying every split would take for ever


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_values_become_texts(value: object) -> None:
    assert all(isinstance(text, str) for text in texts_of(value))
