"""What people do with triggers: written by one, switched on by another, and off again by every change."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kernel.db import Database
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from playbooks.shelf import service as shelf
from playbooks.triggers import service as triggers
from playbooks.triggers.schema import Definition
from tests.playbooks.documents import document, octets, uuid
from tests.playbooks.matters import alert
from tests.playbooks.shelf.people import ANALYST, DUTY, LEADER, OTHER_RESPONDER, RESPONDER, SCOPED, SECADMIN
from tests.playbooks.triggers.conftest import ID, Make

WANTED = Definition(
    name="高危告警", playbook_id=ID, kind="alert", condition={"level": "high"}, variables={"__what__": "{alert.id}"}
)


def test_it_is_made_switched_off_and_told(city: Database) -> None:
    with city.write() as session:
        made = triggers.create(session, RESPONDER, WANTED)
    assert (made.enabled, made.author, made.revision, made.definition.variables) == (False, "wang-responder", 1, WANTED.variables)
    with city.read() as session:
        assert triggers.get(session, made.id) == made
        (entry,) = audit.listing(session, action="playbook.trigger_create").entries
    assert (entry.object_type, entry.object_id, entry.detail["name"]) == ("playbook_trigger", str(made.id), "高危告警")


def test_somebody_else_switches_it_on_and_a_change_switches_it_off(city: Database) -> None:
    with city.write() as session:
        made = triggers.create(session, DUTY, WANTED)
    with pytest.raises(Denied, match="second person"), city.write() as session:
        triggers.set_enabled(session, DUTY, made.id, True, 1)
    with city.write() as session:
        on = triggers.set_enabled(session, LEADER, made.id, True, 1)
        changed = triggers.change(session, OTHER_RESPONDER, made.id, msgspec.structs.replace(WANTED, most_per_hour=1), on.revision)
    assert (on.enabled, on.enabled_by) == (True, "qian-leader")
    assert (changed.enabled, changed.enabled_by, changed.author, changed.revision) == (False, "", "zhao-responder", 3)
    with city.write() as session:
        same = triggers.change(session, RESPONDER, made.id, changed.definition, None)
    assert (same.author, same.revision) == ("zhao-responder", 3)  # nothing changed


@pytest.mark.parametrize("who", [ANALYST, SECADMIN, SCOPED, LEADER], ids=lambda who: who.name)
def test_who_may_not_write_triggers(city: Database, who: Any) -> None:
    with pytest.raises(Denied), city.write() as session:
        triggers.create(session, who, WANTED)


def test_who_writes_them_may_switch_them_off_and_not_on(make: Make, city: Database) -> None:
    made = make("alert", {"level": "high"})
    with city.write() as session:
        assert not triggers.set_enabled(session, RESPONDER, made.id, False, made.revision).enabled
    with pytest.raises(Denied), city.write() as session:
        triggers.set_enabled(session, OTHER_RESPONDER, made.id, True, None)


def test_decisions_on_an_older_state_are_refused(city: Database) -> None:
    with city.write() as session:
        made = triggers.create(session, RESPONDER, WANTED)
        triggers.set_enabled(session, DUTY, made.id, True, 1)
    for act in (
        lambda session: triggers.set_enabled(session, DUTY, made.id, False, 1),
        lambda session: triggers.change(session, RESPONDER, made.id, WANTED, 1),
        lambda session: triggers.remove(session, RESPONDER, made.id, 1),
    ):
        with pytest.raises(Stale), city.write() as session:
            act(session)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 200}, "name"),
        ({"playbook_id": "playbook--none"}, "playbook_id"),
        ({"kind": "comet"}, "kind"),
        ({"condition": {}}, "condition"),
        ({"kind": "webhook", "condition": {"source": 77}}, "condition.source"),
        ({"throttle_seconds": -1}, "throttle_seconds"),
        ({"throttle_seconds": 31 * 86_400}, "throttle_seconds"),
        ({"most_per_hour": 0}, "most_per_hour"),
        ({"most_per_hour": 5_000}, "most_per_hour"),
        ({"variables": {"x": "1"}}, "variables"),
        ({"variables": {"__x__": "{"}}, "variables.__x__"),
        ({"variables": {"__ot__": "false"}}, "variables.__ot__"),
        ({"variables": {f"__x{number}__": "" for number in range(65)}}, "variables"),
    ],
)
def test_what_is_refused_and_where(city: Database, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused, city.write() as session:
        triggers.create(session, RESPONDER, msgspec.structs.replace(WANTED, **changes))
    assert refused.value.field == field


def test_it_is_not_switched_on_without_a_playbook_in_force_that_takes_its_values(city: Database) -> None:
    other = f"playbook--{uuid(300)}"
    with city.write() as session:
        shelf.save(session, RESPONDER, octets(document(id=other)))
        draft = triggers.create(session, RESPONDER, msgspec.structs.replace(WANTED, playbook_id=other, variables={}))
        wrong = triggers.create(session, RESPONDER, msgspec.structs.replace(WANTED, variables={"__nothing__": "1"}))
    with pytest.raises(Conflict, match="in force"), city.write() as session:
        triggers.set_enabled(session, DUTY, draft.id, True, None)
    with pytest.raises(Invalid) as refused, city.write() as session:
        triggers.set_enabled(session, DUTY, wrong.id, True, None)
    assert refused.value.field == "variables.__nothing__"


def test_pages_and_filters(city: Database) -> None:
    with city.write() as session:
        for number in range(7):
            kind = {"kind": "schedule", "condition": {"every_minutes": 5}} if number % 2 else {}
            made = triggers.create(session, RESPONDER, msgspec.structs.replace(WANTED, name=str(number), **kind))
            if number == 3:
                triggers.set_enabled(session, DUTY, made.id, True, None)
    with city.read() as session:
        first = triggers.listing(session, limit=4)
        rest = triggers.listing(session, limit=4, after=first.cursor)
        assert [one.definition.name for one in (*first.triggers, *rest.triggers)] == list("6543210")
        assert rest.cursor == ""
        assert len(triggers.listing(session, kind="schedule").triggers) == 3
        assert [one.definition.name for one in triggers.listing(session, enabled=True).triggers] == ["3"]
        assert triggers.listing(session, playbook_id="playbook--none").triggers == []
        for bad in ({"after": "x"}, {"kind": "comet"}):
            with pytest.raises(Invalid):
                triggers.listing(session, **bad)


def test_a_removed_trigger_is_gone(make: Make, city: Database) -> None:
    made = make("alert", {"level": "high"})
    alert(city)
    with city.write() as session:
        triggers.remove(session, RESPONDER, made.id, made.revision)
    with pytest.raises(NotFound), city.read() as session:
        triggers.get(session, made.id)
