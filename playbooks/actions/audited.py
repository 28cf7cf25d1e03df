"""Every attempt to change a system stands in the audit trail, with what it gave or why it failed, by ``playbook:<run>``.

The journal of a run has it, too, but journals are thrown away in time, and nothing shows whether somebody changed them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from kernel.db import Database
from kernel.errors import StoreError
from operations.audit import service as audit
from playbooks.actions.contract import ActionError, ActionKind, Context, Plan, Request
from playbooks.actions.own import ACT, OBJECT, actor_of, digest_of
from playbooks.actions.parameters import LOOKING, TERMS
from playbooks.variables import Value

log = logging.getLogger(__name__)
_PATIENCE = 5.0
"""Seconds in which a database that cannot be written is asked again."""
_LONGEST = 1_000
_TOLD = TERMS.keys() | LOOKING.keys() - {"elastic"}
"""Kinds whose values are our own and short."""


class Audited:
    """An action whose attempts are written down."""

    def __init__(self, kind: ActionKind, database: Database) -> None:
        self._kind = kind
        self._database = database

    def plan(self, request: Request) -> Plan:
        return self._kind.plan(request)

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """As the action. Where the trail cannot be written the act counts all the same: it has been done, as the journal says."""
        try:
            gave = self._kind.run(request, context)
        except ActionError as error:
            self._write(request, {"failed": error.code, "message": str(error)[:_LONGEST]})
            raise
        except Exception as error:  # a mistake of ours: something may have been done all the same
            self._write(request, {"failed": "ACTION_BROKEN", "message": f"{type(error).__name__}: {error}"[:_LONGEST]})
            raise
        # what a script said may be anything, and much of it; the journal keeps what the playbook wanted of it
        told = {name: _told(value) for name, value in gave.items()}
        self._write(request, {"gave": told} if request.command.type in _TOLD else {})
        return gave

    def _write(self, request: Request, outcome: dict[str, Any]) -> None:
        write_down(self._database, request, self._line(request), outcome)

    def _line(self, request: Request) -> str:
        try:
            return self._kind.plan(request).line[:_LONGEST]
        except ActionError:
            return ""


def _told(value: Value) -> Value:
    """A value as it stands in the trail: a long list is cut off, the journal has all of it."""
    return value if not isinstance(value, str) or len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"


def write_down(database: Database, request: Request, line: str, outcome: dict[str, Any]) -> None:
    """An entry for an attempt; where the trail cannot be written for a while, the log has it. ``line``: of its plan."""
    detail = {
        "command": request.command.type, "step": request.step_id, "name": request.step_name[:200],
        "line": line[:_LONGEST], "digest": digest_of(request), **outcome,
    }  # fmt: skip
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            with database.write() as session:
                audit.append(session, actor_of(request).actor, ACT, OBJECT, request.key, detail=detail)
            return
        except StoreError as error:
            if time.monotonic() >= end:
                log.exception("what %s of %s did is not in the audit trail: %s", request.command.type, request.key, detail)
                return
            log.warning("the audit trail cannot be written, %s", error)
            time.sleep(0.25)
