"""Exceptions and switched-off rules: two pairs of eyes, true positives named, an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from kernel.rule_tuning.condition import Condition
from kernel.rule_tuning.snapshot import TuningSource
from operations import clock
from operations.accounts.schema import DAY, Principal
from operations.alerts.models import Alert
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from operations.tuning import listing, measures
from operations.tuning.models import RuleMeasure
from operations.tuning.preview import preview
from operations.tuning.publish import TuningPublisher, snapshot
from operations.tuning.schema import MeasureRecord, Proposal
from tests.operations.tuning.conftest import Desk

BACKUP = Condition("host.name", "equals", "backup-01")


@pytest.fixture
def lin(desk: Desk) -> Principal:
    return desk.person("lin", "analyst")


@pytest.fixture
def an(desk: Desk) -> Principal:
    return desk.person("an", "secadmin")


@pytest.fixture
def quan(desk: Desk) -> Principal:
    return desk.person("quan", "secadmin")


def wanted(*conditions: Condition, **more: Any) -> Proposal:
    given = {"rule_id": "rule-1", "rule_name": "R", "level": "high", "engine": "sigma", "reason": "backup reads all files"}
    ending = clock.shift(clock.now(), 90 * DAY) if conditions else ""
    return Proposal(**{**given, "conditions": conditions, "expires_at": ending, **more})


def propose(desk: Desk, who: Principal, *conditions: Condition, **more: Any) -> MeasureRecord:
    with desk.database.write() as session:
        return measures.propose(session, who, wanted(*conditions, **more))


def decide(desk: Desk, act: Any, who: Principal, measure: MeasureRecord, **more: Any) -> MeasureRecord:
    with desk.database.write() as session:
        found: MeasureRecord = act(session, who, measure.id, expected_version=more.pop("version", measure.version), **more)
    return found


def test_an_exception_takes_effect_when_somebody_else_approves_it(
    desk: Desk, lin: Principal, an: Principal, tmp_path: Path
) -> None:
    made = propose(desk, lin, BACKUP)
    assert (made.state, made.owner, made.proposed_by) == ("proposed", "lin", "lin")
    publish, source = TuningPublisher(desk.database, tmp_path / "t"), TuningSource(tmp_path / "t")
    publish()
    assert not source()
    approved = decide(desk, measures.approve, an, made, note="seen")
    assert (approved.state, approved.decided_by, approved.version) == ("active", "an", 2)
    publish()
    assert source()
    lifted = decide(desk, measures.lift, lin, approved, note="the backup moved")
    assert (lifted.state, lifted.ended_by, lifted.ending) == ("lifted", "lin", "the backup moved")
    publish()
    assert not source()
    with desk.database.read() as session:
        acts = session.execute(select(AuditEntry.action).where(AuditEntry.object_type == "rule").order_by(AuditEntry.id)).scalars()
        assert list(acts) == ["rule.propose", "rule.approve", "rule.lift"]


def test_nobody_approves_what_they_proposed_or_own(desk: Desk, lin: Principal, an: Principal) -> None:
    made = propose(desk, lin, BACKUP)
    turned = Principal(lin.user_id, "lin", "", "secadmin")  # an analyst who became a security administrator
    with pytest.raises(Denied, match="second person"):
        decide(desk, measures.approve, turned, made)
    owned = propose(desk, lin, Condition("user.name", "equals", "scan"), owner="an")
    with pytest.raises(Denied, match="second person"):
        decide(desk, measures.approve, an, owned)


def test_who_may_what(desk: Desk, lin: Principal, an: Principal) -> None:
    made = propose(desk, lin, BACKUP)
    for who in (desk.person("wei", "analyst"), desk.person("xi", "sysadmin"), desk.person("ld", "leader")):
        for act in (measures.approve, measures.refuse):
            with pytest.raises(Denied):
                decide(desk, act, who, made, note="x")
    with pytest.raises(Denied):
        propose(desk, an, BACKUP)
    with pytest.raises(Denied):
        propose(desk, lin)
    limited = Principal(lin.user_id, "lin", "", "analyst", zones=frozenset({"water-ot"}))
    with pytest.raises(Denied, match=r"tuning\.propose"):
        propose(desk, limited, BACKUP)
    key = Principal(an.user_id, "an", "", "secadmin", granted=frozenset({"tuning.read"}), key_name="k")
    with pytest.raises(Denied):
        decide(desk, measures.approve, key, made)


def test_true_positives_are_named_and_hidden_only_on_purpose(desk: Desk, lin: Principal, an: Principal) -> None:
    desk.alert(verdict="false_positive", host="BACKUP-01")
    bad = desk.alert(verdict="true_positive", host="BACKUP-01")
    desk.alert(verdict="true_positive", host="WEB1")
    desk.alert(host="backup-01")
    desk.alert("rule-2", host="backup-01")
    with desk.database.read() as session:
        found = preview(session, "rule-1", [BACKUP])
    assert (found.alerts, found.true_positives, found.false_positives, found.undecided) == (3, 1, 1, 1)
    assert [hit.id for hit in found.true_hits] == [bad]
    assert found.complete
    made = propose(desk, lin, BACKUP)
    with pytest.raises(Conflict, match="1 true positives"):
        decide(desk, measures.approve, an, made)
    assert decide(desk, measures.approve, an, made, confirm_true_positives=True).true_positives == 1


def test_a_true_positive_is_found_behind_many_newer_alerts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.tuning.preview.NEWEST", 3)
    bad = desk.alert(verdict="true_positive", host="backup-01", time=clock.shift(clock.now(), -5 * DAY))
    for _ in range(5):
        desk.alert(host="backup-01")
    with desk.database.read() as session:
        found = preview(session, "rule-1", [BACKUP])
    assert [hit.id for hit in found.true_hits] == [bad]
    assert not found.complete


def test_a_decision_on_an_older_version_is_refused(desk: Desk, lin: Principal, an: Principal) -> None:
    made = propose(desk, lin, BACKUP)
    with pytest.raises(Stale):
        decide(desk, measures.approve, an, made, version=7)
    decide(desk, measures.refuse, an, made, note="mend the rule")
    with pytest.raises(Conflict, match="decided"):
        decide(desk, measures.approve, an, made, version=2)
    with pytest.raises(NotFound), desk.database.write() as session:
        measures.approve(session, an, 999, expected_version=None)


def test_refusing_needs_a_reason_and_ones_own_is_withdrawn(desk: Desk, lin: Principal, an: Principal) -> None:
    made = propose(desk, lin, BACKUP)
    with pytest.raises(Invalid, match="note is missing"):
        decide(desk, measures.refuse, an, made, note=" ")
    assert decide(desk, measures.refuse, lin, made, note="").state == "withdrawn"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"expires_at": ""}, "expires_at"),
        ({"expires_at": "2020-01-01"}, "expires_at"),
        ({"expires_at": "2999-01-01"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
        ({"owner": "nobody"}, "owner"),
        ({"owner": "alice"}, "owner"),  # a system administrator
        ({"conditions": (Condition("f", "regex", "x"),)}, "conditions"),
        ({"conditions": tuple(Condition("f", "equals", str(n)) for n in range(11))}, "conditions"),
        ({"engine": "platform"}, "rule"),
    ],
)
def test_what_is_refused_names_its_field(desk: Desk, lin: Principal, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        propose(desk, lin, BACKUP, **change)
    assert refused.value.field == field


@pytest.mark.parametrize("engine", ["platform", "search"])
def test_what_no_worker_detects_is_known_by_its_alerts(desk: Desk, an: Principal, engine: str) -> None:
    """A certificate that runs out and a scheduled search are no loaded rules; switching them off would do nothing."""
    number = desk.alert("no-rule")
    with desk.database.write() as session:
        session.execute(update(Alert).where(Alert.id == number).values(engine=engine))
    with pytest.raises(Invalid) as refused:
        propose(desk, an, rule_id="no-rule", engine="", level="medium")
    assert refused.value.field == "rule"


def test_the_same_exception_is_not_made_twice(desk: Desk, lin: Principal) -> None:
    first, second = BACKUP, Condition("user.name", "wildcard", "svc_*")
    propose(desk, lin, first, second)
    with pytest.raises(Conflict, match="already"):
        propose(desk, lin, second, first)


def test_low_rules_are_off_at_once_and_high_ones_when_a_second_administrator_says_so(
    desk: Desk, an: Principal, quan: Principal
) -> None:
    low = propose(desk, an, level="medium")
    assert (low.kind, low.state, low.decided_by) == ("off", "active", "an")
    high = propose(desk, an, rule_id="rule-2", level="high")
    assert high.state == "proposed"
    with pytest.raises(Denied):
        decide(desk, measures.approve, an, high)
    assert decide(desk, measures.approve, quan, high).state == "active"
    with pytest.raises(Conflict, match="off already"):
        propose(desk, quan, rule_id="rule-2", level="high")
    with desk.database.read() as session:
        assert {one.rule_id: one.is_off for one in snapshot(session).measures} == {"rule-1": True, "rule-2": True}
    on = decide(desk, measures.lift, quan, low, note="tuned")
    assert on.state == "lifted"
    with desk.database.read() as session:
        assert set(listing.in_force(session)) == {"rule-2"}


def test_analysts_cannot_switch_a_rule_on_again(desk: Desk, an: Principal, lin: Principal) -> None:
    made = propose(desk, an, level="low", owner="lin")
    with pytest.raises(Denied):
        decide(desk, measures.lift, lin, made, note="x")


def test_what_has_come_to_its_end_is_ended(desk: Desk, lin: Principal, an: Principal) -> None:
    made = decide(desk, measures.approve, an, propose(desk, lin, BACKUP))
    with desk.database.write() as session:
        session.execute(update(RuleMeasure).values(expires_at=clock.shift(clock.now(), -1)))
    with desk.database.write() as session:
        assert measures.expire_due(session) == 1
        assert measures.expire_due(session) == 0
    with desk.database.read() as session:
        ended = listing.get_measure(session, made.id)
        assert (ended.state, ended.ended_by) == ("expired", "system")
        assert snapshot(session).measures == []


def test_lists_are_paged_and_filtered(desk: Desk, lin: Principal, an: Principal) -> None:
    made = [propose(desk, lin, Condition("host.name", "equals", f"h{n}"), rule_id=f"rule-{n % 2}") for n in range(5)]
    decide(desk, measures.approve, an, made[0])
    with desk.database.read() as session:
        page = listing.list_measures(session, limit=2)
        assert [one.id for one in page.measures] == [made[4].id, made[3].id]
        assert [one.id for one in listing.list_measures(session, limit=2, cursor=page.cursor).measures] == [made[2].id, made[1].id]
        assert [one.id for one in listing.list_measures(session, states=("active",)).measures] == [made[0].id]
        assert len(listing.list_measures(session, rule_id="rule-1").measures) == 2
        assert listing.count_proposed(session) == 4
        with pytest.raises(Invalid, match="cursor"):
            listing.list_measures(session, cursor="x")
