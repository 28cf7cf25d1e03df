"""The ground truth against the alerts of a platform's state database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.demo import command
from cli.demo_measure import measure_table, measured
from kernel.detection import Detection, detection_id
from kernel.event import timestamp
from kernel.layout import Layout
from operations.alerts.service import record_detections
from tests.state_database import migrated

BEGIN = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
EXPIRED, WRITE, OTHER = "zone-conduit-expired", "ca950624-04f8-4794-bd7f-446a03c86bef", "zone-unknown-device"


def detection(rule: str, after: float, source: str) -> Detection:
    time = timestamp(BEGIN + timedelta(seconds=after))
    event = {"@timestamp": time, "event.id": f"{rule}-{after}", "event.dataset": "ot.modbus", "source.ip": source}
    return Detection(detection_id(rule, [event["event.id"]]), rule, rule, "high", "zone", time, [event["event.id"]], event)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """One attack of two steps, ten seconds long, told live; one of its rules fired, and one rule fired an hour later."""
    layout = Layout(tmp_path / "data").create()
    steps = [("jumps", 0.0, [EXPIRED]), ("writes", 10.0, [WRITE])]
    lines = [
        {"chain": "controller", "run": 4, "step": name, "time": timestamp(BEGIN + timedelta(seconds=after)), "expected": rules}
        for name, after, rules in steps
    ]
    layout.demo_truth.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    database = migrated(layout.state_url)
    with database.write() as session:
        record_detections(session, [detection(EXPIRED, 0.0, "10.20.4.21"), detection(OTHER, 3_600.0, "10.121.0.9")])
    database.close()
    return layout


def test_found_missed_and_what_lies_outside(layout: Layout) -> None:
    result = measured(layout)
    [run] = result.runs
    assert run.expected == {("jumps", EXPIRED): True, ("writes", WRITE): False}
    assert len(run.seconds) == 1
    assert run.seconds[0] > 0
    assert result.outside == {OTHER: 1}


def test_the_table_names_what_was_missed(layout: Layout) -> None:
    told = "\n".join(measure_table(measured(layout)))
    assert "| controller | 0, 1 | 2 | 1 | 1 |" in told
    assert f"missed: controller run 4, writes: {WRITE}" in told
    assert f"outside: {OTHER}: 1" in told


def test_without_a_ground_truth_it_says_what_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["measure", "--data", str(tmp_path)])
    assert result.exit_code != 0
    assert "./run" in str(result.exception)
