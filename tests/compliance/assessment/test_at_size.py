"""1,000 objects and 211 items: the assessment page and a whole score stay quick, in CPU time (the database is in the process)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from compliance.assessment import reading, scoring
from compliance.assessment.models import VerdictRow
from compliance.assessment.standing import standing
from compliance.catalogue.load import requirements
from compliance.systems import objects, service
from compliance.systems.models import ObjectRow
from compliance.systems.schema import SystemDraft
from kernel.db import Database
from operations.accounts.schema import Principal
from tests.state_database import migrated

OBJECTS = 1_000
NOW = "2026-11-28T00:00:00.000000Z"
VERDICTS = ("met", "partly", "not_met", "met", "not_applicable")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, int]]:
    path: Path = tmp_path_factory.mktemp("large")
    database = migrated(f"sqlite:///{path}/state.db")
    with database.write() as session:
        system = service.create_system(session, Principal(0, "planner", "", "secadmin"), SystemDraft("大", "S3A3")).id
        made = {"created_by": "", "created_at": NOW, "updated_by": "", "updated_at": NOW, "version": 1}
        texts = {"asset": "", "importance": 0, "reason": "", "note": "", "removed_at": None}
        hosts = [{"system_id": system, "kind": "server_os", "name": f"h{n}", **texts, **made} for n in range(OBJECTS)]
        session.execute(insert(ObjectRow), hosts)
        ids = list(session.execute(select(ObjectRow.id)).scalars())
        said = {
            "standard": "22239", "source": "probe", "judged_by": "probe", "reason": "PASS_MIN_LEN 8", "evidence": "a" * 64,
            "reproduce": "grep PASS /etc/login.defs", "detail": "", "at": NOW, "checked_at": NOW, "probed": "met", "probed_at": NOW,
            "version": 1,
        }  # fmt: skip
        for placed in requirements().placed():
            if not placed.extension:
                where = {"system_id": system, "item": placed.item.id, "security_class": placed.security_class.id, **said}
                rows = [
                    {**where, "object_id": one, "verdict": VERDICTS[(one * 7 + len(placed.item.id)) % len(VERDICTS)]} for one in ids
                ]
                session.execute(insert(VerdictRow), rows)
    database.analyze()
    yield database, system
    database.close()


def slowest(database: Database, act: Callable[[Session], object], times: int) -> float:
    """CPU seconds of the slowest of several."""
    took = []
    for _ in range(times):
        with database.read() as session:
            start = time.process_time()
            act(session)
            took.append(time.process_time() - start)
    return max(took)


def test_the_assessment_page_answers_in_300_ms(large: tuple[Database, int]) -> None:
    database, system = large

    def page(session: Session) -> None:
        standing(session, system)
        reading.heat(session, objects.list_objects(session, system, limit=40).objects)

    assert slowest(database, page, 10) < 0.3
    assert slowest(database, lambda session: reading.verdicts_of(session, system, "8.1.4.1.a"), 10) < 0.1


@pytest.mark.parametrize("template", ["2021", "2025"])
def test_a_whole_score_takes_at_most_5_s(large: tuple[Database, int], template: str) -> None:
    database, system = large
    assert slowest(database, lambda session: scoring.score(session, system, template), 2) < 5
