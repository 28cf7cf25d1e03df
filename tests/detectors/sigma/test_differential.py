"""The compiled engine against a naive reading of the same rules, on generated rules and events."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.sigma.engine import SigmaEngine
from tests.detectors.sigma import naive_sigma
from tests.detectors.sigma.sigma_rules import event, rule

FIELDS = ["a", "b", "c", "d"]
PIECES = ["ab", "Ab", "b", "x", "-e", "/e", "\\", "ö", "Ö", " ", "1", "0", ".", "xab", "abx", "e"]

texts = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
plain_texts = texts.filter(lambda text: text != "")
values = st.one_of(texts, st.integers(-3, 12), st.booleans(), st.sampled_from(["10.1.2.3", "192.168.0.1", "fe80::1", "1.5"]))
field_values = st.one_of(values, st.lists(values, max_size=3))
events = st.dictionaries(st.sampled_from(FIELDS), field_values)

wildcards = st.lists(st.sampled_from([*PIECES, "*", "?", "\\*"]), min_size=1, max_size=4).map("".join)
regexes = st.sampled_from(["ab", "^x", "b$", "a.?b", "[xe]+", "(ab|x)1", "^$", "b(?=x)", "(.)\\1", "(a|b)+x$", "^(x+)+$"])


def _one_or_more(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(strategy, st.lists(strategy, min_size=1, max_size=3))


def _item(name: str) -> st.SearchStrategy[tuple[str, Any]]:
    def with_key(modifiers: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
        return value.map(lambda chosen: (f"{name}|{modifiers}" if modifiers else name, chosen))

    several = st.lists(plain_texts, min_size=1, max_size=3)
    return st.one_of(
        with_key("", _one_or_more(st.one_of(wildcards, st.integers(-3, 12), st.booleans(), st.none(), st.just("")))),
        with_key("contains", _one_or_more(plain_texts)),
        with_key("contains", _one_or_more(wildcards)),
        with_key("contains|all", several),
        with_key("contains|cased", _one_or_more(plain_texts)),
        with_key("startswith", _one_or_more(plain_texts)),
        with_key("endswith", _one_or_more(plain_texts)),
        with_key("endswith|cased", _one_or_more(plain_texts)),
        with_key("startswith|all", several),
        with_key("contains|windash", _one_or_more(plain_texts.filter(lambda text: text.count("-") + text.count("/") < 3))),
        with_key("cased", _one_or_more(plain_texts)),
        with_key("neq", plain_texts),
        with_key("re", _one_or_more(regexes)),
        with_key("re|i", regexes),
        with_key("cidr", st.sampled_from(["10.0.0.0/8", "192.168.0.0/31", "fe80::/10", "0.0.0.0/0"])),
        with_key("exists", st.booleans()),
        with_key("gt", st.integers(-3, 12)),
        with_key("lte", st.integers(-3, 12)),
        with_key("fieldref", st.sampled_from([field for field in FIELDS if field != name])),
    )


items = st.sampled_from(FIELDS).flatmap(_item)
maps = st.lists(items, min_size=1, max_size=3).map(dict)
selections = st.one_of(maps, maps, st.lists(maps, min_size=2, max_size=3), st.lists(plain_texts, min_size=1, max_size=2))
NAMES = ["s0", "s1", "s2", "s3"]
conditions = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: ("and", *parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: ("or", *parts)),
    ),
    max_leaves=7,
)
rules = st.tuples(st.fixed_dictionaries(dict.fromkeys(NAMES, selections)), conditions)


def _check(chosen: list[tuple[dict[str, Any], Any]], given_events: list[dict[str, Any]]) -> None:
    documents = [
        rule({**selected, "condition": naive_sigma.condition_text(condition)}, number=number)
        for number, (selected, condition) in enumerate(chosen)
    ]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rules.yml").write_text(yaml.safe_dump_all(documents, allow_unicode=True), "utf-8")
        engine = SigmaEngine.load([Path(folder)])
    assert not engine.failures, [str(failure) for failure in engine.failures]
    for fields in given_events:
        whole = event(**fields)
        expected = {
            documents[number]["id"]
            for number, (selected, condition) in enumerate(chosen)
            if naive_sigma.condition_holds(condition, selected, whole)
        }
        for _ in range(2):  # the second time from the tables' caches
            assert {found.rule_id for found in engine.match(whole)} == expected, fields


def _compare(examples: int, strategy: st.SearchStrategy[Any]) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(strategy, min_size=1, max_size=4), st.lists(events, min_size=1, max_size=6))
    def compare(chosen: list[tuple[dict[str, Any], Any]], given_events: list[dict[str, Any]]) -> None:
        _check(chosen, given_events)

    compare()


# patterns with a repeat inside a repeat are refused without Hyperscan, see test_loading
safe_rules = rules.filter(lambda one: "(x+)+" not in str(one) and "(a|b)+" not in str(one))


def test_engine_equals_naive_reading() -> None:
    _compare(15, rules)


def test_engine_equals_naive_reading_without_hyperscan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANDUN_NO_HYPERSCAN", "1")
    _compare(12, safe_rules)


@pytest.mark.slow
@pytest.mark.parametrize("hyperscan", ["hyperscan", "without"])
def test_engine_equals_naive_reading_on_many(monkeypatch: pytest.MonkeyPatch, hyperscan: str) -> None:
    if hyperscan == "without":
        monkeypatch.setenv("LIANDUN_NO_HYPERSCAN", "1")
    _compare(80, safe_rules if hyperscan == "without" else rules)
