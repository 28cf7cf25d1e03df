"""The snapshot of measures, and the screen that workers hold detections against."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kernel.detection import Detection, detection_id
from kernel.rule_tuning.condition import Condition
from kernel.rule_tuning.screen import Screen, held_back
from kernel.rule_tuning.snapshot import Measure, Snapshot, TuningSource, read_snapshot, write_snapshot

BACKUP = Condition("host.name", "equals", "backup-01")
PAST, FUTURE = "2020-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"


def fired(rule: str, **event: Any) -> Detection:
    found = {name.replace("__", "."): value for name, value in event.items()}
    return Detection(detection_id(rule, ["1"]), rule, rule, "low", "sigma", PAST, ["1"], found)


def screened(path: Path, *detections: Detection) -> tuple[list[Detection], Counter[str]]:
    counters: Counter[str] = Counter()
    return Screen(TuningSource(path))(list(detections), counters), counters


def test_an_exception_drops_what_matches_of_its_rule_and_counts_it(tmp_path: Path) -> None:
    path = tmp_path / "tuning"
    write_snapshot(Snapshot("1", [Measure(7, "a", (BACKUP,), FUTURE)]), path)
    hidden, other, elsewhere = fired("a", host__name="BACKUP-01"), fired("b", host__name="BACKUP-01"), fired("a", host__name="x")
    kept, counters = screened(path, hidden, other, elsewhere)
    assert kept == [other, elsewhere]
    assert held_back(counters) == {7: 1}


def test_a_rule_that_is_off_raises_nothing_until_its_time_is_over(tmp_path: Path) -> None:
    path = tmp_path / "tuning"
    write_snapshot(Snapshot("1", [Measure(1, "a"), Measure(2, "b", (), PAST)]), path)
    kept, counters = screened(path, fired("a"), fired("b"))
    assert [one.rule_id for one in kept] == ["b"]
    assert held_back(counters) == {1: 1}


def test_a_replaced_file_is_taken_up_and_a_broken_one_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tuning"
    source = TuningSource(path)
    assert not source()
    write_snapshot(Snapshot("one", [Measure(1, "a")]), path)
    assert source().holding(fired("a"), PAST)
    path.write_bytes(b"\xff no snapshot")
    with caplog.at_level(logging.ERROR):
        assert source().holding(fired("a"), PAST)
    assert "stays in force" in caplog.text
    write_snapshot(Snapshot("bad", [Measure(1, "b", (Condition("f", "regex", "x"),))]), path)
    assert source().holding(fired("a"), PAST), "a condition that this worker does not know must not take the others away"
    write_snapshot(Snapshot("two", []), path)
    assert not source()
    assert source.revision == "two"


def test_no_file_means_nothing_is_held_back(tmp_path: Path) -> None:
    assert read_snapshot(tmp_path / "none") == Snapshot()
    assert screened(tmp_path / "none", fired("a")) == ([fired("a")], Counter())


def test_other_counters_are_none_of_ours() -> None:
    assert held_back({"held_back.3": 2, "held_back.x": 1, "received.a": 5}) == {3: 2}
