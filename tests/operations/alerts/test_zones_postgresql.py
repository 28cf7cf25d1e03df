"""Alerts of some zones on PostgreSQL: the lists are a plain reading's, and the planner knows how many alerts a zone has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from kernel.db import Database, open_database, upgrade
from kernel.detection import Detection
from operations.alerts import listing, service
from operations.alerts.schema import UNASSIGNED, AlertFilter, Count
from operations.reach import SESSION_KEY
from tests.postgresql_server import running_postgresql

NUMBER = 1_000


@pytest.fixture(scope="module")
def server(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgresql(shared, tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@pytest.fixture
def database(server: str, make: Callable[..., Detection]) -> Iterator[Database]:
    opened = open_database(server)
    upgrade(opened)
    made = [make(rule=f"r{n}", host=f"h{n}", host__zone=f"z{n % 5}", level="high" if n % 2 else "low") for n in range(NUMBER)]
    with opened.write() as session:
        service.record_detections(session, made)
    opened.analyze()
    yield opened
    opened.close()


@pytest.mark.parametrize("short", [0, 8_000])
def test_lists_of_a_scope_are_those_of_a_plain_reading(database: Database, monkeypatch: pytest.MonkeyPatch, short: int) -> None:
    monkeypatch.setattr(listing, "TEXT_FEW_SHORT", short)  # 0: texts are looked up alert by alert
    scoped = database.carrying({SESSION_KEY: frozenset({"z1", "z3", "nowhere"})})
    mine = {f"r{n}" for n in range(NUMBER) if n % 5 in (1, 3)}
    high = {f"r{n}" for n in range(1, NUMBER, 2)}
    word = {f"r{n}" for n in range(NUMBER) if "r77" in f"r{n}"}
    for where, wanted in (
        (AlertFilter(), mine),
        (AlertFilter(status=("new",), level=("high",)), mine & high),
        (AlertFilter(assignee=("alice", UNASSIGNED), level=("high",)), mine & high),
        (AlertFilter(text="r77"), mine & word),
        (AlertFilter(text="r77", level=("high",)), mine & word & high),
        (AlertFilter(text="zebra"), set()),
    ):
        with scoped.read() as session:
            found = service.list_alerts(session, where, limit=500)
            assert {row.rule_id for row in found.alerts} == wanted, where
            short_page = service.list_alerts(session, where, limit=7)
            assert short_page.alerts == found.alerts[:7]
            if short_page.cursor:
                next_page = service.list_alerts(session, where, limit=7, cursor=short_page.cursor)
                assert next_page.alerts == found.alerts[7:14]
            assert service.count_alerts(session, where) == Count(len(wanted)), where
    with database.carrying({SESSION_KEY: frozenset()}).read() as session:
        assert service.list_alerts(session, AlertFilter(text="r77")).alerts == []

    with database.read() as session:  # a kind and a value of it together are estimated well, and the zones have their index
        assert _estimated(session, "kind = 'zone' AND value IN ('z1', 'z3')") == pytest.approx(NUMBER * 2 / 5, rel=0.2)
        session.execute(text("SET LOCAL enable_seqscan = off"))
        looked_up = "SELECT 1 FROM alert_entities WHERE alert_id = 5 AND kind = 'zone' AND value IN ('z1', 'z3')"
        assert "ix_alert_entities_zone" in _plan(session, looked_up)


def _plan(session: Session, statement: str) -> str:
    return "\n".join(session.execute(text(f"EXPLAIN {statement}")).scalars())


def _estimated(session: Session, condition: str) -> int:
    found = re.search(r"rows=(\d+)", _plan(session, f"SELECT * FROM alert_entities WHERE {condition}"))
    assert found
    return int(found[1])
