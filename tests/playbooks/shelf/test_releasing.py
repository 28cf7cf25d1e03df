"""What comes into force: by whom, checked again, and without breaking what calls it."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.db import Database
from operations.errors import Conflict, Denied, NotFound, Stale
from playbooks.problems import PlaybookError
from playbooks.shelf import service as shelf
from tests.playbooks.documents import END, FIRST, START, action, document, octets, uuid
from tests.playbooks.shelf.people import ANALYST, DUTY, DUTYS_KEY, LEADER, OTHER_RESPONDER, RESPONDER, SCOPED, SECADMIN

ID = f"playbook--{uuid(100)}"
INNER = f"playbook--{uuid(201)}"
CALL = f"playbook-action--{uuid(3)}"


def calling(inner: str, identifier: str = ID, **more: Any) -> bytes:
    """A playbook that does nothing but run ``inner``."""
    step = {"type": "playbook-action", "playbook_id": inner, "on_completion": END, **more}
    workflow = {START: {"type": "start", "on_completion": CALL}, CALL: step, END: {"type": "end"}}
    rest = {"agent_definitions": {}, "target_definitions": {}, "authentication_info_definitions": {}}
    return octets(document(id=identifier, name="外", workflow=workflow, **rest))


def test_a_second_person_puts_a_version_in_force(database: Database) -> None:
    with database.write() as session:
        shelf.save(session, DUTY, octets(document()))
    with pytest.raises(Denied, match="second person"), database.write() as session:
        shelf.release(session, DUTY, ID, 1, None)
    with database.write() as session:
        found = shelf.release(session, LEADER, ID, 1, 1)
    assert (found.released, found.revision, found.startable) == (1, 2, True)
    with database.read() as session:
        version = shelf.version(session, ID)
    assert (version.number, version.released_by, version.created_by) == (1, "qian-leader", "chen-duty")


def test_a_key_is_the_person_that_it_belongs_to(database: Database) -> None:
    with database.write() as session:
        assert shelf.save(session, DUTYS_KEY, octets(document())).created_by == "key:ci (chen-duty)"
    with pytest.raises(Denied, match="second person"), database.write() as session:
        shelf.release(session, DUTY, ID, 1, None)


@pytest.mark.parametrize("who", [ANALYST, RESPONDER, SCOPED, SECADMIN], ids=lambda who: who.name)
def test_who_may_not_release(database: Database, who: Any) -> None:
    with database.write() as session:
        shelf.save(session, OTHER_RESPONDER, octets(document()))
    with pytest.raises(Denied), database.write() as session:
        shelf.release(session, who, ID, 1, None)


def test_a_decision_on_an_older_state_is_refused(database: Database) -> None:
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(document()))
        shelf.save(session, RESPONDER, octets(document(name="二")), base=1)
    with pytest.raises(Stale), database.write() as session:
        shelf.release(session, DUTY, ID, 2, 1)
    with pytest.raises(NotFound), database.write() as session:
        shelf.release(session, DUTY, ID, 3, 2)


def test_lists_show_the_name_of_what_is_in_force(database: Database) -> None:
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(document(labels=["a"])))
        shelf.release(session, DUTY, ID, 1, None)
        shelf.save(session, RESPONDER, octets(document(name="草稿", labels=["b"])), base=1)
        assert shelf.get(session, ID).name == "封禁攻击地址"
        found = shelf.release(session, DUTY, ID, 2, None)
    assert (found.name, found.labels) == ("草稿", ["b"])


def test_a_draft_does_not_come_into_force_until_what_it_needs_is(database: Database) -> None:
    with database.write() as session:
        shelf.save(session, RESPONDER, calling(INNER), draft=True)
        shelf.save(session, RESPONDER, octets(document(id=INNER)))
    with pytest.raises(PlaybookError, match="is not known"), database.write() as session:
        shelf.release(session, DUTY, ID, 1, None)  # it is on the shelf, but not in force
    with database.write() as session:
        shelf.release(session, DUTY, INNER, 1, None)
        shelf.release(session, DUTY, ID, 1, None)
        assert shelf.version(session, ID).runnable
        assert [one.playbook_id for one in shelf.callers(session, INNER)] == [ID]


def test_what_is_called_is_not_replaced_by_what_its_callers_could_not_run(database: Database) -> None:
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(document(id=INNER)))
        shelf.release(session, DUTY, INNER, 1, None)
        shelf.save(session, RESPONDER, calling(INNER, out_args=["__answer__"], step_variables={}))
        shelf.release(session, DUTY, ID, 1, None)
        without = document(id=INNER)
        del without["playbook_variables"]["__answer__"]
        first = action(on_completion=END)
        without["workflow"] = {START: {"type": "start", "on_completion": FIRST}, FIRST: first, END: {"type": "end"}}
        shelf.save(session, RESPONDER, octets(without), base=1)
        shelf.save(session, RESPONDER, calling(ID, INNER), base=2, draft=True)
    with pytest.raises(Conflict, match="'外', which runs it, could not"), database.write() as session:
        shelf.release(session, DUTY, INNER, 2, None)
    with pytest.raises(PlaybookError, match="never end"), database.write() as session:
        shelf.release(session, DUTY, INNER, 3, None)


def test_switching_off_is_open_to_more_people_than_switching_on(database: Database) -> None:
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(document()))
        off = shelf.set_enabled(session, RESPONDER, ID, False, 1)
    assert (off.enabled, off.revision) == (False, 2)
    with pytest.raises(Denied), database.write() as session:
        shelf.set_enabled(session, RESPONDER, ID, True, 2)
    with database.write() as session:
        assert shelf.set_enabled(session, DUTY, ID, True, 2).enabled
