"""A query made of rules finds every event that the rules match: on generated rules and events, and on our own with their tests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.rules import _read
from detectors.rule_tests import _cases, _events, case_file, rule_files
from detectors.sigma.engine import SigmaEngine
from detectors.sigma.narrowing import fields_read, narrowed
from kernel.config import ROOT
from kernel.query import matches
from kernel.query.tree import And
from kernel.store.storable import storable
from tests.detectors.sigma import naive_sigma
from tests.detectors.sigma.sigma_rules import engine_of, event, rule
from tests.detectors.sigma.test_differential import events, rules


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(rules, min_size=1, max_size=2), st.lists(events, min_size=1, max_size=12))
def test_nothing_is_lost(chosen: list[tuple[dict[str, Any], Any]], given_events: list[dict[str, Any]]) -> None:
    documents = [
        rule({**selected, "condition": naive_sigma.condition_text(condition)}, number=number)
        for number, (selected, condition) in enumerate(chosen)
    ]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rules.yml").write_text(yaml.safe_dump_all(documents, allow_unicode=True), "utf-8")
        engine = SigmaEngine.load([Path(folder)])
    query, read = narrowed(engine.detection_rules), fields_read(engine.detection_rules)
    for fields in given_events:
        stored = storable(event(**fields))
        fired = engine.match_rules(stored)
        assert not fired or matches(query, stored)
        if read is not None:
            assert engine.match_rules({name: stored[name] for name in stored if name in read}) == fired


def test_nothing_is_lost_of_our_own_rules() -> None:
    seen = narrow = 0
    for file in rule_files([ROOT / "rules" / "sigma"]):
        engine = SigmaEngine.load([file])
        query = narrowed(engine.detection_rules)
        for line, case in _cases(case_file(file)) if case_file(file).is_file() else ():
            for one in map(storable, _events(file, line, case, _read)):
                if engine.match_rules(one):
                    seen += 1
                    assert matches(query, one), file
                else:
                    narrow += not matches(query, one)
    assert seen > 100
    assert narrow > 100


def test_it_narrows(tmp_path: Path) -> None:
    detection = {"s": {"process.command_line|contains": ["a b", "c*d"]}, "f": {"user.name": "root"}, "condition": "s and not f"}
    query = narrowed(engine_of(tmp_path, rule(detection)).detection_rules)
    assert matches(query, event(**{"process.command_line": "x A B"}))
    assert matches(query, event(**{"process.command_line": "xcooody"}))
    assert not matches(query, event(**{"process.command_line": "ab"}))
    assert not matches(query, event(**{"process.command_line": "a b"}) | {"event.dataset": "other"})


def test_a_very_long_rule_is_left_to_the_engine(tmp_path: Path) -> None:
    detection = {"s": {"f|contains": [f"word{number}x" for number in range(2_000)]}, "condition": "s"}
    query = narrowed(engine_of(tmp_path, rule(detection)).detection_rules)
    assert not isinstance(query.root, And)
    assert matches(query, event(f="nothing"))
