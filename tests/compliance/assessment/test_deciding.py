"""What was decided before stays: changed, withdrawn, by whom and why."""

from __future__ import annotations

import pytest

from compliance.assessment import deciding
from operations.errors import NotFound
from tests.compliance.assessment.small_system import PASSWORDS, TWO_FACTORS, SmallSystem


def test_the_history_of_decisions(small: SmallSystem) -> None:
    small.probe("not_met")
    small.probe("partly", TWO_FACTORS)
    small.decide("compensation", PASSWORDS, "0.5", "堡垒机")
    small.decide("compensation", PASSWORDS, "0.3", "仅部分主机")
    small.decide("risk", PASSWORDS, "low", "隔离", object_id=small.host)
    small.decide("risk", TWO_FACTORS, "high", "外网可达")
    with small.database.write() as session:
        deciding.withdraw(session, small.who, small.id, "compensation", PASSWORDS, "堡垒机下线", expected_version=2)
    with small.database.read() as session:
        told = deciding.history(session, small.id, PASSWORDS)
        assert [(one.kind, one.previous, one.value, one.reason) for one in told] == [
            ("compensation", "0.3", "", "堡垒机下线"),
            ("risk", "", "low", "隔离"),
            ("compensation", "0.5", "0.3", "仅部分主机"),
            ("compensation", "", "0.5", "堡垒机"),
        ]
        assert {one.by for one in told} == {small.who.name}
        assert [one.subject for one in deciding.history(session, small.id, kind="risk")] == [TWO_FACTORS, PASSWORDS]
        assert len(deciding.history(session, small.id, limit=2)) == 2
    _, traffic = small.city.as_("traffic")
    with traffic.read() as session, pytest.raises(NotFound):
        deciding.history(session, small.id)


def test_a_decision_after_a_withdrawal_begins_anew(small: SmallSystem) -> None:
    small.probe("not_met")
    small.decide("risk", PASSWORDS, "high")
    with small.database.write() as session:
        deciding.withdraw(session, small.who, small.id, "risk", PASSWORDS, "误判")
    assert small.decide("risk", PASSWORDS, "medium", expected_version=0).version == 1
    with small.database.read() as session:
        assert [(one.previous, one.value) for one in deciding.history(session, small.id)] == [
            ("", "medium"),
            ("high", ""),
            ("", "high"),
        ]
