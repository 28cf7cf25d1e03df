"""Conditions as people write them: read strictly, refused with the place, and patterns of entities."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import Invalid
from playbooks.triggers.conditions import EntityPattern, kept_condition, read_condition, write_condition

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("alert", {"level": "high"}),
    ("alert", {"rules": ["a", "b"], "zones": ["z"], "datasets": ["d"], "per": "user"}),
    ("alert", {"entities": [{"kind": "ip", "pattern": "2001:db8::/32"}, {"kind": "host", "pattern": "srv-*"}]}),
    ("incident", {"phases": ["containment"], "classes": ["01"], "level": 2}),
    ("warning", {"levels": ["orange", "red"]}),
    ("schedule", {"every_minutes": 15}),
    ("schedule", {"at": "03:30"}),
    ("schedule", {"at": "23:59", "days": ["mon", "fri"]}),
    ("webhook", {"source": 3, "level": "low"}),
]


@pytest.mark.parametrize(("kind", "given"), GOOD)
def test_what_is_kept_is_what_was_read(kind: str, given: dict[str, Any]) -> None:
    condition = read_condition(kind, given)
    assert kept_condition(kind, write_condition(condition)) == condition


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("alert", {}, "condition"),
        ("alert", {"per": "host"}, "condition"),
        ("alert", {"level": "severe"}, "condition.level"),
        ("alert", {"rules": [""]}, "condition.rules[0]"),
        ("alert", {"colour": "red"}, "condition"),
        ("alert", {"level": "high", "per": "process"}, "condition.per"),
        ("alert", {"entities": [{"kind": "planet", "pattern": "x"}]}, "condition.entities[0].kind"),
        ("alert", {"entities": [{"kind": "host", "pattern": "**"}]}, "condition.entities[0].pattern"),
        ("alert", {"entities": [{"kind": "ip", "pattern": "10.0.0.0/33"}]}, "condition.entities[0].pattern"),
        ("incident", {"level": 1}, "condition.phases"),
        ("incident", {"phases": ["panic"]}, "condition.phases[0]"),
        ("incident", {"phases": ["review"], "level": 5}, "condition.level"),
        ("warning", {}, "condition.levels"),
        ("schedule", {}, "condition"),
        ("schedule", {"days": ["mon"]}, "condition"),
        ("schedule", {"at": "24:00"}, "condition.at"),
        ("schedule", {"at": "3:30"}, "condition.at"),
        ("schedule", {"every_minutes": 1}, "condition.every_minutes"),
        ("schedule", {"every_minutes": 10, "at": "03:30"}, "condition.every_minutes"),
        ("webhook", {}, "condition"),
        ("webhook", {"source": 0}, "condition.source"),
        ("comet", {}, "kind"),
    ],
)
def test_what_is_refused_and_where(kind: str, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_condition(kind, given)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("10.0.0.0/8", "10.9.9.9", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.0/8", "2001:db8::1", False),
        ("2001:db8::/32", "2001:db8:1::7", True),
        ("203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.99", False),
        ("203.0.113.*", "203.0.113.99", True),
        ("10.0.0.0/8", "no address", False),
    ],
)
def test_patterns_of_addresses(pattern: str, value: str, fits: bool) -> None:
    assert EntityPattern("ip", pattern).fits("ip", value) is fits
    assert not EntityPattern("ip", pattern).fits("host", value)


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [("SRV-*", "srv-01", True), ("srv-??", "srv-01", False), ("srv-[0-9]", "srv-1", False), ("srv-[0-9]", "srv-[0-9]", True),
     ("*.example.cn", "a.b.example.cn", True), ("srv", "srv-01", False)],
)  # fmt: skip
def test_patterns_of_names(pattern: str, value: str, fits: bool) -> None:
    assert EntityPattern("host", pattern).fits("host", value) is fits


@given(st.text(max_size=30), st.text(max_size=30))
def test_patterns_say_yes_or_no_to_anything(pattern: str, value: str) -> None:
    for kind in ("host", "ip"):
        assert EntityPattern(kind, pattern or "x").fits(kind, value) in (True, False)


@given(st.text(st.characters(exclude_characters="*", codec="utf-8"), min_size=1, max_size=30))
def test_a_pattern_without_a_star_means_itself(text: str) -> None:
    assert EntityPattern("host", text).fits("host", text.lower())
