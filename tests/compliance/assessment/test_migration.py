"""Decisions of before the history was kept begin it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from compliance.assessment import deciding
from kernel.db import open_database, upgrade

_SYSTEM = (
    "INSERT INTO mlps_systems (id, name, organisation, description, level, s, a, g, extensions, zones, people, state,"
    " filing_number, filing_date, filing_authority, filing_organisation, created_by, created_at, updated_by, updated_at, version)"
    " VALUES (7, '供水', '', '', 3, 3, 3, 3, '[]', '[]', '[]', 'running', '', '', '', '', 'p', :at, 'p', :at, 1)"
)
_DECISION = (
    "INSERT INTO compliance_decisions (system_id, kind, subject, object_id, value, reason, decided_by, decided_at, version)"
    " VALUES (7, 'hazard', 'A-29', 0, 'found', '暴露面', 'an.quan', :at, 1)"
)


def test_what_was_decided_before_is_the_first_line(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    upgrade(database, "0035")
    at = "2026-11-01T08:00:00.000000Z"
    with database.write() as session:
        session.execute(text(_SYSTEM), {"at": at})
        session.execute(text(_DECISION), {"at": at})
    upgrade(database)
    with database.read() as session:
        (line,) = deciding.history(session, 7, "A-29")
    assert (line.kind, line.previous, line.value, line.reason, line.by, line.at) == ("hazard", "", "found", "暴露面", "an.quan", at)
    database.close()
