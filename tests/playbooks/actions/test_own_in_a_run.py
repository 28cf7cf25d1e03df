"""Our own commands in a real run: journal and platform in one database, taken back on request."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import select

from kernel.db import Database
from operations.audit.models import AuditEntry
from operations.indicators.listing import get_indicator
from playbooks.actions.own_kinds import own
from playbooks.actions.registry import standard
from playbooks.extension import EXTENSION
from playbooks.run import journal
from playbooks.run.executor import Executor, Settings
from playbooks.run.journal import Wanted
from playbooks.run.messages import Undo
from tests.playbooks.documents import AGENT, END, FIRST, START, document, octets, uuid
from tests.state_database import migrated

TICKET, BACK, BACK_END = f"action--{uuid(40)}", f"action--{uuid(41)}", f"end--{uuid(42)}"


def _state(database: Database, run_id: int, wanted: str) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with database.read() as session:
            found = journal.state_of(session, run_id)
        if found.state == wanted:
            break
        time.sleep(0.05)
    return f"{found.state} {found.reason}".strip()


def test_a_run_acts_under_its_number_and_takes_back_what_it_did(tmp_path: Path) -> None:
    database = migrated(f"sqlite:///{tmp_path}/state.db")
    add = {"type": "liandun-indicator-add", "parameters": {"value": "__ip__:value", "note": 'a "quoted" note'}}
    revoke = {"type": "liandun-indicator-revoke", "parameters": {"indicator": "__indicator_id__:value", "reason": "撤销"}}
    ticket = {"type": "liandun-ticket", "parameters": {"title": "核查 __ip__:value", "level": "high"}}
    one = document(
        playbook_variables={
            "__ip__": {"type": "ipv4-addr", "external": True},
            "__indicator_id__": {"type": "integer"},
        },
        workflow={
            START: {"type": "start", "on_completion": FIRST},
            FIRST: {
                "type": "action", "commands": [add], "agent": AGENT, "out_args": ["__indicator_id__"], "on_completion": TICKET,
                "step_extensions": {EXTENSION: {"undo": BACK, "idempotent": True}},
            },
            TICKET: {"type": "action", "commands": [ticket], "agent": AGENT, "on_completion": END},
            BACK: {"type": "action", "commands": [revoke], "agent": AGENT, "on_completion": BACK_END},
            BACK_END: {"type": "end"},
            END: {"type": "end"},
        },
        target_definitions={},
        authentication_info_definitions={},
    )  # fmt: skip
    wanted = Wanted(body=octets(one), variables={"__ip__": "203.0.113.9"}, by="test")
    with Executor(database, standard() | own(database), Settings(workers=2, poll=0.02)) as executor:
        run_id = executor.submit_soon(wanted).result(20)
        assert _state(database, run_id, "finished") == "finished"
        with database.write() as session:
            journal.send(session, run_id, Undo(), by="test")
        assert _state(database, run_id, "undone") == "undone"
    with database.read() as session:
        assert get_indicator(session, 1).state == "revoked"
        rows = session.execute(select(AuditEntry.action).where(AuditEntry.actor == f"playbook:{run_id}").order_by(AuditEntry.id))
        acts = list(rows.scalars())
    assert acts == ["indicator.add", "playbook.act", "ticket.create", "playbook.act", "indicator.revoke", "playbook.act"]
