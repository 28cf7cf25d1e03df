"""What a page asks several times of big tables is worked out once for its snapshot, with the same answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel.db import Database
from kernel.detection import Detection
from operations import title_search
from operations.alerts import facets, listing
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.audit.schema import Actor
from operations.incidents import listing as incidents
from operations.incidents.record import create_incident
from operations.incidents.schema import IncidentFilter, NewIncident
from operations.reach import SESSION_KEY
from operations.tickets import service as desk
from operations.tickets.schema import Draft
from tests.operations.organisations_city import TRAFFIC, WATER, City
from tests.operations.statements import statements

Make = Callable[..., Detection]


@pytest.mark.parametrize("few", [0, 20_000])
def test_incidents_are_searched_by_their_text_once(database: Database, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(title_search, "MOST_IDS", few)  # 0: too many to list, the texts are searched each time
    with database.write() as session:
        for title in ("Web shell 100%", "web Shell on portal", "mining"):
            create_incident(session, Actor("alice"), NewIncident(title))
    where = IncidentFilter(text="SHELL web")
    with statements(database) as told, database.read() as session:
        found = incidents.list_incidents(session, where)
        assert incidents.count_incidents(session, where).count == 2
        assert incidents.facets(session, where)["phase"] == [("detection", 2)]
    assert {row.title for row in found.incidents} == {"Web shell 100%", "web Shell on portal"}
    assert sum("lower(incidents.number" in statement or "MATCH" in statement for statement in told) == (1 if few else 4)
    with database.read() as session:
        assert incidents.count_incidents(session, IncidentFilter(text="100%")).count == 1
        assert incidents.count_incidents(session, IncidentFilter(text="10_%")).count == 0


def test_what_a_bureau_sees_of_the_tickets_is_counted_once(database: Database) -> None:
    city = City(database)
    who, whole = city.as_("duty.one")
    with whole.write() as session:
        for bureau in (WATER, WATER, TRAFFIC):
            desk.create(session, who, Draft(kind="remediation", title="t", bureau=bureau))
    _who, theirs = city.as_("water")
    with statements(database) as told, theirs.read() as session:
        assert desk.count_boxes(session)["to_read"] == 2
        assert desk.count_hidden(session) == 1
        assert desk.count_hidden(session, "to_read") == 1
        assert desk.count_hidden(session, "done") == 0
    counted = [statement for statement in told if "GROUP BY tickets.state" in statement]
    assert len(counted) == len(set(counted)) == 3  # to the bureau, from it, about its zones


def test_who_sees_some_zones_gets_counts_that_say_how_far_they_go(
    database: Database, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "COUNT_LIMIT_SCOPED", 3)
    monkeypatch.setattr(facets, "SAMPLE_SCOPED", 3)
    with database.write() as session:
        alerts.record_detections(session, [make(rule=f"r{number}", source__zone="z1") for number in range(5)])
    where = AlertFilter(engine=("sigma",))
    with database.carrying({SESSION_KEY: frozenset({"z1"})}).read() as session:
        assert (alerts.count_alerts(session, where).count, alerts.count_alerts(session, where).exact) == (3, False)
        assert (alerts.count_alerts(session).count, alerts.count_alerts(session).exact) == (5, True)
        (engines,) = alerts.facets(session, AlertFilter(), ("engine",))
        assert sum(value.count for value in engines.values) == alerts.sample_size(session) == 3
        assert not engines.exact
    with database.read() as session:
        assert (alerts.count_alerts(session, where).count, alerts.count_alerts(session, where).exact) == (5, True)


@pytest.mark.parametrize("few", [0, 5_000])
def test_alerts_of_a_page_are_found_once(database: Database, make: Make, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(listing, "TEXT_FEW", few)  # 0: too many to list, the queue is walked for them
    with database.write() as session:
        alerts.record_detections(session, [make(rule=f"r{number}", source__zone="z1") for number in range(70)])
    where = AlertFilter(status=("new",), text="web1")
    with database.read() as session:
        alone = alerts.list_alerts(session, where)
        deeper = alerts.list_alerts(session, where, cursor=alone.cursor)
        oldest = alerts.list_alerts(session, where, oldest_first=True)
    with statements(database) as told, database.read() as session:
        assert alerts.count_alerts(session, where).count == 70
        rules = {facet.dimension: facet for facet in alerts.facets(session, where, limit=100)}["rule"]
        assert len(rules.values) == 70
        assert alerts.list_alerts(session, where) == alone
        assert alerts.list_alerts(session, where, limit=500).alerts == [*alone.alerts, *deeper.alerts]
        assert alerts.list_alerts(session, where, cursor=alone.cursor) == deeper
        assert alerts.list_alerts(session, where, oldest_first=True) == oldest
        assert alerts.matching_ids(session, where, 3) == [row.id for row in alone.alerts[:3]]
    ordered = [one for one in told if "alerts.status" in one.partition("FROM")[2] and "ORDER BY" in one and "LIMIT" in one]
    assert len(ordered) == 3  # the ids for all, the second page, and the page in the other order
