"""The engine against what others found: the consensus of four engines on real attack logs, and SigmaHQ's own regression tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evtx
import pytest
import yaml

from collectors.parsers import PARSERS
from detectors.sigma.engine import SigmaEngine
from kernel.record import RawRecord
from kernel.windows_event import read_windows_event, windows_fields

# What the oracle does not have and why it is right here; docs/detection-accuracy.md explains each class.
SECURITY_EQUIVALENTS = {4688, 4689, 5156, 4657}
"""Security events that stand for Sysmon's; most of the oracle's engines do not apply category rules to them."""
EMPTY_IS_NULL = {"2e4e488a-6164-4811-9ea1-f960c7359c40"}
"""CACTUSTORCH Remote Thread Creation asks for ``StartModule: null``; the event has an empty one."""


@pytest.fixture(scope="module")
def engine(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> SigmaEngine:
    return SigmaEngine.load([shared / "corpora/sigma-rules.tar.gz"], cache_dir=tmp_path_factory.mktemp("cache"))


def _events(path: Path) -> Iterator[dict[str, Any]]:
    for record in evtx.PyEvtxParser(str(path)).records_json():
        event = read_windows_event(json.loads(record["data"]))
        assert event is not None
        yield windows_fields(event)


def _hits(engine: SigmaEngine, path: Path) -> dict[str, Counter[int]]:
    """Rule id → event numbers on which it fired."""
    hits: dict[str, Counter[int]] = {}
    for event in _events(path):
        for number in engine.match_rules(event):
            hits.setdefault(engine.info(number).id, Counter())[int(event["event.code"])] += 1
    return hits


@pytest.mark.slow
def test_nearly_all_of_sigmahq_is_loaded(engine: SigmaEngine) -> None:
    total = len(engine.rules) + len(engine.failures)
    assert total == 3_754
    assert len(engine.rules) >= total * 0.99
    assert {failure.reason for failure in engine.failures} == {
        "placeholder known_cdcs has no value (give it one in the configuration)"
    }
    assert all(failure.line > 1 for failure in engine.failures)


@pytest.mark.slow
def test_consensus_pairs_of_the_evtx_corpus(shared: Path, engine: SigmaEngine) -> None:
    oracle = json.loads((shared / "corpora/evtx-oracle.json").read_text("utf-8"))
    missing: list[tuple[str, str]] = []
    unexplained: list[tuple[str, str, str]] = []
    found = 0
    for name, expected in oracle["files"].items():
        hits = _hits(engine, shared / "corpora/evtx" / name)
        for rule_id, agreed in expected["consensus"].items():
            if sum(hits.get(rule_id, Counter()).values()) == agreed["events"]:
                found += 1
            else:
                missing.append((name, rule_id))
        for rule_id in hits.keys() - expected["consensus"].keys():
            if not set(hits[rule_id]) <= SECURITY_EQUIVALENTS and rule_id not in EMPTY_IS_NULL:
                unexplained.append((name, rule_id, str(dict(hits[rule_id]))))
    assert missing == []
    assert found > 250
    assert unexplained == []


@pytest.mark.slow
def test_sigmahq_regression_tests(shared: Path, engine: SigmaEngine) -> None:
    folder = shared / "corpora/sigma-regression"
    ran = 0
    for described in sorted(folder.rglob("info.yml")):
        info = yaml.safe_load(described.read_text("utf-8"))
        for case in info.get("regression_tests_info") or []:
            path = folder / case["path"].partition("/")[2]
            if case["type"] == "evtx":
                hits = {rule_id: sum(counted.values()) for rule_id, counted in _hits(engine, path).items()}
            else:
                text = path.read_text("utf-8")
                (event,) = PARSERS["syslog"](RawRecord("test", "syslog", 1_795_400_000_000_000, "test", text.encode()))
                hits = dict(Counter(engine.info(number).id for number in engine.match_rules(event)))
            for rule in info["rule_metadata"]:
                assert hits.get(rule["id"], 0) >= case.get("match_count", 1), (path, rule)
                ran += 1
    assert ran >= 98


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects written one after another."""
    decoder = json.JSONDecoder()
    position = 0
    while position < len(text):
        decoded, end = decoder.raw_decode(text, position)
        yield from decoded if isinstance(decoded, list) else [decoded]
        position = end + len(text[end:]) - len(text[end:].lstrip())


@pytest.mark.slow
def test_regression_events_as_json_give_the_same(shared: Path, engine: SigmaEngine) -> None:
    """The .json beside each .evtx holds the same events as another converter wrote them."""
    ran = 0
    for path in sorted((shared / "corpora/sigma-regression").rglob("*.json")):
        if not path.with_suffix(".evtx").exists():
            continue
        fired: set[str] = set()
        for one in _documents(path.read_text("utf-8-sig").strip()):
            event = read_windows_event(one)
            assert event is not None, path
            fired |= {engine.info(number).id for number in engine.match_rules(windows_fields(event))}
        assert path.stem in fired, path
        ran += 1
    assert ran > 90
