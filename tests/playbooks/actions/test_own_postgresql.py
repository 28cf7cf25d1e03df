"""Attempts at one request that really meet, on a server with many writers: each request is done once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kernel.db import open_database, upgrade
from operations.audit.models import AuditEntry
from operations.tickets.models import Ticket
from playbooks.actions.contract import Context, Request
from playbooks.actions.own_kinds import own
from playbooks.model import Command
from playbooks.variables import Value
from tests.postgresql_server import running_postgresql


@pytest.mark.slow
def test_requests_that_meet_are_done_once(shared: Path, tmp_path: Path) -> None:
    with running_postgresql(shared, tmp_path) as url:
        database = open_database(url)
        upgrade(database)
        action = own(database)["liandun-ticket"]
        command = Command(type="liandun-ticket", more={"parameters": {"title": "核查"}})

        def attempt(number: int) -> Value:
            request = Request(key=f"7.{number % 10}.0.0", step_id="action--1", command=command, out_args=("__ticket_id__",))
            return action.run(request, Context(time.monotonic() + 60))["__ticket_id__"]

        with ThreadPoolExecutor(8) as threads:
            given = list(threads.map(attempt, range(80)))
        with database.read() as session:
            tickets = session.execute(select(func.count()).select_from(Ticket)).scalar_one()
            acts = session.execute(select(func.count()).where(AuditEntry.action == "playbook.act")).scalar_one()
        database.close()
    assert (tickets, acts) == (10, 10)
    assert all(len(set(given[number::10])) == 1 for number in range(10))
