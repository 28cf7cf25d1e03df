"""How many incidents are hidden is counted once, and anew after every act that changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import delete

from kernel.db import Database
from operations.accounts.schema import Principal
from operations.audit.purge import purge
from operations.incidents import service
from operations.incidents.models import Incident, IncidentZone
from operations.incidents.schema import Change, NewIncident
from tests.operations.incidents.conftest import ALICE, CLOUD, WATER, Clock, seen_by
from tests.operations.statements import statements

Run = Callable[..., Any]
AUDITOR = Principal(9, "shen.ji", "", "auditadmin")


def hidden(city: Database, who: Any) -> int:
    with seen_by(city, who).read() as session:
        return service.list_incidents(session).hidden


def test_each_act_that_changes_it_is_seen(city: Database, act: Run, attack: list[int]) -> None:
    def told() -> tuple[int, int]:
        return hidden(city, WATER), hidden(city, CLOUD)

    assert told() == (0, 0)
    one = act(service.create_incident, ALICE, NewIncident("云上", zones=("gov-cloud",)))
    assert told() == (1, 0)
    two = act(service.create_incident, ALICE, NewIncident("无处"))
    assert told() == (2, 1)
    act(service.change_incident, ALICE, two.id, Change(zones=("water-ot",)))
    assert told() == (1, 1)
    act(service.merge, ALICE, one.id, two.id)
    assert told() == (0, 1)
    three = act(service.create_incident, ALICE, NewIncident("手工"))
    assert told() == (1, 2)
    act(service.add_alerts, ALICE, three.id, attack)
    assert told() == (0, 1)


def test_while_nothing_changed_nothing_is_counted(city: Database, act: Run) -> None:
    act(service.create_incident, ALICE, NewIncident("云上", zones=("gov-cloud",)))
    assert hidden(city, WATER) == 1
    act(service.acknowledge, ALICE, 1, "alice")
    with statements(city) as sent:
        assert hidden(city, WATER) == 1
    assert not any("count(*)" in one for one in sent)
    with statements(city) as sent:
        assert hidden(city, CLOUD) == 0
    assert sum("count(*)" in one for one in sent) == 2


def test_a_trail_that_was_purged_says_nothing_wrong(city: Database, act: Run, time: Clock) -> None:
    act(service.create_incident, ALICE, NewIncident("云上", zones=("gov-cloud",)))
    assert hidden(city, WATER) == 1
    time.move(hours=24 * 300)
    assert purge(city, AUDITOR, 200) > 0
    assert hidden(city, WATER) == 1
    act(service.create_incident, ALICE, NewIncident("云上", zones=("gov-cloud",)))
    assert hidden(city, WATER) == 2


def test_who_writes_counts_what_he_wrote(city: Database, act: Run) -> None:
    act(service.create_incident, ALICE, NewIncident("云上", zones=("gov-cloud",)))
    assert hidden(city, WATER) == 1
    with seen_by(city, WATER).write() as session:
        session.execute(delete(IncidentZone))
        session.execute(delete(Incident))
        assert service.list_incidents(session).hidden == 0
