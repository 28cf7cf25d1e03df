"""Starting runs: what they take along, who may, and with which values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kernel.db import Database
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks.run import journal
from playbooks.shelf import service as shelf
from playbooks.shelf import starting
from tests.playbooks.documents import document, octets, uuid
from tests.playbooks.shelf.people import ANALYST, BUREAU, DUTY, RESPONDER, SECADMIN
from tests.playbooks.shelf.test_releasing import calling

ID, INNER, INMOST = (f"playbook--{uuid(number)}" for number in (100, 201, 202))
CAUSE = {"kind": "alert", "id": 7}


def _release(database: Database, *bodies: bytes) -> None:
    with database.write() as session:
        for body in bodies:
            version = shelf.save(session, RESPONDER, body)
            shelf.release(session, DUTY, version.playbook_id, version.number, None)


def test_a_run_takes_the_version_in_force_and_all_that_it_may_call(database: Database) -> None:
    _release(database, octets(document(id=INMOST, name="最里")), calling(INMOST, INNER), calling(INNER, ID))
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(document(id=ID, name="草稿")), base=1)
        run_id = shelf.start(session, ANALYST, ID, {"__ip__": "203.0.113.9"}, CAUSE)
    with database.read() as session:
        claimed = journal.load(session, run_id)
        (entry,) = audit.listing(session, action="playbook.start").entries
    assert claimed.playbook.name == "外"
    assert {one.id for one in claimed.called} == {INNER, INMOST}
    assert claimed.variables == {"__ip__": "203.0.113.9"}
    assert (entry.actor, entry.object_id) == ("li-analyst", str(run_id))
    assert entry.detail == {
        "playbook": ID, "name": "外", "number": 1, "cause": CAUSE, "variables": {"__ip__": "203.0.113.9"},
    }  # fmt: skip


def test_the_same_request_is_the_same_run_and_told_once(database: Database) -> None:
    _release(database, octets(document()))
    with database.write() as session:
        first = shelf.start(session, ANALYST, ID, {}, CAUSE, request_key="trigger:1:alert:7")
    with database.write() as session:
        again = shelf.start(session, ANALYST, ID, {}, CAUSE, request_key="trigger:1:alert:7")
        other = shelf.start(session, ANALYST, ID, {}, CAUSE, request_key="trigger:1:alert:8")
        assert len(audit.listing(session, action="playbook.start").entries) == 2
    assert first == again != other


@pytest.mark.parametrize("who", [SECADMIN, BUREAU], ids=lambda who: who.name)
def test_who_may_not_start(database: Database, who: Any) -> None:
    _release(database, octets(document()))
    with pytest.raises(Denied), database.write() as session:
        shelf.start(session, who, ID, {}, CAUSE)


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"__ip__": "not an address"}, "__ip__"),
        ({"__answer__": "1"}, "__answer__"),  # not external
        ({"__nowhere__": "1"}, "__nowhere__"),
        ({"__ip__": {"a": "b"}}, "__ip__"),
        ({"__ip__": "x" * 70_000}, "__ip__"),
        ({f"__v{number}__": "x" * 60_000 for number in range(5)}, "variables"),
    ],
)
def test_values_that_are_none(database: Database, variables: dict[str, Any], field: str) -> None:
    _release(database, octets(document()))
    with pytest.raises(Invalid) as refused, database.write() as session:
        shelf.start(session, ANALYST, ID, variables, CAUSE)
    assert refused.value.field == field


def test_without_what_it_cannot_do_without_it_does_not_start(database: Database) -> None:
    needs = document()["playbook_variables"] | {"__ip__": {"type": "ipv4-addr", "external": True}}
    _release(database, octets(document(playbook_variables=needs)))
    for values in ({}, {"__ip__": None}):
        with pytest.raises(Invalid, match="cannot do without __ip__") as refused, database.write() as session:
            shelf.start(session, ANALYST, ID, values, CAUSE)
        assert refused.value.field == "__ip__"
    with database.write() as session:
        assert shelf.start(session, ANALYST, ID, {"__ip__": "203.0.113.9"}, CAUSE)


def test_a_value_of_its_own_that_is_taken_away_is_lacking(database: Database) -> None:
    _release(database, octets(document()))
    with pytest.raises(Invalid, match="cannot do without __ip__"), database.write() as session:
        shelf.start(session, ANALYST, ID, {"__ip__": None}, CAUSE)


def test_what_is_not_in_force_is_not_started(database: Database) -> None:
    with pytest.raises(NotFound), database.write() as session:
        shelf.start(session, ANALYST, ID, {}, CAUSE)
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(document()))
    with pytest.raises(Conflict, match="no version in force"), database.write() as session:
        shelf.start(session, ANALYST, ID, {}, CAUSE)
    with database.write() as session:
        shelf.release(session, DUTY, ID, 1, None)
        shelf.set_enabled(session, DUTY, ID, False, None)
    with pytest.raises(Conflict, match="switched off"), database.write() as session:
        shelf.start(session, ANALYST, ID, {}, CAUSE)


def test_a_called_playbook_that_was_switched_off_is_missed(database: Database) -> None:
    _release(database, octets(document(id=INNER)), calling(INNER, ID))
    with database.write() as session:
        shelf.set_enabled(session, DUTY, INNER, False, None)
    with pytest.raises(Conflict, match="not in force"), database.write() as session:
        shelf.start(session, ANALYST, ID, {}, CAUSE)


def test_a_playbook_that_ran_out_since_is_not_started(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    _release(database, octets(document(valid_until="2999-01-01T00:00:00.000Z")))
    monkeypatch.setattr(starting, "_now", lambda: datetime(2999, 1, 2, tzinfo=UTC))
    with pytest.raises(Conflict, match="valid until"), database.write() as session:
        shelf.start(session, ANALYST, ID, {}, CAUSE)
