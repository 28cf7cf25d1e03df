"""The demo's ground truth against the alerts of a running platform: what was found, and how long it took."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.db import open_database
from kernel.errors import LiandunError
from kernel.layout import Layout
from operations.alerts.models import Alert, AlertDetection

SLACK_SECONDS = 15.0
"""How long after an attack's last record a detection of it may be stamped: captures hold some seconds of packets."""


class Run(msgspec.Struct):
    """One attack as the ground truth has it. Moments in seconds since the epoch; ``number`` below 0: told as history."""

    chain: str
    number: int
    first: float
    last: float
    expected: dict[tuple[str, str], bool] = {}  # (step, rule id) → found
    seconds: list[float] = []


class Measured(msgspec.Struct):
    """All runs, and how many detections lie outside of them, by rule."""

    runs: list[Run]
    outside: dict[str, int]


def measured(layout: Layout) -> Measured:
    """Read the ground truth and the alerts. Raises LiandunError where there is no ground truth.

    A rule of a step counts as found when it fired between the run's first record and some seconds after its last. ``seconds`` are
    those from the event to the alert that it opened, or to the alert's change where it is the newest that was counted.
    """
    runs = _runs(layout)
    outside: dict[str, int] = {}
    database = open_database(layout.state_url)
    try:
        with database.read() as session:
            for rule, moment, waited in _detections(session):
                here = [run for run in runs if run.first - 1.0 <= moment <= run.last + SLACK_SECONDS]
                if not here:
                    outside[rule] = outside.get(rule, 0) + 1
                for run in here:
                    _credit(run, rule, waited)
    finally:
        database.close()
    return Measured(runs, outside)


def measure_table(measured: Measured) -> list[str]:
    """Lines of Markdown, one attack a line; history is counted apart from what was sent live."""
    lines = [
        "| attack | runs (history, live) | rules that must fire | found | missed | seconds to the alert: median, 95 %, worst |",
        "|---|---|---|---|---|---|",
    ]
    for chain in dict.fromkeys(run.chain for run in measured.runs):
        runs = [run for run in measured.runs if run.chain == chain]
        live = [run for run in runs if run.number >= 0]
        states = [found for run in runs for found in run.expected.values()]
        waits = sorted(wait for run in live for wait in run.seconds)
        figures = (len(states), sum(states), len(states) - sum(states))
        lines.append(f"| {chain} | {len(runs) - len(live)}, {len(live)} | {' | '.join(map(str, figures))} | {_spread(waits)} |")
    lines += ["", f"detections outside of every attack: {sum(measured.outside.values())}"]
    lines += [f"outside: {rule}: {count}" for rule, count in sorted(measured.outside.items())]
    for run in measured.runs:
        lines += [
            f"missed: {run.chain} run {run.number}, {step}: {rule}" for (step, rule), found in run.expected.items() if not found
        ]
    return lines


def _runs(layout: Layout) -> list[Run]:
    if not layout.demo_truth.is_file():
        raise LiandunError(f"{layout.demo_truth}: there is no ground truth", "start the platform with ./run first, or name --data")
    runs: dict[tuple[str, int], Run] = {}
    found: list[Run] = []
    for line in layout.demo_truth.read_text("utf-8").splitlines():
        record = json.loads(line)
        moment = _seconds(record["time"])
        run = runs.get((record["chain"], record["run"]))
        if run is None or moment - run.last > 600.0:  # the demo was started anew and counts its runs from the beginning
            run = runs[record["chain"], record["run"]] = Run(record["chain"], record["run"], moment, moment)
            found.append(run)
        run.last = max(run.last, moment)
        for rule in record["expected"]:
            run.expected.setdefault((record["step"], rule), False)
    return found


def _detections(session: Session) -> Iterator[tuple[str, float, float | None]]:
    """Rule, moment of the event, and seconds to the alert where the table tells them (no person has changed the alert since)."""
    query = select(Alert, AlertDetection.time).join(AlertDetection, Alert.id == AlertDetection.alert_id)
    for alert, time in session.execute(query):
        told = alert.created_at if time == alert.first_seen else alert.updated_at if time == alert.last_seen else ""
        waited = _seconds(told) - _seconds(time) if told and (told == alert.created_at or alert.version == 1) else None
        yield alert.rule_id, _seconds(time), waited


def _credit(run: Run, rule: str, waited: float | None) -> None:
    hit = [key for key in run.expected if key[1] == rule]
    for key in hit:
        run.expected[key] = True
    if hit and waited is not None:
        run.seconds.append(waited)


def _spread(waits: Sequence[float]) -> str:
    if not waits:
        return "–"
    last = waits[min(len(waits) - 1, int(len(waits) * 0.95))]
    return f"{statistics.median(waits):.1f}, {last:.1f}, {waits[-1]:.1f} (n={len(waits)})"


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
