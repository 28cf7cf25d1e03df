"""Who may see an incident, and what of it: zones decide, elsewhere there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from operations.errors import Conflict, Invalid, NotFound
from operations.incidents import service
from operations.incidents.schema import Change, Decision, IncidentFilter, NewIncident, TaskChange
from tests.operations.incidents.conftest import ALICE, CLOUD, WATER

Run = Callable[..., Any]


@pytest.fixture
def both(act: Run, attack: list[int]) -> int:
    """An incident that concerns cloud and water."""
    found = act(service.create_incident, ALICE, NewIncident("门户到水务", alert_ids=tuple(attack)))
    assert found.zones == ["gov-cloud", "water-ot"]
    return int(found.id)


def test_a_foreign_incident_is_not_there(act: Run, look: Run) -> None:
    made = act(service.create_incident, ALICE, NewIncident("云上", zones=("gov-cloud",)))
    task = act(service.add_task, ALICE, made.id, "x")
    asset = act(service.add_asset, ALICE, made.id, "service", "门户")
    assert look(service.list_incidents, who=WATER).hidden == 1
    assert look(service.list_incidents, who=WATER).incidents == []
    assert {name: values for name, values in look(service.facets, IncidentFilter(), who=WATER).items() if values} == {}
    assert look(service.facets, IncidentFilter(zone=("gov-cloud",)), who=CLOUD)["zone"] == [("gov-cloud", 1)]
    assert [row.id for row in look(service.list_incidents, who=CLOUD).incidents] == [made.id]
    for read in (service.get_incident, service.get_detail, service.alerts_of, service.list_tasks, service.list_assets,
                 service.list_indicators, service.entries):  # fmt: skip
        with pytest.raises(NotFound):
            look(read, made.id, who=WATER)
    for write in (
        lambda: act(service.change_incident, WATER, made.id, Change(title="x")),
        lambda: act(service.acknowledge, WATER, made.id, "alice"),
        lambda: act(service.decide, WATER, made.id, Decision("0206", "general", "slight", "slight", "")),
        lambda: act(service.move, WATER, made.id, "containment"),
        lambda: act(service.pause, WATER, made.id, "x"),
        lambda: act(service.write, WATER, made.id, "note", "x"),
        lambda: act(service.add_task, WATER, made.id, "x"),
        lambda: act(service.change_task, WATER, made.id, task.id, TaskChange(status="done")),
        lambda: act(service.add_indicator, WATER, made.id, "ip", "203.0.113.1"),
        lambda: act(service.change_asset, WATER, made.id, asset.id, state="restored", impact=""),
        lambda: act(service.merge, WATER, made.id, made.id + 1),
    ):
        with pytest.raises((NotFound, Conflict)) as refusal:
            write()
        assert isinstance(refusal.value, NotFound)


def test_of_a_shared_incident_each_sees_their_alerts_and_assets(both: int, look: Run) -> None:
    detail = look(service.get_detail, both, who=WATER)
    assert (detail.alerts, detail.hidden_alerts) == (1, 2)
    assert [row.rule_id for row in look(service.alerts_of, both, who=WATER)] == ["modbus"]
    shown, hidden = look(service.list_assets, both, who=WATER)
    assert ([one.name for one in shown], hidden) == ([], 1)
    assert {one.alert_id for one in look(service.entries, both, who=WATER) if one.kind == "alert"} == {3}
    assert {one.alert_id for one in look(service.entries, both, who=CLOUD) if one.kind == "alert"} >= {1, 2}


def test_nobody_makes_an_incident_that_they_cannot_see(act: Run, attack: list[int]) -> None:
    for wanted in (NewIncident("x"), NewIncident("x", zones=("gov-cloud",)), NewIncident("x", organisations=("大数据局",))):
        with pytest.raises(Invalid):
            act(service.create_incident, WATER, wanted)
    with pytest.raises(NotFound):
        act(service.create_incident, WATER, NewIncident("x", alert_ids=(attack[0],)))
    assert act(service.create_incident, WATER, NewIncident("x", organisations=("水务局",))).zones == ["water-ot"]


def test_a_change_keeps_the_zones_that_one_does_not_see(both: int, act: Run) -> None:
    with pytest.raises(Invalid, match="a zone that you may see"):
        act(service.change_incident, WATER, both, Change(zones=()))
    found = act(service.change_incident, WATER, both, Change(zones=("water-ot",), title="新题目"))
    assert set(found.zones) == {"gov-cloud", "water-ot"}


def test_merging_needs_sight_of_the_whole(both: int, act: Run) -> None:
    other = act(service.create_incident, WATER, NewIncident("水务", zones=("water-ot",)))
    with pytest.raises(Conflict, match="may not see"):
        act(service.merge, WATER, other.id, both)
