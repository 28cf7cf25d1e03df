"""The database of the shelf's tests with a playbook in force, and triggers that are switched on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kernel.db import Database
from playbooks.shelf import service as shelf
from playbooks.triggers import service as triggers
from playbooks.triggers.schema import Definition, Trigger
from tests.playbooks.documents import END, FIRST, PERSON, START, action, document, octets, uuid
from tests.playbooks.shelf.conftest import database as database
from tests.playbooks.shelf.people import DUTY, RESPONDER

ID = f"playbook--{uuid(100)}"
Make = Callable[..., Trigger]


def by_hand(identifier: str = ID) -> bytes:
    """A playbook that asks a person to look at an address: it lasts until somebody answers."""
    variables = {name: {"type": "string", "external": True} for name in ("__address__", "__host__", "__matter__", "__what__")}
    variables |= {
        "__alert_id__": {"type": "integer", "value": "0", "external": True},
        "__ot__": {"type": "bool", "value": "true", "external": True},
    }
    workflow = {
        START: {"type": "start", "on_completion": FIRST},
        FIRST: action(on_completion=END),
        END: {"type": "end"},
    }
    agents = {PERSON: {"type": "individual", "name": "Duty officer"}}
    rest = {"target_definitions": {}, "authentication_info_definitions": {}}
    return octets(document(id=identifier, playbook_variables=variables, workflow=workflow, agent_definitions=agents, **rest))


@pytest.fixture
def city(database: Database) -> Database:
    """With one playbook in force."""
    with database.write() as session:
        shelf.save(session, RESPONDER, by_hand())
        shelf.release(session, DUTY, ID, 1, None)
    return database


@pytest.fixture
def make(city: Database) -> Make:
    """Make a trigger of a kind with a condition, and switch it on."""

    def made(kind: str, condition: dict[str, Any], **more: Any) -> Trigger:
        wanted = Definition(**{"name": f"{kind} trigger", "playbook_id": ID, "kind": kind, "condition": condition, **more})
        with city.write() as session:
            trigger = triggers.create(session, RESPONDER, wanted)
            return triggers.set_enabled(session, DUTY, trigger.id, True, trigger.revision)

    return made
