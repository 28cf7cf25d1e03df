"""The fast path gives what the slow one gives, line by line."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evtx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.sigma.engine import SigmaEngine
from kernel.windows_event import read_windows_event, windows_fields
from tests.detectors.sigma.sigma_rules import engine_of, rule


@pytest.fixture(scope="module")
def windows_rules(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> SigmaEngine:
    return SigmaEngine.load([shared / "corpora/sigma-rules.tar.gz"], cache_dir=tmp_path_factory.mktemp("cache"))


def _slowly(engine: SigmaEngine, line: bytes) -> set[str] | None:
    try:
        decoded = json.loads(line)
    except ValueError:
        return None
    event = read_windows_event(decoded) if isinstance(decoded, dict) else None
    return None if event is None else {engine.info(number).id for number in engine.match_rules(windows_fields(event))}


def _compare(engine: SigmaEngine, lines: list[bytes]) -> tuple[int, dict[str, int]]:
    scanner = engine.line_scanner()
    others: set[int] = set()
    fast = {number: {info.id for info in rules} for number, _, rules in scanner.scan(lines, lambda number, _: others.add(number))}
    hits = 0
    for number, line in enumerate(lines):
        expected = _slowly(engine, line)
        assert (number in others) == (expected is None), line
        assert fast.get(number, set()) == (expected or set()), line
        hits += len(expected or ())
    return hits, scanner.counters


def _data_set_lines(folder: Path, each: int) -> Iterator[bytes]:
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json") and "__MACOSX" not in name:
                    yield from io.BytesIO(archive.read(name)).read().splitlines()[::each]


@pytest.mark.slow
def test_real_json_lines(shared: Path, windows_rules: SigmaEngine) -> None:
    hits, counters = _compare(windows_rules, list(_data_set_lines(shared / "corpora/security-datasets", 4)))
    assert hits > 50
    assert counters["slow"] < counters["lines"] * 0.1


@pytest.mark.slow
def test_real_evtx_records(shared: Path, windows_rules: SigmaEngine) -> None:
    lines = [
        record["data"].encode()
        for path in sorted((shared / "corpora/evtx").glob("*.evtx"))
        for record in evtx.PyEvtxParser(str(path)).records_json()
    ]
    hits, counters = _compare(windows_rules, lines)
    assert hits > 400
    assert counters["lines"] == len(lines)


WINDOWS = {"product": "windows"}
PROCESS = {"product": "windows", "category": "process_creation"}
RULES = [
    rule({"s": {"EventID": 1, "Name|contains": "evil"}, "condition": "s"}, number=1, logsource=WINDOWS),
    rule({"s": {"EventID": [1, 2]}, "n": {"Name": None}, "condition": "s and n"}, number=2, logsource=WINDOWS),
    rule({"s": {"EventID": 1, "Flag": "true"}, "condition": "s"}, number=3, logsource=WINDOWS),
    rule({"s": {"EventID": 1, "Flag": 1}, "condition": "s"}, number=4, logsource=WINDOWS),
    rule({"s": {"Name": "x"}, "f": {"Flag|exists": True}, "condition": "s and not f"}, number=5, logsource=WINDOWS),
    rule({"k": ["evil\\word", "b\u00f6se"], "condition": "k"}, number=6, logsource={"product": "windows"}),
    rule({"s": {"Provider_Name": "P"}, "condition": "s"}, number=7, logsource=WINDOWS),
    rule({"s": {"Name|fieldref": "Flag"}, "condition": "s"}, number=8, logsource=WINDOWS),
    rule(
        {"s": {"Name": ["a", "b"], "Flag": ["x", "y"]}, "t": {"Flag": "x"}, "condition": "s or not t"}, number=9, logsource=WINDOWS
    ),
    rule(
        {"s": {"CommandLine|contains": "evil"}, "condition": "s"},
        number=10,
        logsource=PROCESS,
    ),
    rule({"s": {"Level": 4}, "condition": "s"}, number=11, logsource=WINDOWS),
]
scalars = st.one_of(
    st.sampled_from(["x", "a", "b", "y", "evil", "Evil\\Word", "böse", "", "true", "1", "P", "0x1"]),
    st.sampled_from([True, False, None, 0, 1, 1.0, 2.5, 10**30]),
)
any_values = st.one_of(
    scalars, st.lists(scalars, max_size=3), st.dictionaries(st.sampled_from(["a", "#text"]), scalars, max_size=2)
)
names = st.sampled_from(["Name", "Flag", "CommandLine", "Fl ag", "Message", "Level", "Task"])
event_data = st.dictionaries(names, any_values, max_size=4)
event_ids: st.SearchStrategy[Any] = st.sampled_from([1, 2, 4688, "1", {"#text": 1}, 1.0, True, None])
channels = st.sampled_from(["Security", "security", "Other", None])


def _tree(number: Any, channel: Any, data: Any, provider: Any, user: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "System": {"Provider": {"#attributes": {"Name": provider}}, "EventID": number, "Channel": channel, "Level": 4}
    }
    if data is not None:
        event["EventData"] = data
    if user is not None:
        event["UserData"] = {"Template": user}
    return {"Event": event}


provider_names = st.sampled_from(["P", "", None])
trees = st.builds(_tree, event_ids, channels, st.none() | event_data, provider_names, st.none() | event_data)
flats = st.builds(
    lambda number, channel, data: {"EventID": number, "Channel": channel, "SourceName": "P", **data},
    event_ids,
    channels,
    event_data,
)
winlogs = st.builds(
    lambda number, channel, data, message: {
        "winlog": {"event_id": number, "channel": channel, "provider_name": "P", "event_data": data},
        "message": message,
    },
    event_ids,
    channels,
    st.none() | event_data,
    scalars,
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2), max_leaves=4
)


@pytest.mark.parametrize("hyperscan", ["hyperscan", "without"])
def test_generated_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hyperscan: str) -> None:
    if hyperscan == "without":
        monkeypatch.setenv("LIANDUN_NO_HYPERSCAN", "1")
    engine = engine_of(tmp_path, *RULES)
    assert not engine.failures

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.one_of(trees, flats, winlogs, anything), min_size=1, max_size=8), st.booleans())
    def compare(objects: list[Any], ascii_only: bool) -> None:
        _compare(engine, [json.dumps(one, ensure_ascii=ascii_only).encode() for one in objects])

    compare()


def test_lines_that_are_no_json_are_handed_over(tmp_path: Path) -> None:
    scanner = engine_of(tmp_path, *RULES).line_scanner()
    lines = [b"\x00\xff", b'{"EventID": 1', b"[" * 100_000, b'{"Channel":"Security","EventID":1,"Name":"evil"}']
    others: list[int] = []
    assert [number for number, _, _ in scanner.scan(lines, lambda number, _: others.append(number))] == [3]
    assert others == [0, 1, 2]
    assert scanner.counters["unreadable"] == 3


def test_rules_that_only_feed_a_correlation_are_not_given(tmp_path: Path) -> None:
    correlation = {
        "title": "Many",
        "id": "00000000-0000-4000-8000-00000000ffff",
        "correlation": {"type": "event_count", "rules": [RULES[0]["id"]], "timespan": "5m", "condition": {"gte": 10}},
    }
    scanner = engine_of(tmp_path, RULES[0], correlation).line_scanner()
    assert list(scanner.scan([b'{"Channel":"Security","EventID":1,"Name":"evil"}'])) == []
    line = b'{"Channel":"Security","EventID":1,"Name":"evil"}'
    assert [[info.id for info in rules] for _, _, rules in scanner.scan([line], feeders=True)] == [[RULES[0]["id"]]]
    assert list(scanner.scan([line])) == []
