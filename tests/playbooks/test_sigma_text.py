"""Values in a Sigma rule stay values: against the engine itself."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.engine import SigmaEngine
from detectors.sigma.loader import load_file
from detectors.sigma.logsource import load_routes
from detectors.sigma.source import RuleFile
from playbooks.model import Variable
from playbooks.sigma_text import documents, filled, misplaced
from playbooks.variables import Scope, VariableError

RULE = """title: Hunt for __who__:value
date: 2026-11-23
logsource: {product: liandun, service: test}
detection:
  selection:
    user.name%s: __who__:value
  condition: selection
"""
HOSTILE = [
    "zhang",
    "*",
    "z*g?",
    "a\\b",
    "\\*",
    "x: {y: z}",
    "'\"",
    "- a",
    "%who%",
    "__who__:value",
    "1e3",
    "true",
    "莲\n盾",
    "(a|b)+",
    "| re",
]


def _fires(text: str, value: Any) -> bool:
    loaded, failures = load_file(RuleFile("rule", text.encode()), {}, load_routes())
    engine = SigmaEngine(loaded, failures, Artifacts(), load_routes())
    assert not engine.failures, engine.failures
    event = {"event.id": "1", "event.dataset": "liandun.test", "@timestamp": "2026-11-23T04:40:00.000000Z", "user.name": value}
    return bool(engine.match_rules(event))


def _scope(value: str) -> Scope:
    return Scope({"__who__": Variable(type="string", value=value)})


@pytest.mark.parametrize("modifier", ["", "|contains", "|startswith", "|endswith", "|re", "|cased"])
@pytest.mark.parametrize("value", HOSTILE)
def test_it_finds_the_value_and_nothing_else(modifier: str, value: str) -> None:
    text = filled(RULE % modifier, _scope(value), None)
    assert _fires(text, value)
    assert not _fires(text, "other")
    assert next(iter(yaml.safe_load_all(text)))["title"] == f"Hunt for {value}"


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=12).filter(lambda one: one.strip() and one.isprintable()))
def test_any_value(value: str) -> None:
    text = filled(RULE % "", _scope(value), None)
    assert _fires(text, value)
    assert not _fires(text, value + "x")


def test_numbers_and_networks() -> None:
    assert _fires(filled(RULE % "|gte", _scope("7"), None), 7)
    assert not _fires(filled(RULE % "|gte", _scope("7"), None), 6)
    assert _fires(filled(RULE % "|cidr", _scope("10.0.0.0/8"), None), "10.1.2.3")
    with pytest.raises(VariableError, match="no number"):
        filled(RULE % "|gte", _scope("7 or 1"), None)


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_value_is_refused(value: str) -> None:
    with pytest.raises(VariableError, match="empty"):
        filled(RULE % "|contains", _scope(value), None)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (RULE.replace("condition: selection", "condition: __who__:value") % "", "condition"),
        (
            RULE.replace("selection:", "__who__:value:").replace("condition: selection", "condition: all of them") % "",
            "__who__:value",
        ),
        (RULE.replace("user.name%s", "__who__:value"), "selection"),
        (RULE.replace("service: test", "service: __who__:value") % "", "logsource"),
    ],
)
def test_places_without_values(text: str, place: str) -> None:
    assert misplaced(documents(text)) == place
    with pytest.raises(VariableError, match="cannot stand in"):
        filled(text, _scope("x"), None)


@pytest.mark.parametrize("modifier", ["|expand", "|fieldref", "|exists"])
def test_modifiers_without_values(modifier: str) -> None:
    with pytest.raises(VariableError, match="modifier"):
        filled(RULE % modifier, _scope("x"), None)


def test_what_is_no_yaml_or_a_bomb() -> None:
    with pytest.raises(VariableError, match="no YAML"):
        filled("a: [__who__:value", _scope("x"), None)
    bomb = "a0: &a0 [__who__:value]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    with pytest.raises(VariableError, match="more than"):
        filled(bomb, _scope("x"), None)


def test_a_rule_without_names_stays_as_it_is() -> None:
    text = "title: x  # kept\ndetection: {}\n"
    assert filled(text, _scope("x"), None) == text


@pytest.mark.parametrize("text", ["a: " + "[" * 100_000, "a: [" + "b," * 200_000 + "]", "a: [" + "[],{}," * 60_000 + "]"])
def test_a_text_that_is_too_much_is_refused_at_once(text: str) -> None:
    """The check reads up to a document's worth of them for whoever may write playbooks."""
    began = time.monotonic()
    with pytest.raises(VariableError):
        documents(text)
    assert time.monotonic() - began < 5
