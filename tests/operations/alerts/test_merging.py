"""Merging alerts: one leads, the others are closed and told, undo restores each as it was, newer changes stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select

from kernel.db import Database
from kernel.detection import Detection
from operations import clock
from operations.accounts.schema import Principal
from operations.alerts import merging, service, triage
from operations.alerts.merging import MergeResult
from operations.alerts.schema import AlertFilter, AlertRow, Change
from operations.audit import service as audit
from operations.errors import Denied, Invalid, NotFound, Stale
from operations.reach import SESSION_KEY
from operations.webhooks.models import WebhookDelivery, WebhookTarget
from operations.zones.models import ZoneRow

Make = Callable[..., Detection]


def record(database: Database, *detections: Detection) -> list[int]:
    with database.write() as session:
        return [number for one in detections for number in service.record_detections(session, [one]).new_alert_ids]


def merge(database: Database, who: Principal, lead: int, ids: Any, **more: Any) -> MergeResult:
    wanted = ids if isinstance(ids, dict) else dict.fromkeys(ids)
    with database.write() as session:
        return service.merge_alerts(session, who.actor, lead, wanted, **more)


def undo(database: Database, who: Principal, batch: str) -> int:
    with database.write() as session:
        return service.undo_change(session, who.actor, batch)


def row(database: Database, number: int) -> AlertRow:
    with database.read() as session:
        return service.get_alert(session, number)


def change(database: Database, who: Principal, number: int, wanted: Change) -> None:
    with database.write() as session:
        service.change_alert(session, who.actor, number, wanted)


@pytest.fixture
def four(database: Database, make: Make) -> list[int]:
    return record(database, *(make(rule=f"r{n}", host=f"h{n}") for n in range(4)))


def test_the_others_are_closed_and_the_lead_shows_them(database: Database, alice: Principal, four: list[int], make: Make) -> None:
    lead, one, two, _ = four
    record(database, make(rule="r1", host="h1"))
    change(database, alice, two, Change(status="in_progress", assignee="alice"))
    done = merge(database, alice, lead, [lead, one, two, 999], note="one scan")
    assert (done.merged, done.overtaken, done.missing) == ([one, two], [], [999])
    assert [(row(database, n).status, row(database, n).merged_into) for n in four] == [
        ("new", None), ("closed", lead), ("closed", lead), ("new", None),
    ]  # fmt: skip
    with database.read() as session:
        merged = service.merged_into(session, lead)
        detail, child = service.get_detail(session, lead), service.get_detail(session, one)
        counted = service.count_alerts(session, AlertFilter(status=("new",)))
        act = audit.listing(session, limit=1).entries[0]
    assert (merged.total, merged.detections, {one.id for one in merged.alerts}) == (2, 3, {one, two})
    assert [(entry.kind, entry.after, entry.note) for entry in detail.history] == [("merge", {"merged": 2}, "one scan")]
    assert [(entry.kind, entry.after) for entry in child.history] == [("change", {"merged_into": lead, "status": "closed"})]
    assert (counted.count, detail.alert.version) == (2, 2)
    assert (act.action, act.object_id) == ("alert.merge", str(lead))


def test_undo_restores_each_as_it_was(database: Database, alice: Principal, four: list[int]) -> None:
    lead, one, two, three = four
    change(database, alice, two, Change(status="in_progress"))
    change(database, alice, three, Change(status="closed", verdict="benign"))
    before = {number: (row(database, number).status, row(database, number).verdict) for number in four}
    done = merge(database, alice, lead, [one, two, three])
    assert row(database, three).verdict == "benign"
    assert undo(database, alice, done.batch) == 3
    assert {number: (row(database, number).status, row(database, number).verdict) for number in four} == before
    assert all(row(database, number).merged_into is None for number in four)
    with database.read() as session:
        assert service.merged_into(session, lead).total == 0
        assert [entry.kind for entry in service.get_detail(session, lead).history] == ["unmerge", "merge"]
        assert service.count_alerts(session, AlertFilter(status=("closed",))).count == 1


def test_nobodys_newer_change_is_overwritten(database: Database, alice: Principal, four: list[int]) -> None:
    lead, one, two, three = four
    versions: dict[int, int | None] = {one: 1, two: 1}
    change(database, alice, one, Change(status="acknowledged"))
    assert merge(database, alice, lead, versions).overtaken == [one]
    assert row(database, one).status == "acknowledged"
    elsewhere = merge(database, alice, three, [two])  # it belongs to the lead by now
    assert (elsewhere.merged, elsewhere.overtaken) == ([], [two])
    with pytest.raises(Stale):
        merge(database, alice, lead, [one], expected_version=1)
    again = merge(database, alice, lead, [one, two], expected_version=row(database, lead).version)
    assert (again.merged, again.overtaken) == ([one], [])
    change(database, alice, one, Change(status="new"))  # opened again: out of the lead
    assert row(database, one).merged_into is None
    assert undo(database, alice, again.batch) == 0
    assert row(database, one).status == "new"


def test_followers_come_along_and_go_back(database: Database, alice: Principal, four: list[int]) -> None:
    lead, one, two, three = four
    merge(database, alice, one, [two])
    done = merge(database, alice, lead, [one, three])
    assert done.merged == [one, two, three]
    assert {row(database, number).merged_into for number in (one, two, three)} == {lead}
    undo(database, alice, done.batch)
    assert [row(database, number).merged_into for number in (one, two, three)] == [None, one, None]
    change(database, alice, one, Change(status="acknowledged"))
    kept = merge(database, alice, lead, {one: 1})  # changed meanwhile: its follower stays with it
    assert (kept.merged, kept.overtaken) == ([], [one])
    assert row(database, two).merged_into == one


def test_only_within_the_same_organisations(database: Database, alice: Principal, make: Make) -> None:
    rest = {
        "name_en": "", "importance": 3, "ranges": "[]", "vlans": "[]", "sensors": "[]", "internet": "conduit", "admission": "open",
        "changed_at": "", "changed_by": "", "version": 1, "layer": "cloud",
    }  # fmt: skip
    with database.write() as session:
        zones = [{"id": key, "name": key, "owner": owner, **rest} for key, owner in (("a1", "A"), ("a2", "A"), ("b", "B"))]
        session.execute(insert(ZoneRow), zones)
    first, second, other, both = record(
        database, make(rule="r1", host__zone="a1"), make(rule="r2", host__zone="a2"), make(rule="r3", host__zone="b"),
        make(rule="r4", source__zone="a1", destination__zone="b"),
    )  # fmt: skip
    assert merge(database, alice, first, [second]).merged == [second]
    for wrong in (other, both):
        with pytest.raises(Invalid, match="organisation"):
            merge(database, alice, first, [wrong])
    assert merge(database, alice, both, [other]).merged == [other]
    limited = database.carrying({SESSION_KEY: frozenset({"a1", "a2"})})
    with pytest.raises(NotFound):
        merge(limited, alice, other, [first])
    assert merge(limited, alice, first, [other]).missing == [other]


def test_what_is_refused(database: Database, alice: Principal, four: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    lead, one, two, three = four
    with pytest.raises(Invalid, match="two alerts"):
        merge(database, alice, lead, [lead])
    merge(database, alice, lead, [one])
    with pytest.raises(Invalid, match="itself"):
        merge(database, alice, one, [two])
    change(database, alice, three, Change(status="closed", verdict="benign"))
    with pytest.raises(Invalid, match="closed"):
        merge(database, alice, three, [two])
    with pytest.raises(NotFound):
        merge(database, alice, 999, [two])
    monkeypatch.setattr(merging, "MOST_MERGED", 1)
    with pytest.raises(Invalid, match="at most"):
        merge(database, alice, two, [lead])  # with the one that follows it


def test_undo_is_for_ten_minutes_and_for_who_did_it(
    database: Database, alice: Principal, four: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = merge(database, alice, four[0], four[1:])
    with pytest.raises(Denied):
        undo(database, Principal(2, "bob", "", "analyst"), done.batch)
    late = clock.shift(clock.now(), triage.UNDO_SECONDS + 5)
    monkeypatch.setattr(triage.clock, "now", lambda: late)
    with pytest.raises(Denied):
        undo(database, alice, done.batch)


def test_webhooks_tell_of_merges(database: Database, alice: Principal, four: list[int]) -> None:
    with database.write() as session:
        target = {"url": "https://example.com", "sealed_secret": "", "enabled": True}
        session.add(WebhookTarget(name="t", created_at=clock.now(), created_by="a", min_level="high", **target))
        session.add(WebhookTarget(name="u", created_at=clock.now(), created_by="a", min_level="critical", **target))
    done = merge(database, alice, four[0], four[1:])
    undo(database, alice, done.batch)
    with database.read() as session:
        told = session.execute(select(WebhookDelivery.event_type, WebhookDelivery.target_id)).all()
    assert [tuple(one) for one in told] == [("alert.merged", 1)] * 2


def test_a_merged_alert_can_be_assigned_and_noted(database: Database, alice: Principal, four: list[int]) -> None:
    merge(database, alice, four[0], [four[1]])
    change(database, alice, four[1], Change(assignee="alice"))
    assert (row(database, four[1]).assignee, row(database, four[1]).merged_into) == ("alice", four[0])
