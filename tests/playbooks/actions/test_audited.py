"""Attempts to change a system stand in the audit trail, those that failed too."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from operations.audit import service as audit
from playbooks.actions.audited import Audited
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.model import Command
from playbooks.variables import Value
from tests.state_database import migrated


class _Kind:
    """Does what its command says: ``fail``, or anything else."""

    def plan(self, request: Request) -> Plan:
        return Plan(f"would {request.command.command}")

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        if request.command.command == "fail":
            raise ActionError("no way", code="UNREACHABLE", again=True)
        return {"__said__": "much"}


def test_what_was_done_and_what_failed(tmp_path: Path) -> None:
    database = migrated(f"sqlite:///{tmp_path}/state.db")
    kind = Audited(_Kind(), database)

    def attempt(kind_name: str, command: str) -> Mapping[str, Value]:
        made = Command(type=kind_name, command=command)
        return kind.run(Request(key="7.1", step_id="action--1", command=made), Context(time.monotonic() + 5))

    assert attempt("ssh", "go") == attempt("liandun-nft-block", "go") == {"__said__": "much"}
    with pytest.raises(ActionError, match="no way"):
        attempt("ssh", "fail")
    with database.read() as session:
        entries = audit.listing(session, action="playbook.act").entries
    found = sorted((entry.actor, *map(entry.detail.get, ("command", "line", "failed"), ("", "", ""))) for entry in entries)
    assert found == [
        ("playbook:7", "liandun-nft-block", "would go", ""),
        ("playbook:7", "ssh", "would fail", "UNREACHABLE"),
        ("playbook:7", "ssh", "would go", ""),
    ]
    assert [entry.detail["gave"] for entry in entries if "gave" in entry.detail] == [{"__said__": "much"}]
    database.close()
