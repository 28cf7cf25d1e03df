"""The playbook that a new one begins as: one thing that a person does."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from operations.accounts.schema import Principal
from playbooks.shelf import service
from playbooks.vocabulary import SPEC_VERSION
from soc_ui.locale import _

_AUTHOR = uuid.UUID("5f0c3a52-6f0e-5d1b-9c33-7f6f1d1f5b11")
"""Name space of authors: who writes here is the same identity each time."""


def skeleton(who: Principal) -> dict[str, Any]:
    """Its document, with ids of its own."""
    start, task, end, person = (f"{kind}--{uuid.uuid4()}" for kind in ("start", "action", "end", "individual"))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "type": "playbook",
        "spec_version": SPEC_VERSION,
        "id": service.new_id(),
        "name": _("New playbook"),
        "created_by": f"identity--{uuid.uuid5(_AUTHOR, who.name)}",
        "created": now,
        "modified": now,
        "workflow_start": start,
        "playbook_variables": {"__matter__": {"type": "string", "external": True, "description": _("What it is about")}},
        "workflow": {
            start: {"type": "start", "on_completion": task},
            task: {
                "type": "action",
                "name": _("Look at it"),
                "commands": [{"type": "manual", "command": _("Look at it:") + " __matter__:value"}],
                "agent": person,
                "on_completion": end,
            },
            end: {"type": "end"},
        },
        "agent_definitions": {person: {"type": "individual", "name": _("Duty officer")}},
    }
