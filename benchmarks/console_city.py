"""A full city for benchmarks/console.py: a million alerts, a hundred thousand incidents, tickets and applications, five
million events.

All but the events go straight into the tables: what a row says does not matter for speed, its spread over states, zones and
time does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from benchmarks import events as mix
from benchmarks.alerts import BATCH, detections
from kernel.db import Database
from kernel.detection import Detection
from kernel.event import timestamp
from kernel.layout import Layout
from kernel.store.contract import Commit
from kernel.store.lake import Lake
from operations.accounts import sessions
from operations.accounts.models import User
from operations.accounts.schema import Reach
from operations.alerts import service as alerts
from operations.alerts.models import Alert
from operations.incidents.models import Incident, IncidentZone
from operations.services.catalogue import CATALOGUE
from operations.services.models import Application, ApplicationZone
from operations.tickets.models import Ticket, TicketZone
from operations.zones.models import ZoneRow

ANALYST, BUREAU = "bench.analyst", "bench.bureau"
PIECE = 5_000
SERVICES = tuple(service.id for service in CATALOGUE)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
Row = dict[str, Any]


def fill(database: Database, number: int, records: int) -> None:
    """Everything that is not there yet. ``number`` of alerts, ``records`` of incidents, of tickets and of applications."""
    with database.read() as session:
        zones = [(row.id, row.owner) for row in session.execute(select(ZoneRow.id, ZoneRow.owner).where(ZoneRow.owner != ""))]
        there = {
            table: session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (Alert, Incident, Ticket, Application)
        }
    if there[Alert] < number // 2:
        _fill_alerts(database, number, zones)
    for table, zone_table, key, make in (
        (Incident, IncidentZone, "incident_id", _incident),
        (Ticket, TicketZone, "ticket_id", _ticket),
        (Application, ApplicationZone, "application_id", _application),
    ):
        if there[table] < records // 2:
            _fill_table(database, table, zone_table, key, make, records, zones)
    database.analyze()


def fill_events(layout: Layout, number: int) -> None:
    """The first ``number`` events of benchmarks/events.py that the event store does not hold yet."""
    with closing(Lake.open(layout.lake, writable=True)) as lake:
        position, _ = lake.consumer("bench")
        for place, batch in enumerate(mix.batches(number) if position < number else ()):
            end = place * mix.CHUNK + len(batch)
            if end > position:
                lake.commit(Commit(batch, consumer="bench", position=end, counters={"stored": len(batch)}))
                lake.compact()
        lake.compact(everything=True)
        lake.purge(grace=0)


def sign_in(database: Database, name: str, role: str, organisation: str = "") -> str:
    """The session cookie of an account that is made where it is not there."""
    reach = Reach((organisation,), ()) if organisation else Reach()
    with database.write() as session:
        user = session.execute(select(User).where(User.name == name)).scalar_one_or_none()
        if user is None:
            present = timestamp(datetime.now(UTC))
            user = User(
                name=name, name_key=name, role=role, password_hash="", created_at=present, password_changed_at=present,
                active_since=present, organisations=_json(reach.organisations), zones="[]",
            )  # fmt: skip
            session.add(user)
            session.flush()
        return sessions.create_session(session, user.id, sessions.Asking("127.0.0.1", "benchmark"), factor="totp")


def _json(values: Any) -> str:
    return str(list(values)).replace("'", '"')


def _fill_alerts(database: Database, number: int, zones: list[tuple[str, str]]) -> None:
    batch: list[Detection] = []
    start, dice = time.perf_counter(), random.Random(5)
    for position, detection in enumerate(detections(number, random.Random(1)), 1):
        detection.event["host.zone"] = dice.choice(zones)[0]
        batch.append(detection)
        if len(batch) == BATCH or position == number:
            with database.write() as session:
                alerts.record_detections(session, batch)
            batch = []
        if position % 100_000 == 0:
            print(f"  {position:,} alerts, {position / (time.perf_counter() - start):,.0f}/s", flush=True)


def _fill_table(
    database: Database,
    table: Any,
    zone_table: Any,
    key: str,
    make: Callable[[int, random.Random, tuple[str, str]], Row],
    records: int,
    zones: list[tuple[str, str]],
) -> None:
    dice = random.Random(2)
    for start in range(1, records + 1, PIECE):
        numbers = range(start, min(start + PIECE, records + 1))
        chosen = {number: dice.choice(zones) for number in numbers}
        rows = [{"id": 10_000_000 + n, **make(n, dice, chosen[n])} for n in numbers]
        named = [{key: row["id"], "zone": chosen[row["id"] - 10_000_000][0]} for row in rows]
        if "created_at" in zone_table.__table__.c:
            named = [one | {"created_at": row["created_at"]} for one, row in zip(named, rows, strict=True)]
        with database.write() as session:
            session.execute(insert(table), rows)
            session.execute(insert(zone_table), named)
    print(f"  {records:,} {table.__tablename__}", flush=True)


def _moments(number: int, dice: random.Random) -> Iterator[str]:
    """Rising moments in the life of record ``number``; the records are spread over half a year."""
    moment = NOW - timedelta(seconds=180 * 86_400 - number * 155)
    while True:
        yield timestamp(moment)
        moment += timedelta(seconds=dice.expovariate(1 / 20_000))


def _incident(number: int, dice: random.Random, zone: tuple[str, str]) -> Row:
    moments = _moments(number, dice)
    occurred, detected, acknowledged, contained, resolved, closed = (next(moments) for _ in range(6))
    phase = dice.choices(("detection", "containment", "eradication", "recovery", "review", "closed"), (4, 2, 1, 1, 2, 90))[0]
    done = phase == "closed"
    empty = ("description", "reporter", "cause", "decided_at", "decided_by", "decided_reason", "reported_at", "closing_reported_at")
    return dict.fromkeys(empty, "") | {
        "number": f"B-{number}",
        "title": f"Suspicious use of tool {number % 300} in {zone[0]} 编号 {number}",
        "origin": "alert",
        "drill": number % 50 == 0,
        "severity": dice.choice(("medium", "high", "critical")),
        "phase": phase,
        "class_code": dice.choice(("MI", "NA", "DD")),
        "level": dice.choice((0, 4, 4, 3, 2)),
        "factors": "{}",
        "suggested_class": "MI",
        "suggested_level": 4,
        "suggestion": '{"class_code":"MI","level":4,"object":"general","loss":"slight"}',
        "operator": "other",
        "assignee": dice.choice(("", ANALYST, "wang.fang")),
        "occurred_at": occurred,
        "detected_at": detected,
        "acknowledged_at": acknowledged,
        "contained_at": contained if done else "",
        "resolved_at": resolved if done else "",
        "closed_at": closed if done else "",
        "pauses": "[]",
        "next_due": "" if done else next(moments),
        "remind_at": "",
        "zones": _json([zone[0]]),
        "organisations": _json([zone[1]]),
        "created_at": detected,
        "created_by": ANALYST,
        "updated_at": closed,
    }


def _ticket(number: int, dice: random.Random, zone: tuple[str, str]) -> Row:
    moments = _moments(number, dice)
    created, updated, due = (next(moments) for _ in range(3))
    state = dice.choices(("to_read", "to_do", "in_hand", "done", "sent_back"), (3, 3, 3, 90, 1))[0]
    return {
        "kind": dice.choice(("remediation", "notification")),
        "title": f"Mend tool {number % 300} 整改 {number}",
        "body": "text",
        "level": dice.choice(("low", "medium", "high")),
        "state": state,
        "waiting_for": "" if state == "done" else "handler",
        "issuer": "",
        "bureau": zone[1],
        "assignee": dice.choice((None, BUREAU, "wang.fang")),
        "result": "",
        "created_by": ANALYST,
        "created_at": created,
        "updated_at": updated,
        "due_at": due,
        "done_at": updated if state == "done" else None,
    }


def _application(number: int, dice: random.Random, zone: tuple[str, str]) -> Row:
    moments = _moments(number, dice)
    applied, accepted, accept_due, issued, issue_due = (next(moments) for _ in range(5))
    state = dice.choices(("applied", "accepted", "issued", "rejected", "expired"), (2, 2, 60, 10, 26))[0]
    return {
        "service": dice.choice(SERVICES),
        "bureau": zone[1],
        "applicant": BUREAU,
        "subject": f"application {number}",
        "form": '{"gigabytes":1}',
        "state": state,
        "applied_at": applied,
        "accept_due": accept_due,
        "issue_due": None if state == "applied" else issue_due,
        "accepted_at": None if state == "applied" else accepted,
        "issued_at": issued if state in ("issued", "expired") else None,
        "updated_at": issued,
    }
