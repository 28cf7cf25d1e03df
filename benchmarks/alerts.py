"""Alerts at scale: how fast detections are recorded, and how long the queue's lists take at a million alerts.

    .venv/bin/python -m benchmarks.alerts [--alerts 1000000] [--folder DIR]

Prints recorded detections per second, and per list the median and 95th percentile in milliseconds of 20 calls with different
arguments. With --folder the filled database is kept there and used again.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from kernel.db import Database, open_database, upgrade
from kernel.detection import LEVELS, Detection, MatchedField, detection_id
from kernel.event import timestamp_from_micros
from operations.accounts import service as accounts
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter, Change
from operations.audit.schema import SYSTEM

BATCH = 500
RULES, HOSTS, USERS = 2000, 5000, 3000
DAYS = 180
END = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()) * 1_000_000
WEIGHTS = (5, 25, 40, 25, 5)  # of LEVELS


def detections(number: int, dice: random.Random) -> Iterator[Detection]:
    """Mostly new alerts (about one in ten counts up), spread over DAYS."""
    step = DAYS * 86_400_000_000 // number
    for position in range(number):
        rule, host = dice.randrange(RULES), dice.randrange(HOSTS)
        moment = timestamp_from_micros(END - (number - position) * step)
        event: dict[str, Any] = {
            "@timestamp": moment,
            "event.id": f"{dice.getrandbits(128):032x}",
            "event.dataset": "windows.sysmon",
            "host.name": f"WS-{host:05d}.city.local",
            "user.name": f"user{dice.randrange(USERS)}",
            "source.ip": f"10.{host >> 8}.{host & 255}.{dice.randrange(4)}",
            "process.executable": f"C:\\Windows\\System32\\tool{rule % 300}.exe",
            "process.command_line": f"tool{rule % 300}.exe /run {dice.getrandbits(32):08x} --quiet",
        }
        level = dice.choices(LEVELS, WEIGHTS)[0]
        matched = [MatchedField("process.command_line", event["process.command_line"], "*--quiet*", "selection")]
        yield Detection(
            id=detection_id(f"rule-{rule}", [event["event.id"]]),
            rule_id=f"rule-{rule}",
            rule_name=f"Suspicious use of tool {rule % 300} variant {rule}",
            level=level,
            engine="sigma",
            time=moment,
            event_ids=[event["event.id"]],
            event=event,
            tags=["attack.execution", f"attack.t{1000 + rule % 200}"],
            matched=matched,
        )


def fill(database: Database, number: int) -> None:
    """Record ``number`` detections, then close, acknowledge and assign as a team would have."""
    dice = random.Random(1)
    accounts.create_user(database, SYSTEM, "alice", "Correct-Horse-7", "analyst")
    batch: list[Detection] = []
    spent = 0.0
    for position, detection in enumerate(detections(number, dice), 1):
        batch.append(detection)
        if len(batch) == BATCH or position == number:
            start = time.perf_counter()
            with database.write() as session:
                alerts.record_detections(session, batch)
            spent += time.perf_counter() - start
            batch = []
            if position % 100_000 == 0:
                print(f"  {position:,} recorded, {position / spent:,.0f}/s", flush=True)
    print(f"recorded {number / spent:,.0f} detections/s in batches of {BATCH} ({spent:,.0f} s)")
    with database.read() as session:
        ids = alerts.matching_ids(session, AlertFilter(), number)
    for start in range(0, len(ids) // 20, alerts.MAX_BULK):
        with database.write() as session:
            change = Change(status="acknowledged", assignee="alice")
            alerts.change_alerts(session, SYSTEM, ids[start : start + alerts.MAX_BULK], change)
    database.analyze()


def questions(dice: random.Random) -> dict[str, Callable[[Session], object]]:
    """What the console and the API ask, each with arguments drawn afresh."""
    rule, host = f"rule-{dice.randrange(RULES)}", f"ws-{dice.randrange(HOSTS):05d}.city.local"
    day = timestamp_from_micros(END - dice.randrange(1, DAYS) * 86_400_000_000)
    week = timestamp_from_micros(END - 7 * 86_400_000_000)
    deep = f"{day}~{dice.randrange(1_000_000)}"
    open_ = ("new", "acknowledged", "in_progress")
    listing: dict[str, AlertFilter] = {
        "all": AlertFilter(),
        "open": AlertFilter(status=open_),
        "open, high and critical": AlertFilter(status=open_, level=("high", "critical")),
        "in progress (none)": AlertFilter(status=("in_progress",)),
        "mine": AlertFilter(assignee=("alice",)),
        "one rule": AlertFilter(rule=(rule,)),
        "one host": AlertFilter(host=(host,)),
        "one address (entity)": AlertFilter(entity=(("ip", f"10.{dice.randrange(19)}.{dice.randrange(256)}.1"),)),
        "rare tag, critical": AlertFilter(tag=(f"attack.t{1000 + dice.randrange(200)}",), level=("critical",)),
        "last 7 days, high": AlertFilter(start=week, level=("high",)),
        "text, rare": AlertFilter(text=f"variant {dice.randrange(RULES)}"),
        "text, common": AlertFilter(text="suspicious quiet"),
        "text, nowhere": AlertFilter(text=f"zz{dice.getrandbits(32):x}"),
        "text of 2 characters": AlertFilter(text="to"),
    }
    asked: dict[str, Callable[[Session], object]] = {
        f"list: {name}": (lambda session, where=where: alerts.list_alerts(session, where)) for name, where in listing.items()
    }
    asked["list: all, deep page"] = lambda session: alerts.list_alerts(session, cursor=deep)
    asked["list: open, deep page"] = lambda session: alerts.list_alerts(session, AlertFilter(status=open_), cursor=deep)
    for name in ("all", "open", "open, high and critical", "last 7 days, high", "one host", "text, rare"):
        asked[f"facets: {name}"] = lambda session, where=listing[name]: alerts.facets(session, where)
        asked[f"count: {name}"] = lambda session, where=listing[name]: alerts.count_alerts(session, where)
    asked["timeline: 7 days"] = lambda session: alerts.timeline(session, week, timestamp_from_micros(END))
    asked["alert page"] = lambda session: alerts.get_detail(session, alerts.list_alerts(session, limit=1).alerts[0].id)
    return asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--calls", type=int, default=20)
    chosen = parser.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="liandun-alerts-"))
    path = folder / f"alerts-{chosen.alerts}.db"
    fresh = not path.exists()
    database = open_database(f"sqlite:///{path.absolute()}")
    upgrade(database)
    if fresh:
        fill(database, chosen.alerts)
    with database.read() as session:
        print(f"{alerts.count_alerts(session).count:,} alerts, {path.stat().st_size / 1e6:,.0f} MB")
    dice, times = random.Random(2), {}
    for _ in range(chosen.calls):
        for name, ask in questions(dice).items():
            with database.read() as session:
                start = time.perf_counter()
                ask(session)
                times.setdefault(name, []).append((time.perf_counter() - start) * 1000)
    print(f"{'milliseconds':34}{'median':>9}{'p95':>9}{'worst':>9}")
    for name, values in times.items():
        values.sort()
        p95 = values[min(len(values) - 1, int(len(values) * 0.95))]
        print(f"{name:34}{statistics.median(values):9.1f}{p95:9.1f}{values[-1]:9.1f}")


if __name__ == "__main__":
    main()
